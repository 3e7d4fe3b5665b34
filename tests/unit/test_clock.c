/* test_clock.c: base/clock.h. */
#include "base/clock.h"

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
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
		cmocka_unit_test(the_wall_clock_is_the_system_time_in_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
