/* test_gcra.c: base/gcra.h, with a clock of its own. */
#include "base/gcra.h"

#include <string.h>

#include "unit/cmocka_all.h"

#define NOW 1000000000

static const struct gcra_rule rule = {.every_us = 100000, .burst = 5};
static struct gcra *gcra;

static int setup(void **state)
{
	(void)state;
	return gcra_new(64, &gcra);
}

static int teardown(void **state)
{
	(void)state;
	gcra_free(&gcra);
	gcra_free(&gcra);
	return 0;
}

static uint64_t key_of(const char *name)
{
	return gcra_key(gcra, name, strlen(name));
}

static void a_burst_is_free_and_the_next_says_how_long_to_wait(void **state)
{
	uint64_t key = key_of("ana");

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(gcra_take(gcra, key, &rule, NOW), 0);
	assert_int_equal(gcra_take(gcra, key, &rule, NOW), 100000);
	/* Asking while waiting costs nothing. */
	assert_int_equal(gcra_take(gcra, key, &rule, NOW + 40000), 60000);
	assert_int_equal(gcra_take(gcra, key, &rule, NOW + 100000), 0);
	assert_int_equal(gcra_take(gcra, key, &rule, NOW + 100000), 100000);
}

static void the_sustained_rate_is_the_rule(void **state)
{
	uint64_t key = key_of("ana");
	int taken = 0;

	(void)state;
	for (int ms = 0; ms < 10000; ms++)
		taken += gcra_take(gcra, key, &rule, NOW + ms * 1000) == 0;
	assert_in_range(taken, 103, 105); /* the burst, and ten a second */
}

static void after_a_rest_the_burst_is_free_again_and_no_more(void **state)
{
	uint64_t key = key_of("ana");

	(void)state;
	for (int round = 0; round < 3; round++) {
		int64_t now = NOW + round * 3600 * INT64_C(1000000);

		for (int i = 0; i < 5; i++)
			assert_int_equal(gcra_take(gcra, key, &rule, now), 0);
		assert_true(gcra_take(gcra, key, &rule, now) > 0);
	}
}

static void one_key_does_not_wait_for_another(void **state)
{
	(void)state;
	while (gcra_take(gcra, key_of("ana"), &rule, NOW) == 0)
		;
	assert_int_equal(gcra_take(gcra, key_of("bo"), &rule, NOW), 0);
	assert_int_not_equal(key_of("ana"), key_of("bo"));
	assert_int_equal(key_of("ana"), key_of("ana"));
}

static void a_flood_of_keys_loosens_limits_and_never_tightens_them(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		assert_int_equal(
			gcra_take(gcra, gcra_key(gcra, &i, sizeof(i)), &rule, NOW), 0);
}

static void who_has_waited_longest_is_forgotten_last(void **state)
{
	const struct gcra_rule slow = {.every_us = 6000000, .burst = 10};
	uint64_t key = key_of("login");

	(void)state;
	while (gcra_take(gcra, key, &slow, NOW) == 0)
		;
	for (uint64_t i = 0; i < 100000; i++)
		(void)gcra_take(gcra, gcra_key(gcra, &i, sizeof(i)), &rule, NOW);
	assert_true(gcra_take(gcra, key, &slow, NOW) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_burst_is_free_and_the_next_says_how_long_to_wait, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_sustained_rate_is_the_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(
			after_a_rest_the_burst_is_free_again_and_no_more, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			one_key_does_not_wait_for_another, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_flood_of_keys_loosens_limits_and_never_tightens_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			who_has_waited_longest_is_forgotten_last, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
