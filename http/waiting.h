/*
 * waiting.h: the requests that wait for their reply, found by id from any thread.
 *
 * This is the one place where the http thread and the others meet: a connection is suspended
 * and resumed only here, under one lock, and so never twice. Every wait ends: at its deadline
 * the clock thread answers instead.
 */
#ifndef OMNIVOX_HTTP_WAITING_H
#define OMNIVOX_HTTP_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/reply.h"

struct waiting;

/* One request that waits; embedded in its exchange, which outlives the wait. */
struct wait {
	struct MHD_Connection *connection;
	uint64_t id; /* 0: not waiting */
	int64_t due_ms;
	struct answer answer; /* empty until answered */
	bool answered;
	bool suspended;
	bool sending; /* the answer was taken and the place with it; it has not left yet */
	bool reserved; /* of a route that is shed last */
};

/* Makes the answer for a wait whose time is over; `closing` when the server stops. */
typedef int (*waiting_late_cb)(
	const struct wait *wait, bool closing, struct answer *ret_answer);

/*
 * `places`: waits at once; `open_places` of them at most for requests that are not reserved,
 * so that those are shed first.
 */
int waiting_new(size_t places, size_t open_places, waiting_late_cb late,
	struct waiting **ret_waiting);
void waiting_free(struct waiting **waiting); /* nobody waits any more */

/* http thread. Gives wait->id. -EAGAIN: no place, or closing. */
int waiting_enter(struct waiting *waiting, struct wait *wait);

/* http thread, in the access handler. False when the answer is already there: send it. */
bool waiting_pause(struct waiting *waiting, struct wait *wait);

/* http thread. The wait and its answer are over; drops an answer that was not taken. */
void waiting_leave(struct waiting *waiting, struct wait *wait);

/*
 * http thread. The answer, which is the caller's now; empty when there is none. The place is
 * free for others: however long the answer takes on its way, nobody waits for a reply any more.
 */
struct answer waiting_take(struct waiting *waiting, struct wait *wait);

/* Any thread. Takes the answer over; a request that is gone or answered drops it. */
void waiting_answer(struct waiting *waiting, uint64_t id, struct answer answer);

/*
 * Clock thread: answers what is overdue, then sleeps until the next deadline or `until_ms`,
 * whichever is first. False when the clock is to end.
 */
bool waiting_run_clock(struct waiting *waiting, int64_t until_ms);

/* Takes nobody new, waits at most `grace_ms` for answers, answers the rest, ends the clock. */
void waiting_close(struct waiting *waiting, int64_t grace_ms);

/* Waits until everybody has left, with the answer or without, at most `grace_ms`. */
void waiting_drain(struct waiting *waiting, int64_t grace_ms);

#endif
