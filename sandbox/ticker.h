/*
 * ticker.h: calls back every 20 ms on libre's loop, by the absolute clock, so that sound
 * neither drifts nor piles up. Main loop only.
 */
#ifndef OMNIVOX_SANDBOX_TICKER_H
#define OMNIVOX_SANDBOX_TICKER_H

#include <stdint.h>

#include "sandbox/libre.h"

/* Embedded in its owner; start with all zero. */
struct ticker {
	struct tmr tmr;
	int64_t next_ms; /* clock_mono_ms of the next tick */
	void (*tick)(void *arg);
	void *arg;
};

/* Harmless when it runs already. */
void ticker_start(struct ticker *ticker, void (*tick)(void *arg), void *arg);

/* Also inside the tick; harmless twice. The owner may not be freed inside the tick. */
void ticker_stop(struct ticker *ticker);

#endif
