/*
 * ticker.h: work that is done on a worker again and again, with a rest in between. A timer fires,
 * a job is put, and when its end was seen the timer starts again: at most one round is under way,
 * and one that finds the jobs' queue full is tried again after the rest.
 *
 * All of it is the loop's (the thread of `timers`, and the reader of the jobs' answers), but for
 * work().
 */
#ifndef OMNIVOX_BASE_TICKER_H
#define OMNIVOX_BASE_TICKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/jobs.h"
#include "base/timers.h"

struct ticker;

struct ticker_config {
	struct timers *timers; /* borrowed, as `jobs` and `arg` */
	struct jobs *jobs;
	int64_t first_ms, rest_ms; /* before the first round, and between two */
	/*
	 * Before a round; false: there is nothing to do, this time. NULL: there always is. May neither
	 * wake nor free its ticker.
	 */
	bool (*begin)(void *arg);
	/*
	 * The round, on a worker; `ctx` is the worker's. What it leaves in `arg` is for done(): the
	 * loop keeps away from that meanwhile.
	 */
	void (*work)(void *arg, void *ctx);
	/* After it; may wake or free its ticker. NULL: there is nothing to be seen. */
	void (*done)(void *arg);
	void *arg; /* outlives `jobs`, unless work() does without */
};

int ticker_new(const struct ticker_config *config, struct ticker **ret_ticker);

/* A round that is under way comes to its end without done(). NULL-safe, sets NULL. */
void ticker_free(struct ticker **ticker);

/* A round at once; while one is under way, another right after it. */
void ticker_wake(struct ticker *ticker);

#endif
