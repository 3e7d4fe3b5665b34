/* ticker.c: a libre timer that is set again for the next multiple of 20 ms. */
#include "config.h"

#include "sandbox/ticker.h"

#include "base/clock.h"

#define TICK_MS 20
/* After a longer stall the ticks are lost, as sound is lost on a stalled machine. */
#define CATCH_UP_TICKS 5

static void ticker_arm(struct ticker *ticker);

static void ticker_fired(void *arg)
{
	struct ticker *ticker = arg;
	int64_t now = clock_mono_ms();

	if (now - ticker->next_ms > CATCH_UP_TICKS * TICK_MS)
		ticker->next_ms = now;
	/* Armed first, so that a tick may stop its own ticker. */
	ticker_arm(ticker);
	while (ticker->next_ms <= now && tmr_isrunning(&ticker->tmr)) {
		ticker->next_ms += TICK_MS;
		ticker->tick(ticker->arg);
	}
	if (tmr_isrunning(&ticker->tmr))
		ticker_arm(ticker);
}

static void ticker_arm(struct ticker *ticker)
{
	int64_t wait = ticker->next_ms - clock_mono_ms();

	tmr_start(&ticker->tmr, wait > 0 ? (uint64_t)wait : 0, ticker_fired, ticker);
}

void ticker_start(struct ticker *ticker, void (*tick)(void *arg), void *arg)
{
	if (tmr_isrunning(&ticker->tmr))
		return;
	ticker->tick = tick;
	ticker->arg = arg;
	ticker->next_ms = clock_mono_ms() + TICK_MS;
	ticker_arm(ticker);
}

void ticker_stop(struct ticker *ticker)
{
	tmr_cancel(&ticker->tmr);
}
