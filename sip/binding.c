/* binding.c: reads Contact and Expires of a REGISTER. Does not log. */
#include "sip/binding.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Seconds asked for: the Contact's own, else the Expires header, else the longest. */
static unsigned long expires_of(
	const struct sip_edge *edge, const sip_t *sip, const sip_contact_t *contact)
{
	int64_t seconds;

	if (contact->m_expires != NULL) {
		/* RFC 3261 20.10: a malformed value is as good as 3600 */
		if (text_int(contact->m_expires, 0, UINT32_MAX, &seconds) < 0)
			return 3600;
		return (unsigned long)seconds;
	}
	if (sip->sip_expires != NULL)
		return sip->sip_expires->ex_delta;
	return edge->config.expires_max_s;
}

/* A binding to our own port would make us call ourselves. */
static bool is_ourselves(const struct sip_edge *edge, const url_t *url)
{
	char host[ADDR_TEXT_SIZE];
	const char *port = url_port(url);
	int64_t number = 5060;

	if (port != NULL && text_int(port, 1, 65535, &number) < 0)
		return false;
	if (number != addr_port(&edge->addr))
		return false;
	return strcasecmp(url->url_host, edge->host) == 0 ||
	       strcasecmp(url->url_host, addr_host(&edge->addr, host)) == 0;
}

static int read_contact(const struct sip_edge *edge, const sip_t *sip,
	const sip_contact_t *contact, struct sip_binding *binding)
{
	const url_t *url = contact->m_url;
	unsigned long seconds = expires_of(edge, sip, contact);
	isize_t len;

	if (url->url_type == url_any) {
		/* "*" removes all, and only that (RFC 3261 10.2.2) */
		if (contact->m_next != NULL || sip->sip_expires == NULL ||
			sip->sip_expires->ex_delta != 0)
			return 400;
		binding->expires_s = 0;
		return text_copy(binding->contact, sizeof(binding->contact), "*") < 0
			       ? 400
			       : 0;
	}
	if ((url->url_type != url_sip && url->url_type != url_sips) ||
		url->url_host == NULL)
		return 400;
	len = url_e(binding->contact, sizeof(binding->contact), url);
	if (len < 0 || (size_t)len >= sizeof(binding->contact))
		return 400;
	if (is_ourselves(edge, url))
		return 403;
	if (seconds > 0 && seconds < edge->config.expires_min_s)
		return 423;
	if (seconds > edge->config.expires_max_s)
		seconds = edge->config.expires_max_s;
	binding->expires_s = (unsigned)seconds;
	return 0;
}

/* Header text for people: cut and without control characters. */
static void read_user_agent(const sip_t *sip, struct sip_binding *binding)
{
	const char *text =
		sip->sip_user_agent != NULL ? sip->sip_user_agent->g_string : "";
	char *c;

	(void)snprintf(binding->user_agent, sizeof(binding->user_agent), "%s", text);
	for (c = binding->user_agent; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || (unsigned char)*c >= 0x80)
			*c = '?';
}

int binding_read(
	const struct sip_edge *edge, const sip_t *sip, struct sip_binding *ret_binding)
{
	struct sip_binding binding = {0};
	int status;

	if (text_copy(binding.call_id, sizeof(binding.call_id), sip->sip_call_id->i_id) <
		0)
		return 400;
	binding.cseq = sip->sip_cseq->cs_seq;
	read_user_agent(sip, &binding);
	if (sip->sip_contact != NULL) {
		status = read_contact(edge, sip, sip->sip_contact, &binding);
		if (status != 0)
			return status;
	}
	*ret_binding = binding;
	return 0;
}
