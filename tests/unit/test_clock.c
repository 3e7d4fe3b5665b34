/* test_clock.c: base/clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

#include "unit/cmocka_all.h"

static void a_time_is_printed_in_utc_with_milliseconds(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_text(0, buf), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_text(1767323045678, buf), "2026-01-02T03:04:05.678Z");
	assert_string_equal(clock_text(1709164800007, buf), "2024-02-29T00:00:00.007Z");
}

static void a_time_before_1970_is_printed_as_well(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_text(-1, buf), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_text(-1000, buf), "1969-12-31T23:59:59.000Z");
}

static void what_is_printed_is_read_back(void **state)
{
	const int64_t times[] = {0, 1, 1767323045678, 1709164800007, 253402300799999};
	char buf[CLOCK_TEXT_SIZE];
	int64_t ms = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(clock_parse(clock_text(times[i], buf), &ms), 0);
		assert_int_equal(ms, times[i]);
	}
}

static void a_time_is_read_with_its_zone(void **state)
{
	int64_t ms = -1;

	(void)state;
	assert_int_equal(clock_parse("2026-01-02T05:04:05+02:00", &ms), 0);
	assert_int_equal(ms, 1767323045000);
	assert_int_equal(clock_parse("2026-01-01t21:34:05.6789-05:30", &ms), 0);
	assert_int_equal(ms, 1767323045678);
	assert_int_equal(clock_parse("2026-01-02T03:04:05.6z", &ms), 0);
	assert_int_equal(ms, 1767323045600);
}

static void what_is_no_time_is_refused(void **state)
{
	const char *const wrong[] = {"", "2026", "2026-01-02", "2026-01-02T03:04:05",
		"2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
		"1969-12-31T23:59:59Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05+2:00",
		"2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+02:000",
		"+026-01-02T03:04:05Z", "2026-01-02T03:04:05+02-00"};
	int64_t ms = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(clock_parse(wrong[i], &ms), -EINVAL);
	assert_int_equal(ms, -1);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
	int64_t before = clock_mono_ms(), now;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		now = clock_mono_ms();
		assert_true(now >= before);
		before = now;
	}
}

static void the_wall_clock_is_the_system_time_in_milliseconds(void **state)
{
	int64_t before = (int64_t)time(NULL), now = clock_wall_ms();

	(void)state;
	/* time() may read a coarser clock that is a tick behind. */
	assert_in_range(now / 1000, before, before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_printed_in_utc_with_milliseconds),
		cmocka_unit_test(a_time_before_1970_is_printed_as_well),
		cmocka_unit_test(what_is_printed_is_read_back),
		cmocka_unit_test(a_time_is_read_with_its_zone),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
		cmocka_unit_test(the_wall_clock_is_the_system_time_in_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
