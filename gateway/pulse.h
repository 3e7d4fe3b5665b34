/*
 * pulse.h: the one page that supervisor and worker share: it outlives workers.
 *
 * The worker's loop writes when it last turned; the supervisor kills a worker whose loop stands
 * still, and tells systemd that it is alive only while the loop is.
 */
#ifndef OMNIVOX_GATEWAY_PULSE_H
#define OMNIVOX_GATEWAY_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct beat;
struct gateway;

struct pulse {
	atomic_llong beat_ms; /* monotonic; 0: the loop has not turned yet */
	atomic_bool ready;    /* this worker answers */
	atomic_bool draining; /* no new calls are made, by this worker or the next */
	atomic_llong
		drain_until_ms; /* monotonic: then it ends whatever calls there are */
	atomic_uint starts;     /* workers so far */
	atomic_uint hung;       /* of them killed because the loop stood still */
};

/* Either process: no new calls from now on, and the end in `patience_ms`. Asked again: as it was. */
void pulse_drain(struct pulse *pulse, int64_t patience_ms);

/* Either process: the time of a drain is over. It waits for nothing any more. */
bool pulse_drain_is_over(const struct pulse *pulse);

/* Loop, at start and end: beats while the loop turns. */
int beat_new(struct gateway *gw, struct beat **ret_beat);
void beat_free(struct beat **beat);

#endif
