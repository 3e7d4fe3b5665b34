/* sip_calls.c: from INVITE to the domain's VoiceUrl. */
#include <stdio.h>

#include "base/buf.h"
#include "base/form.h"
#include "base/log.h"
#include "sandbox/call.h"
#include "sandbox/memory.h"
#include "sandbox/sandbox.h"
#include "sandbox/sip_calls.h"
#include "sandbox/twiml_run.h"
#include "sandbox/uas.h"

/* What webhooks say about the SIP side: twilio.com/docs/voice/api/sip-twiml. */
static char *sip_form(const struct uas_invite *invite)
{
	struct buf form = {0};
	char name[256];
	size_t i;

	form_add(&form, "SipDomain", invite->domain);
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

static int on_invite(void *arg, struct uas_leg *leg, const struct uas_invite *invite)
{
	struct sandbox *sandbox = arg;
	const struct sip_domain *domain = &sandbox->domain;
	struct call *call;

	if (domain->voice_url == NULL) {
		log_warn("sip", 0,
			"a call came in, but the SIP domain has no voice URL: "
			"PUT /sandbox/sip-domain");
		return 404;
	}
	call = call_new(sandbox, invite->to, invite->from);
	call->inbound = true;
	call->leg = leg;
	call->sip_form = sip_form(invite);
	call->fallback_url = memory_text(domain->fallback_url);
	call->callback.url = memory_text(domain->status_callback);
	call->callback.method = memory_text("POST");
	uas_leg_set_arg(leg, call);
	call_register(call);
	call_move(call, CALL_RINGING);
	twiml_run_url(call, domain->voice_url, domain->voice_method);
	return 0;
}

static void on_ended(void *arg, struct uas_leg *leg, const char *why)
{
	struct call *call = uas_leg_arg(leg);

	(void)arg;
	if (call == NULL)
		return;
	log_debug("sip", 0, "%s ended: %s", call->sid, why);
	call_leg_ended(call);
}

int sip_calls_open(struct sandbox *sandbox, const struct sip_calls_config *config)
{
	return uas_new(&(struct uas_config){.listen = config->listen,
			       .realm = "sip.twilio.com",
			       .user = config->user,
			       .password = config->password,
			       .invite = on_invite,
			       .ended = on_ended,
			       .rtp_lost_ms = config->rtp_lost_ms,
			       .arg = sandbox},
		&sandbox->uas);
}
