/* metrics.c: cells that threads add to, and their text. See metrics.h. */
#include "base/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Upper bounds in microseconds; above them all is +Inf. */
static const int64_t bounds[METRIC_BUCKETS - 1] = {500, 1000, 2500, 5000, 10000, 25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};

#define SUM METRIC_BUCKETS /* the cell behind a histogram's buckets: microseconds */
#define HISTOGRAM_CELLS (METRIC_BUCKETS + 1)

static size_t count_values(const struct metric *metric, int label)
{
	size_t count = 0;

	if (metric->labels[label].name == NULL)
		return 1;
	while (metric->labels[label].values[count] != NULL)
		count++;
	return count;
}

static atomic_ullong *cell(struct metric *metric, size_t a, size_t b, size_t within)
{
	size_t width = metric->kind == METRIC_HISTOGRAM ? HISTOGRAM_CELLS : 1;
	size_t seconds = count_values(metric, 1);
	size_t at = (a * seconds + b) * width + within;

	assert(a < count_values(metric, 0) && b < seconds && at < METRIC_CELLS);
	return &metric->cells[at];
}

void metric_add(struct metric *metric, size_t a, size_t b, uint64_t n)
{
	(void)atomic_fetch_add_explicit(cell(metric, a, b, 0), n, memory_order_relaxed);
}

void metric_total(struct metric *metric, size_t a, size_t b, uint64_t total)
{
	atomic_store_explicit(cell(metric, a, b, 0), total, memory_order_relaxed);
}

/* A gauge's cell holds the bits of a double. */
void metric_set(struct metric *metric, size_t a, size_t b, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	metric_total(metric, a, b, bits);
}

void metric_observe(struct metric *metric, size_t a, int64_t microseconds)
{
	size_t bucket = 0;

	if (microseconds < 0)
		microseconds = 0;
	while (bucket < METRIC_BUCKETS - 1 && microseconds > bounds[bucket])
		bucket++;
	(void)atomic_fetch_add_explicit(
		cell(metric, a, 0, bucket), 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(cell(metric, a, 0, SUM),
		(unsigned long long)microseconds, memory_order_relaxed);
}

size_t metric_value(const char *const *values, const char *word)
{
	size_t at = 0;

	while (values[at + 1] != NULL && strcmp(values[at], word) != 0)
		at++;
	return at;
}

static uint64_t read_cell(struct metric *metric, size_t a, size_t b, size_t within)
{
	return atomic_load_explicit(cell(metric, a, b, within), memory_order_relaxed);
}

/* Label values are ours, without quotes or backslashes. `le` NULL: none. */
static void write_labels(
	const struct metric *metric, size_t a, size_t b, const char *le, struct buf *out)
{
	const size_t at[METRIC_LABELS] = {a, b};
	char before = '{';

	for (int i = 0; i < METRIC_LABELS; i++) {
		if (metric->labels[i].name == NULL)
			continue;
		buf_printf(out, "%c%s=\"%s\"", before, metric->labels[i].name,
			metric->labels[i].values[at[i]]);
		before = ',';
	}
	if (le != NULL) {
		buf_printf(out, "%cle=\"%s\"", before, le);
		before = ',';
	}
	if (before == ',')
		buf_add_char(out, '}');
}

static void write_histogram(struct metric *metric, size_t a, struct buf *out)
{
	uint64_t count = 0;
	char le[24];

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		count += read_cell(metric, a, 0, i);
		if (i < METRIC_BUCKETS - 1)
			(void)snprintf(le, sizeof(le), "%g", (double)bounds[i] / 1e6);
		buf_printf(out, "%s_bucket", metric->name);
		write_labels(metric, a, 0, i < METRIC_BUCKETS - 1 ? le : "+Inf", out);
		buf_printf(out, " %llu\n", (unsigned long long)count);
	}
	buf_printf(out, "%s_sum", metric->name);
	write_labels(metric, a, 0, NULL, out);
	buf_printf(out, " %.6f\n%s_count", (double)read_cell(metric, a, 0, SUM) / 1e6,
		metric->name);
	write_labels(metric, a, 0, NULL, out);
	buf_printf(out, " %llu\n", (unsigned long long)count);
}

static void write_series(struct metric *metric, size_t a, size_t b, struct buf *out)
{
	uint64_t bits = read_cell(metric, a, b, 0);
	double value;

	buf_add_str(out, metric->name);
	write_labels(metric, a, b, NULL, out);
	if (metric->kind == METRIC_COUNTER) {
		buf_printf(out, " %llu\n", (unsigned long long)bits);
		return;
	}
	if (metric->kind == METRIC_SECONDS)
		value = (double)bits / 1e6;
	else
		memcpy(&value, &bits, sizeof(value));
	buf_printf(out, " %.15g\n", value);
}

void metric_write(struct metric *metric, struct buf *out)
{
	static const char *const kinds[] = {"counter", "counter", "gauge", "histogram"};

	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
		metric->name, kinds[metric->kind]);
	for (size_t a = 0; a < count_values(metric, 0); a++) {
		if (metric->kind == METRIC_HISTOGRAM) {
			write_histogram(metric, a, out);
			continue;
		}
		for (size_t b = 0; b < count_values(metric, 1); b++)
			write_series(metric, a, b, out);
	}
}
