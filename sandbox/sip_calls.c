/* sip_calls.c: from INVITE to the domain's VoiceUrl. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/form.h"
#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/memory.h"
#include "sandbox/resource.h"
#include "sandbox/sandbox.h"
#include "sandbox/sip_calls.h"
#include "sandbox/twiml_run.h"
#include "sandbox/uas.h"

#define HEADERS_MAX 32 /* of a URI */

/* What webhooks say about the SIP side: twilio.com/docs/voice/api/sip-twiml. */
static char *sip_form(const struct uas_invite *invite, const struct resource *domain)
{
	struct buf form = {0};
	char name[256];
	size_t i;

	form_add(&form, "SipDomain", invite->domain);
	if (domain != NULL)
		form_add(&form, "SipDomainSid", domain->sid);
	form_add(&form, "SipCallId", invite->call_id);
	form_add(&form, "SipSourceIp", invite->source);
	if (invite->username != NULL)
		form_add(&form, "SipUsername", invite->username);
	for (i = 0; i < invite->header_count; i++) {
		(void)snprintf(
			name, sizeof(name), "SipHeader_%s", invite->headers[i].name);
		form_add(&form, name, invite->headers[i].value);
	}
	return buf_take(&form);
}

/* Whether the domain has mapped the list for calls. */
static bool is_mapped(const struct resource *domain, const char *list_sid)
{
	static const struct resource_kind *const mappings[] = {
		&kind_call_credential_mapping, &kind_credential_mapping,
		&kind_call_acl_mapping, &kind_acl_mapping};
	size_t i;

	for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
		if (resources_find(domain->sandbox->resources, mappings[i], list_sid,
			    domain->sid) != NULL)
			return true;
	return false;
}

/* The newest credential of that user in a list that some domain has mapped; `domain`: that. */
static const struct resource *find_credential(
	struct sandbox *sandbox, const char *user, const struct resource *domain)
{
	struct list *all = resources_list(sandbox->resources), *node, *other;

	for (node = all->prev; node != all; node = node->prev) {
		const struct resource *r = list_entry(node, const struct resource, node);

		if (r->kind != &kind_credential ||
			strcmp(resource_get(r, "username"), user) != 0)
			continue;
		for (other = all->next; other != all; other = other->next) {
			const struct resource *d =
				list_entry(other, const struct resource, node);

			if (d->kind == &kind_sip_domain &&
				(domain == NULL || d == domain) &&
				is_mapped(d, r->parent_sid))
				return r;
		}
	}
	return NULL;
}

static const char *password_of(void *arg, const char *user)
{
	const struct resource *credential = find_credential(arg, user, NULL);

	return credential != NULL ? resource_get(credential, "password") : NULL;
}

/*
 * The domain of the Request-URI's host. The sandbox is also called by its address, which names
 * no domain: then it is that of the user. NULL: the one of the command line.
 */
static const struct resource *find_domain(
	struct sandbox *sandbox, const struct uas_invite *invite)
{
	struct list *all = resources_list(sandbox->resources), *node;
	const struct resource *by_user = NULL;

	for (node = all->prev; node != all; node = node->prev) {
		const struct resource *r = list_entry(node, const struct resource, node);

		if (r->kind != &kind_sip_domain)
			continue;
		if (strcasecmp(resource_get(r, "domain_name"), invite->domain) == 0)
			return r;
		if (by_user == NULL && invite->username != NULL &&
			find_credential(sandbox, invite->username, r) != NULL)
			by_user = r;
	}
	return by_user;
}

static bool covers(const struct resource *range, const struct addr *source)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&source->sa;
	long bits = atol(resource_get(range, "cidr_prefix_length"));
	uint32_t mask = bits == 0 ? 0 : htonl(UINT32_MAX << (32 - bits));
	struct in_addr low;

	return in->sin_family == AF_INET &&
	       inet_pton(AF_INET, resource_get(range, "ip_address"), &low) == 1 &&
	       ((low.s_addr ^ in->sin_addr.s_addr) & mask) == 0;
}

/* Access control lists are enforced where there are any. */
static bool may_come_from(const struct resource *domain, const char *source)
{
	struct list *all = resources_list(domain->sandbox->resources), *node;
	bool restricted = false;
	struct addr addr;

	if (addr_parse(source, &addr) < 0)
		return false;
	for (node = all->next; node != all; node = node->next) {
		const struct resource *r = list_entry(node, const struct resource, node);

		if ((r->kind != &kind_ip_acl && r->kind != &kind_ip_address) ||
			!is_mapped(
				domain, r->kind == &kind_ip_acl ? r->sid : r->parent_sid))
			continue;
		restricted = true;
		if (r->kind == &kind_ip_address && covers(r, &addr))
			return true;
	}
	return !restricted;
}

/* Where a call gets its instructions; borrowed. */
struct voice {
	const char *url, *method, *fallback_url, *fallback_method;
	const char *status_url, *status_method;
};

static struct voice voice_of(const struct sandbox *sandbox, const struct resource *domain)
{
	const struct sip_domain *own = &sandbox->domain;

	if (domain == NULL)
		return (struct voice){.url = own->voice_url,
			.method = own->voice_method,
			.fallback_url = own->fallback_url,
			.fallback_method = "POST",
			.status_url = own->status_callback,
			.status_method = "POST"};
	return (struct voice){.url = resource_get(domain, "voice_url"),
		.method = resource_get(domain, "voice_method"),
		.fallback_url = resource_get(domain, "voice_fallback_url"),
		.fallback_method = resource_get(domain, "voice_fallback_method"),
		.status_url = resource_get(domain, "voice_status_callback_url"),
		.status_method = resource_get(domain, "voice_status_callback_method")};
}

