/*
 * timers.h: a timer wheel with a hand on the clock: time only moves when told to, so logic
 * that waits can be tested without waiting. One thread.
 */
#ifndef OMNIVOX_BASE_TIMERS_H
#define OMNIVOX_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct timers;

/* Embedded in its owner; start with all zero and set `fire`. Never freed while started. */
struct timer {
	void (*fire)(struct timer *timer);
	struct list node; /* the wheel's, as all below */
	struct timers *timers;
	int64_t due_ms;
};

/* `now_ms`: the clock's reading at birth (clock_mono_ms, or a test's own). */
int timers_new(int64_t now_ms, struct timers **ret_timers);
void timers_free(struct timers **timers); /* stops all; fires none */

/* (Re)starts; fires once, `delay_ms` (>= 0) after the last advance. */
void timer_start(struct timers *timers, struct timer *timer, int64_t delay_ms);
void timer_stop(struct timer *timer); /* harmless when not started */
bool timer_started(const struct timer *timer);

/*
 * Fires everything due up to now_ms, in order of due time, and of start where that is the same.
 * Timers may start and stop others and themselves; what they start fires in a later advance.
 */
void timers_advance(struct timers *timers, int64_t now_ms);

/* Milliseconds to the next due timer, 0 when overdue, -1 when none. Cheap: for every turn. */
int64_t timers_next(struct timers *timers);
int64_t timers_now(const struct timers *timers);

#endif
