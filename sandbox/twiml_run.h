/*
 * twiml_run.h: a call following its TwiML: fetch, act verb by verb, fall back, hang up at the
 * end. Main loop only. Source: twilio.com/docs/voice/twiml.
 */
#ifndef OMNIVOX_SANDBOX_TWIML_RUN_H
#define OMNIVOX_SANDBOX_TWIML_RUN_H

struct call;
struct twiml_run;

/* Start over with a document; whatever ran before is forgotten. Texts are copied. */
void twiml_run_url(struct call *call, const char *url, const char *method);
void twiml_run_text(struct call *call, const char *twiml);

/* The document of a dialled leg, before it is bridged: it may not dial, its end bridges. */
void twiml_run_callee(struct call *call, const char *url, const char *method);

/* The call has left the conference it was in: the Dial's action, or the next verb. */
void twiml_run_conference_over(struct call *call);

/* The far end pressed a key. */
void twiml_run_digit(struct call *call, char digit);

/* The call is over: what was recorded by <Record> is still reported. */
void twiml_run_call_over(struct call *call);

void twiml_run_free(struct twiml_run **run); /* stops it; the call is not touched */

#endif
