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

/* With a call's id in a request: which customer is in the conference. */
#define SWEEP_FIND_ID (UINT64_C(1) << 61)

/* Loop thread. Starts at once. */
int sweeper_new(struct gateway *gw, struct sweeper **ret_sweeper);
void sweeper_free(struct sweeper **sweeper);

/* Loop. What Twilio says of a call is wanted now, not at its deadline. */
void sweep_soon(struct gateway *gw, int64_t call_id);

/* Loop. The answer to a fetch or a list of calls, or to a request with SWEEP_FIND_ID. */
void sweep_answer(struct gateway *gw, const struct twilio_answer *answer);

#endif
