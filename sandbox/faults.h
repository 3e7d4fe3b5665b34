/*
 * faults.h: what goes wrong on purpose, how often, and how often it did. Main loop only; pure.
 *
 * Each kind draws from its own seed, so its n-th chance is the same in every run.
 */
#ifndef OMNIVOX_SANDBOX_FAULTS_H
#define OMNIVOX_SANDBOX_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_DUP,   /* a webhook is sent twice */
	FAULT_DELAY, /* a webhook is sent delay_ms later */
	FAULT_REORDER, /* a webhook is sent after the next one of its call, or after delay_ms */
	FAULT_DROP,                 /* a status or conference webhook is lost */
	FAULT_HTTP429,              /* a create is refused: too many at once */
	FAULT_HTTP500,              /* a create is refused and not processed */
	FAULT_HTTP500_AFTER_ACCEPT, /* a create is processed and answered 500 */
	FAULT_SILENT_BEFORE_ACCEPT, /* the connection is cut, nothing processed */
	FAULT_SILENT_AFTER_ACCEPT,  /* the create is processed, the connection cut */
	FAULT_SLOW,                 /* any request is answered delay_ms later */
	FAULT_UNREACHABLE, /* set with a rate: no connection is taken for delay_ms */
	FAULT_KINDS,
};

struct fault {
	double rate; /* 0 to 1 */
	int64_t delay_ms;
	uint64_t seed;
	uint64_t chances; /* how often it could have fired since it was set */
	uint64_t fired;   /* since the start of the program */
};

struct faults {
	struct fault kinds[FAULT_KINDS];
};

const char *fault_text(enum fault_kind kind);
int fault_parse(const char *word, enum fault_kind *ret_kind); /* -EINVAL */

/* Replaces one kind's setting and restarts its draw; `fired` goes on. */
void faults_set(struct faults *faults, enum fault_kind kind, double rate,
	int64_t delay_ms, uint64_t seed);

/* Whether this kind happens now; counts. */
bool faults_fire(struct faults *faults, enum fault_kind kind);

#endif
