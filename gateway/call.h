/*
 * call.h: the life of calls outside the database: the POST that places one, what Twilio answers,
 * what must be done at Twilio because of a transition, and who waits for news.
 */
#ifndef OMNIVOX_GATEWAY_CALL_H
#define OMNIVOX_GATEWAY_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "db/calls.h"
#include "gateway/gateway.h"
#include "twilio/client.h"

/* Loop thread, at start and end. */
int calls_new(struct gateway *gw, struct calls **ret_calls);
void calls_free(struct calls **calls);

/*
 * Any thread. Places a call that was just claimed: POST Participants into its conference.
 * `waiter`: the HTTP request that is answered (queue_api_answer) when Twilio has answered, or
 * after 5 s; 0 nobody.
 */
void call_place(struct gateway *gw, const struct db_claimed *claimed, uint64_t waiter);

/*
 * Any thread. Takes `changes` (malloc). Publishes them, performs their actions, wakes the
 * runner of the campaign and the agents concerned.
 */
void calls_changed(struct gateway *gw, struct db_call_change *changes, size_t count);

/* Any thread; on a database worker: applies the events and hands the changes to the loop. */
int calls_apply(struct gateway *gw, struct db *db, const struct db_call_event *events,
	size_t count);

/* twilio thread: twilio_config.answer with arg = struct gateway. */
void calls_twilio_answer(void *gateway, const struct twilio_answer *answer);

#endif
