/* sip_name.c: the address of our SIP domain at Twilio. See sip_name.h. */
#include "gateway/sip_name.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define FRESH_MS 60000
#define AGAIN_MS \
	2000 /* who waits behind a question without an answer does not ask again */
#define JOBS_LIMIT 4096 /* one for each agent */

static int resolve(const char *domain, char ret_next_hop[ADDR_TEXT_SIZE])
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	struct addr addr = {0};
	char host[256];
	char *port;
	int rc;

	if (text_copy(host, sizeof(host), domain) < 0)
		return -EINVAL;
	port = strchr(host, ':');
	if (port != NULL)
		*port++ = '\0';
	rc = getaddrinfo(host, port == NULL ? "5060" : port, &hints, &found);
	if (rc != 0) {
		log_warn("agent", 0,
			"%s has no address: %s. Does the name server answer?", host,
			gai_strerror(rc));
		return -EHOSTUNREACH;
	}
	memcpy(&addr.sa, found->ai_addr, found->ai_addrlen);
	addr.len = found->ai_addrlen;
	freeaddrinfo(found);
	(void)addr_text(&addr, ret_next_hop);
	return 0;
}

int sip_name_find(
	struct sip_name *name, const char *host, char ret_next_hop[ADDR_TEXT_SIZE])
{
	char found[ADDR_TEXT_SIZE];
	int64_t good_ms;

	if (strcmp(name->host, host) != 0) {
		if (text_copy(name->host, sizeof(name->host), host) < 0)
			return -EINVAL;
		name->next_hop[0] = '\0';
		name->asked_ms = 0;
	}
	good_ms = name->next_hop[0] != '\0' ? FRESH_MS : AGAIN_MS;
	if (name->asked_ms == 0 || clock_mono_ms() - name->asked_ms >= good_ms) {
		name->err = name->lookup(host, found);
		name->asked_ms = clock_mono_ms();
		if (name->err == 0)
			(void)text_copy(name->next_hop, sizeof(name->next_hop), found);
	}
	if (name->next_hop[0] == '\0')
		return name->err;
	(void)text_copy(ret_next_hop, ADDR_TEXT_SIZE, name->next_hop);
	return 0;
}

static int name_start(void *arg, void **ret_ctx)
{
	struct sip_name *name = calloc(1, sizeof(*name));

	(void)arg;
	if (name == NULL)
		return -ENOMEM;
	name->lookup = resolve;
	*ret_ctx = name;
	return 0;
}

static void name_stop(void *arg, void *ctx)
{
	(void)arg;
	free(ctx);
}

int sip_names_new(struct gateway *gw, struct jobs **ret_names)
{
	return jobs_new(
		&(struct jobs_config){
			.threads = 1,
			.limit = JOBS_LIMIT,
			.answers = gw->queue,
			.start = name_start,
			.stop = name_stop,
		},
		ret_names);
}
