/* test_metrics.c: base/metrics.h. */
#include "base/metrics.h"

#include <pthread.h>
#include <string.h>

#include "unit/cmocka_all.h"

static const char *const colours[] = {"red", "green", "other", NULL};
static const char *const sizes[] = {"s", "l", NULL};

static struct metric plain = {
	.name = "t_plain_total", .help = "Counts.", .kind = METRIC_COUNTER};
static struct metric grid = {.name = "t_grid",
	.help = "Is set.",
	.kind = METRIC_GAUGE,
	.labels = {{"colour", colours}, {"size", sizes}}};
static struct metric took = {.name = "t_seconds",
	.help = "Is measured.",
	.kind = METRIC_HISTOGRAM,
	.labels = {{"size", sizes}}};
static struct metric spent = {
	.name = "t_spent_seconds_total", .help = "Is spent.", .kind = METRIC_SECONDS};

static struct buf out;

static void check_has(struct metric *metric, const char *expected)
{
	buf_reset(&out);
	metric_write(metric, &out);
	if (strstr(out.data, expected) == NULL)
		fail_msg("\"%s\" is not in:\n%s", expected, out.data);
}

static void a_counter_without_labels_has_one_series(void **state)
{
	(void)state;
	check_has(&plain, "# HELP t_plain_total Counts.\n# TYPE t_plain_total counter\n"
			  "t_plain_total 0\n");
	metric_add(&plain, 0, 0, 3);
	metric_add(&plain, 0, 0, 4);
	check_has(&plain, "\nt_plain_total 7\n");
	metric_total(&plain, 0, 0, UINT64_MAX);
	check_has(&plain, "\nt_plain_total 18446744073709551615\n");
}

static void every_value_of_every_label_is_a_series_from_the_start(void **state)
{
	(void)state;
	metric_set(&grid, 1, 1, 2.5);
	metric_set(&grid, 2, 0, -1);
	check_has(&grid, "# TYPE t_grid gauge\n"
			 "t_grid{colour=\"red\",size=\"s\"} 0\n"
			 "t_grid{colour=\"red\",size=\"l\"} 0\n"
			 "t_grid{colour=\"green\",size=\"s\"} 0\n"
			 "t_grid{colour=\"green\",size=\"l\"} 2.5\n"
			 "t_grid{colour=\"other\",size=\"s\"} -1\n"
			 "t_grid{colour=\"other\",size=\"l\"} 0\n");
}

static void buckets_add_up_and_their_bounds_belong_to_them(void **state)
{
	(void)state;
	metric_observe(&took, 1, 500);
	metric_observe(&took, 1, 501);
	metric_observe(&took, 1, 60000000);
	metric_observe(&took, 1, -5); /* a clock that went back */
	check_has(&took, "t_seconds_bucket{size=\"l\",le=\"0.0005\"} 2\n"
			 "t_seconds_bucket{size=\"l\",le=\"0.001\"} 3\n");
	check_has(&took, "t_seconds_bucket{size=\"l\",le=\"10\"} 3\n"
			 "t_seconds_bucket{size=\"l\",le=\"+Inf\"} 4\n"
			 "t_seconds_sum{size=\"l\"} 60.001001\n"
			 "t_seconds_count{size=\"l\"} 4\n");
	check_has(&took, "t_seconds_count{size=\"s\"} 0\n");
}

static void microseconds_are_shown_as_seconds(void **state)
{
	(void)state;
	metric_total(&spent, 0, 0, 1234567);
	check_has(&spent, "# TYPE t_spent_seconds_total counter\n"
			  "t_spent_seconds_total 1.234567\n");
}

static void a_word_that_nobody_knows_is_the_last(void **state)
{
	(void)state;
	assert_int_equal(metric_value(colours, "green"), 1);
	assert_int_equal(metric_value(colours, "blue"), 2);
	assert_int_equal(metric_value(colours, ""), 2);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 100000; i++) {
		metric_add(arg, 0, 0, 1);
		metric_observe(&took, 0, 1);
	}
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	pthread_t threads[4];

	(void)state;
	metric_total(&plain, 0, 0, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &plain), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	check_has(&plain, "\nt_plain_total 400000\n");
	check_has(&took, "t_seconds_count{size=\"s\"} 400000\n");
}

static int free_out(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_without_labels_has_one_series),
		cmocka_unit_test(every_value_of_every_label_is_a_series_from_the_start),
		cmocka_unit_test(buckets_add_up_and_their_bounds_belong_to_them),
		cmocka_unit_test(microseconds_are_shown_as_seconds),
		cmocka_unit_test(a_word_that_nobody_knows_is_the_last),
		cmocka_unit_test(threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, free_out);
}
