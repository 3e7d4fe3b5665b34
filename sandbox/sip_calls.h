/* sip_calls.h: calls that come in over the SIP domain, and calls to SIP. Main loop only. */
#ifndef OMNIVOX_SANDBOX_SIP_CALLS_H
#define OMNIVOX_SANDBOX_SIP_CALLS_H

struct call;
struct sandbox;

struct sip_calls_config {
	const char *listen;          /* "127.0.0.1:0" */
	const char *user, *password; /* borrowed for life */
	unsigned rtp_lost_ms;
};

/* Opens the SIP domain as sandbox->uas. -errno. */
int sip_calls_open(struct sandbox *sandbox, const struct sip_calls_config *config);

/*
 * Calls the SIP address in call->to, as call->leg: ringing, answer and refusal come to the call.
 * -EINVAL for an address that cannot be called.
 */
int sip_calls_dial(struct call *call);

#endif
