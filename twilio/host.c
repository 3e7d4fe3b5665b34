/* host.c: regions and edges. See host.h. */
#include "twilio/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLAIN "https://api.twilio.com"
#define SIP_PLAIN ".sip.twilio.com"

static const struct {
	const char *region, *edge;
} places[] = {
	{"us1", "ashburn"},
	{"us2", "umatilla"},
	{"ie1", "dublin"},
	{"de1", "frankfurt"},
	{"au1", "sydney"},
	{"br1", "sao-paulo"},
	{"jp1", "tokyo"},
	{"sg1", "singapore"},
};

static const char *edge_of(const char *region)
{
	for (size_t i = 0; i < COUNT(places); i++)
		if (strcmp(places[i].region, region) == 0)
			return places[i].edge;
	return NULL;
}

static int check_edge(const char *edge, struct err *err)
{
	const char *instead = edge_of(edge);

	for (size_t i = 0; i < COUNT(places); i++)
		if (strcmp(places[i].edge, edge) == 0)
			return 0;
	if (instead != NULL)
		return err_set(err, -EINVAL,
			"TWILIO_EDGE is \"%s\", which is a region: the edge is called %s.",
			edge, instead);
	return err_set(err, -EINVAL,
		"TWILIO_EDGE is \"%.32s\": Twilio has ashburn, umatilla, dublin, frankfurt,"
		" sydney, sao-paulo, tokyo and singapore.",
		edge);
}

/* api.ie1.twilio.com and its like; api.us1.twilio.com goes on. */
static int check_legacy(const char *base, struct err *err)
{
	char host[64];

	for (size_t i = 0; i < COUNT(places); i++) {
		(void)snprintf(host, sizeof(host), "https://api.%s.twilio.com",
			places[i].region);
		if (strncmp(base, host, strlen(host)) != 0 || i == 0)
			continue;
		return err_set(err, -EINVAL,
			"TWILIO_API_BASE is %s, which stopped working on 2026-04-28. Leave it"
			" out and set TWILIO_REGION=%s (and TWILIO_EDGE=%s), with credentials"
			" of that region.",
			host, places[i].region, places[i].edge);
	}
	return 0;
}

static int check_region(const char *region, struct err *err)
{
	if (edge_of(region) != NULL)
		return 0;
	return err_set(err, -EINVAL,
		"TWILIO_REGION is \"%.32s\": Twilio has us1, us2, ie1, de1, au1, br1, jp1"
		" and sg1.",
		region);
}

int twilio_base(const char *base, const char *region, const char *edge,
	char ret_base[TWILIO_BASE_SIZE], struct err *err)
{
	int rc = check_legacy(base, err);

	if (rc == 0 && region[0] != '\0')
		rc = check_region(region, err);
	if (rc == 0 && edge[0] != '\0')
		rc = check_edge(edge, err);
	if (rc < 0)
		return rc;
	if (region[0] == '\0' && edge[0] == '\0') {
		(void)snprintf(ret_base, TWILIO_BASE_SIZE, "%s", base);
		return 0;
	}
	if (strcmp(base, PLAIN) != 0 && strcmp(base, PLAIN "/") != 0)
		return err_set(err, -EINVAL,
			"TWILIO_REGION and TWILIO_EDGE choose the host, and so does"
			" TWILIO_API_BASE: leave one of them out.");
	if (region[0] == '\0')
		region = "us1";
	(void)snprintf(ret_base, TWILIO_BASE_SIZE, "https://api.%s.%s.twilio.com",
		edge[0] != '\0' ? edge : edge_of(region), region);
	return 0;
}

/* How long "name" of "name<tail>" is; 0: it does not end so. */
static size_t before_tail(const char *domain, const char *tail)
{
	size_t len = strlen(domain), tail_len = strlen(tail);

	return len > tail_len && strcasecmp(domain + len - tail_len, tail) == 0
		       ? len - tail_len
		       : 0;
}

void twilio_sip_host(const char *domain, const char *region, const char *edge,
	char ret_host[TWILIO_SIP_HOST_SIZE])
{
	size_t name = before_tail(domain, SIP_PLAIN);

	if (edge[0] == '\0' && region[0] != '\0')
		edge = edge_of(region);
	if (name == 0 || edge == NULL || edge[0] == '\0')
		(void)snprintf(ret_host, TWILIO_SIP_HOST_SIZE, "%s", domain);
	else
		(void)snprintf(ret_host, TWILIO_SIP_HOST_SIZE, "%.*s.sip.%s.twilio.com",
			(int)name, domain, edge);
}

void twilio_sip_name(const char *domain, char ret_name[TWILIO_SIP_HOST_SIZE])
{
	size_t name = 0;

	for (size_t i = 0; i < COUNT(places) && name == 0; i++) {
		char tail[64];

		(void)snprintf(tail, sizeof(tail), ".sip.%s.twilio.com", places[i].edge);
		name = before_tail(domain, tail);
	}
	if (name == 0)
		(void)snprintf(ret_name, TWILIO_SIP_HOST_SIZE, "%s", domain);
	else
		(void)snprintf(ret_name, TWILIO_SIP_HOST_SIZE, "%.*s" SIP_PLAIN,
			(int)name, domain);
}
