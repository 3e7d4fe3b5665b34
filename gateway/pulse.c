/* pulse.c: the pulse and what beats it. See pulse.h. */
#include "gateway/pulse.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/timers.h"
#include "gateway/gateway.h"
#include "gateway/metrics.h"

#define BEAT_MS 250

struct beat {
	struct gateway *gw;
	struct timer timer;
	int64_t due_us;
};

void pulse_drain(struct pulse *pulse, int64_t patience_ms)
{
	if (atomic_load(&pulse->draining))
		return;
	/* Deadline first: who sees the drain sees when it ends. */
	atomic_store(&pulse->drain_until_ms, clock_mono_ms() + patience_ms);
	atomic_store(&pulse->draining, true);
}

bool pulse_drain_is_over(const struct pulse *pulse)
{
	return atomic_load(&pulse->draining) &&
	       clock_mono_ms() > atomic_load(&pulse->drain_until_ms);
}

static void beat_start(struct beat *beat)
{
	beat->due_us = clock_mono_us() + BEAT_MS * 1000;
	timer_start(beat->gw->timers, &beat->timer, BEAT_MS);
}

static void beat_fire(struct timer *timer)
{
	struct beat *beat = list_entry(timer, struct beat, timer);

	atomic_store(&beat->gw->pulse->beat_ms, clock_mono_ms());
	metric_observe(&metric_loop_lag, 0, clock_mono_us() - beat->due_us);
	beat_start(beat);
}

int beat_new(struct gateway *gw, struct beat **ret_beat)
{
	struct beat *beat = calloc(1, sizeof(*beat));

	if (beat == NULL)
		return -ENOMEM;
	beat->gw = gw;
	beat->timer.fire = beat_fire;
	beat_start(beat);
	*ret_beat = beat;
	return 0;
}

void beat_free(struct beat **beat)
{
	if (*beat == NULL)
		return;
	timer_stop(&(*beat)->timer);
	free(*beat);
	*beat = NULL;
}
