/*
 * pacing.h: when may the next line go out? The seed's batches: `batch` calls, `call_gap_ms`
 * apart, then `batch_gap_ms` rest; never more lines in flight than agents who could take them.
 * Pure: the caller brings the clock.
 */
#ifndef OMNIVOX_DIALER_PACING_H
#define OMNIVOX_DIALER_PACING_H

#include <stdint.h>

struct pacing_rules {
	unsigned batch;
	unsigned call_gap_ms;
	unsigned batch_gap_ms; /* never less than call_gap_ms, whatever it says */
};

struct pacing_state {
	unsigned in_batch;  /* dialled in the running batch */
	int64_t dialled_ms; /* the newest line; same clock as now_ms */
	int64_t next_ms;    /* no dial before */
};

enum pacing_wait {
	PACING_DIAL,     /* go */
	PACING_GAP,      /* between two calls or two batches */
	PACING_NO_AGENT, /* nobody is ready */
};

/*
 * What to do now; `*ret_wait_ms` is how long PACING_GAP lasts (0 otherwise). Start with the
 * state all zero.
 */
enum pacing_wait pacing_next(const struct pacing_state *state, unsigned ready_agents,
	int64_t now_ms, int64_t *ret_wait_ms);

/*
 * A line went out: counts it and sets the next moment. A batch that was held up for as long as
 * the rest lasts has had its rest: the line is the first of a new one.
 */
void pacing_dialled(
	struct pacing_state *state, const struct pacing_rules *rules, int64_t now_ms);

/* The rules are others now: so is what is left of the wait since the newest line. */
void pacing_changed(struct pacing_state *state, const struct pacing_rules *rules);

#endif