static int on_invite(void *arg, struct uas_leg *leg, const struct uas_invite *invite)
{
	struct sandbox *sandbox = arg;
	const struct resource *domain = find_domain(sandbox, invite);
	struct voice voice = voice_of(sandbox, domain);
	struct call *call;

	if (domain != NULL && !may_come_from(domain, invite->source)) {
		log_warn("sip", 0, "32201 %s is not in the domain's access control lists",
			invite->source);
		return 403;
	}
	if (voice.url == NULL) {
		log_warn("sip", 0,
			"a call came in, but the SIP domain has no voice URL: "
			"PUT /sandbox/sip-domain");
		return 404;
	}
	call = call_new(sandbox, invite->to, invite->from);
	call->direction = CALL_INBOUND;
	call->leg = leg;
	call->extra_form = sip_form(invite, domain);
	call->fallback_url = memory_text(voice.fallback_url);
	call->fallback_method = memory_text(voice.fallback_method);
	call->callback.url = memory_text(voice.status_url);
	call->callback.method = memory_text(voice.status_method);
	uas_leg_set_arg(leg, call);
	call_register(call);
	call_move(call, CALL_RINGING);
	twiml_run_url(call, voice.url, voice.method);
	return 0;
}

static void on_ended(void *arg, struct uas_leg *leg, const char *why)
{
	struct call *call = uas_leg_arg(leg);

	(void)arg;
	if (call == NULL)
		return;
	log_debug("sip", 0, "%s ended: %s", call->sid, why);
	if (strcmp(why, "refused") == 0)
		call_leg_refused(call, uas_leg_status(leg));
	else
		call_leg_ended(call);
}

static void on_ringing(void *arg, struct uas_leg *leg)
{
	struct call *call = uas_leg_arg(leg);

	(void)arg;
	if (call->status == CALL_INITIATED)
		call_move(call, CALL_RINGING);
}

static void on_answered(void *arg, struct uas_leg *leg)
{
	(void)arg;
	call_leg_answered(uas_leg_arg(leg));
}

static void on_key(void *arg, struct uas_leg *leg, char key)
{
	struct call *call = uas_leg_arg(leg);

	(void)arg;
	if (call != NULL)
		twiml_run_digit(call, key);
}

/* "sip:ana@host;edge=x?X-A=1&X-B=2": the address, without what is meant for Twilio. */
static char *address(const char *to)
{
	size_t len = strcspn(to, "?");
	struct buf text = {0};
	char *copy = strndup(to, len), *rest = NULL, *part;

	for (part = copy != NULL ? strtok_r(copy, ";", &rest) : NULL; part != NULL;
		part = strtok_r(NULL, ";", &rest)) {
		if (strncmp(part, "edge=", 5) == 0 || strncmp(part, "region=", 7) == 0 ||
			strncmp(part, "secure=", 7) == 0)
			continue;
		if (text.len > 0)
			buf_add_char(&text, ';');
		buf_add_str(&text, part);
	}
	free(copy);
	return buf_take(&text);
}

/* Twilio's own headers, and those of the URI: twilio.com/docs/voice/api/receiving-sip. */
static void add_headers(const struct call *call, struct buf *headers)
{
	const char *query = strchr(call->to, '?');
	const struct sandbox *sandbox = call->sandbox;
	struct form form = {0};
	size_t i;

	buf_printf(headers, "X-Twilio-CallSid: %s\r\nX-Twilio-AccountSid: %s\r\n",
		call->sid, sandbox->settings.account_sid);
	if (call->caller_id != NULL)
		buf_printf(headers, "P-Asserted-Identity: <sip:%s@%s>\r\n", call->from,
			uas_addr(sandbox->uas));
	if (query == NULL ||
		form_parse(query + 1, strlen(query + 1), HEADERS_MAX, &form) < 0)
		return;
	for (i = 0; i < form.count; i++) {
		const char *name = form.pairs[i].name;

		if (strncasecmp(name, "X-", 2) != 0 &&
			strcasecmp(name, "User-to-User") != 0)
			log_warn("sip", 0, "13252 %s is no header that is passed on",
				name);
		else if (strpbrk(form.pairs[i].value, "\r\n") == NULL)
			buf_printf(headers, "%s: %s\r\n", name, form.pairs[i].value);
	}
	form_free(&form);
}

int sip_calls_dial(struct call *call)
{
	const char *who = call->caller_id != NULL ? call->caller_id : call->from;
	struct uas *uas = call->sandbox->uas;
	char *to = address(call->to);
	struct buf headers = {0}, from = {0};
	int r;

	add_headers(call, &headers);
	if (strncmp(who, "sip:", 4) == 0)
		buf_add_str(&from, who);
	else
		buf_printf(&from, "sip:%s@%s",
			strncmp(who, "client:", 7) == 0 ? who + 7 : who, uas_addr(uas));
	r = uas_call(uas,
		&(struct uas_call){.to = to,
			.from = from.data,
			.user = call->sip_user,
			.password = call->sip_password,
			.headers = headers.data,
			.arg = call},
		&call->leg);
	buf_free(&headers);
	buf_free(&from);
	free(to);
	return r;
}

int sip_calls_open(struct sandbox *sandbox, const struct sip_calls_config *config)
{
	return uas_new(&(struct uas_config){.listen = config->listen,
			       .realm = "sip.twilio.com",
			       .user = config->user,
			       .password = config->password,
			       .password_of = password_of,
			       .invite = on_invite,
			       .ended = on_ended,
			       .key = on_key,
			       .ringing = on_ringing,
			       .answered = on_answered,
			       .rtp_lost_ms = config->rtp_lost_ms,
			       .arg = sandbox},
		&sandbox->uas);
}
