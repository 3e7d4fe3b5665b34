/*
 * sweep.h: the one who comes back: every hold has a deadline, and the sweeper acts on it.
 *
 * Twice a second one database job lets go of what nobody holds any more and returns what must
 * be asked or done at Twilio: calls of which nothing was heard are fetched, calls whose POST
 * was lost are looked for, actions that were not done are done.
 */
#ifndef OMNIVOX_GATEWAY_SWEEP_H
#define OMNIVOX_GATEWAY_SWEEP_H

#include <stdint.h>

#include "gateway/gateway.h"
#include "twilio/client.h"

struct sweeper;

/* Loop thread. Starts at once. */
int sweeper_new(struct gateway *gw, struct sweeper **ret_sweeper);
void sweeper_free(struct sweeper **sweeper);

/* Loop. What Twilio says of a call is wanted now, not at its deadline. */
void sweep_soon(struct gateway *gw, int64_t call_id);

/* Loop. The answer to a fetch or a list. */
void sweep_answer(struct gateway *gw, const struct twilio_answer *answer);

#endif
