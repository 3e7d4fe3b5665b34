/*
 * fair.h: who is next, when several want the same thing: agents, or calls per second. Pure.
 *
 * A lower priority number always goes first. Among equals each gets its weight's share of the
 * turns (start-time fair queuing: Goyal, Vin and Cheng, SIGCOMM 1996); one that had nothing to do
 * for a while does not get its missed turns afterwards.
 */
#ifndef OMNIVOX_DIALER_FAIR_H
#define OMNIVOX_DIALER_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAIR_PRIORITIES 10 /* 0 to 9 */

/* The time that turns make, of each priority. Start with all zero. */
struct fair {
	int64_t now[FAIR_PRIORITIES];
};

struct fair_member {
	int priority, weight; /* weight at least 1 */
	int64_t finished;     /* of its last turn; 0 at first */
};

/* Of two that want a turn: whether `a` goes before `b`. */
bool fair_before(const struct fair *fair, const struct fair_member *a,
	const struct fair_member *b);

/* It had its turn. */
void fair_served(struct fair *fair, struct fair_member *member);

#endif
