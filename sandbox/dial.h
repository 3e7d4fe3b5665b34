/*
 * dial.h: <Dial>: a call's document calls others and bridges it with the first who answers, or
 * puts it in a conference. Main loop only.
 *
 * The dialled legs are calls of their own (ParentCallSid), neither queued nor counted in the
 * calls per second. Source: twilio.com/docs/voice/twiml/dial.
 */
#ifndef OMNIVOX_SANDBOX_DIAL_H
#define OMNIVOX_SANDBOX_DIAL_H

#include <stdbool.h>

struct call;
struct dial;
struct twiml_node;
struct twiml_run;

/* False: it could not be begun, go on with the next verb. True: it waits, or has gone on. */
bool dial_begin(struct twiml_run *run, const struct twiml_node *verb);

/* Hangs up all legs; the parent is not touched. */
void dial_free(struct dial **dial);

/* The parent wants it to end: the legs are hung up, the document goes on. */
void dial_hang_up(struct dial *dial);

/* From the life of a dialled leg (call->dial is not NULL). */
void dial_leg_answered(struct call *leg);
void dial_leg_ended(struct call *leg);

/* The leg is sent elsewhere by REST: for the Dial it is over. */
void dial_leg_detached(struct call *leg);

/* The leg's own document, which it followed before being bridged, is at its end. */
void dial_callee_ready(struct call *leg);

#endif
