/*
 * metrics.h: numbers that any thread moves without a lock, and their text for Prometheus.
 *
 * A metric is a static struct that names all values its labels can have, so how many series
 * there are is known when it is written. Format: Prometheus text exposition 0.0.4.
 */
#ifndef OMNIVOX_BASE_METRICS_H
#define OMNIVOX_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define METRIC_LABELS 2
#define METRIC_CELLS 512 /* of one metric: series, times the buckets of a histogram */
#define METRIC_BUCKETS 14

enum metric_kind {
	METRIC_COUNTER, /* only goes up */
	METRIC_SECONDS, /* a counter that is kept in microseconds and shown in seconds */
	METRIC_GAUGE,   /* is set */
	METRIC_HISTOGRAM, /* of seconds; at most one label */
};

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	struct {
		const char *name;          /* NULL: no such label */
		const char *const *values; /* ends in NULL */
	} labels[METRIC_LABELS];
	atomic_ullong cells[METRIC_CELLS];
};

/*
 * All: any thread. `a` and `b` are places in the labels' values, 0 where there is no label; a
 * place that is not there is a bug (assert).
 */
void metric_add(struct metric *metric, size_t a, size_t b, uint64_t n);
void metric_set(struct metric *metric, size_t a, size_t b, double value);
void metric_observe(struct metric *metric, size_t a, int64_t microseconds);

/* For counters that somebody else keeps: the total, not a step. */
void metric_total(struct metric *metric, size_t a, size_t b, uint64_t total);

/* The place of a word; of the last value (name it "other") when it is not there. */
size_t metric_value(const char *const *values, const char *word);

/* Adds one metric as text. */
void metric_write(struct metric *metric, struct buf *out);

#endif
