/*
 * dialing.h: calls per second: outbound calls wait here for their turn. Main loop only.
 *
 * Source: twilio.com/docs/glossary/what-is-a-cps: more than the account's rate is queued, not
 * refused.
 */
#ifndef OMNIVOX_SANDBOX_DIALING_H
#define OMNIVOX_SANDBOX_DIALING_H

#include <stdint.h>

struct call;
struct dialing;
struct sandbox;

int dialing_new(struct sandbox *sandbox, struct dialing **ret_dialing);
void dialing_free(struct dialing **dialing);

/* What the next call would wait, in Twilio's own time. */
int64_t dialing_wait_ms(const struct dialing *dialing);

/*
 * Queues the call and sets call->queue_ms. It is dialled from the loop, never from inside. A
 * call that ends while it waits leaves the queue by itself (list_remove of queue_node).
 */
void dialing_put(struct dialing *dialing, struct call *call);

#endif
