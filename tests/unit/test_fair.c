/* test_fair.c: dialer/fair.h. */
#include "dialer/fair.h"

#include "unit/cmocka_all.h"

/* Turns of members that all want one at any time; `counts` of each. */
static void serve(
	struct fair *fair, struct fair_member *m, size_t count, int turns, int *counts)
{
	for (int turn = 0; turn < turns; turn++) {
		size_t best = 0;

		for (size_t i = 1; i < count; i++)
			if (fair_before(fair, &m[i], &m[best]))
				best = i;
		fair_served(fair, &m[best]);
		counts[best]++;
	}
}

static void equals_share_by_their_weights(void **state)
{
	struct fair_member m[] = {{5, 10, 0}, {5, 30, 0}, {5, 60, 0}};
	struct fair fair = {{0}};
	int counts[3] = {0};

	(void)state;
	serve(&fair, m, 3, 1000, counts);
	assert_in_range(counts[0], 99, 101);
	assert_in_range(counts[1], 299, 301);
	assert_in_range(counts[2], 598, 602);
}

static void a_higher_priority_takes_all_that_it_wants(void **state)
{
	struct fair_member m[] = {{5, 100, 0}, {1, 1, 0}};
	struct fair fair = {{0}};
	int counts[2] = {0};

	(void)state;
	serve(&fair, m, 2, 50, counts);
	assert_int_equal(counts[1], 50);
	serve(&fair, m, 1, 50, counts); /* it has nothing to do any more */
	assert_int_equal(counts[0], 50);
}

static void who_was_away_gets_no_turns_for_that_time(void **state)
{
	struct fair_member m[] = {{5, 10, 0}, {5, 10, 0}};
	struct fair fair = {{0}};
	int counts[2] = {0};

	(void)state;
	serve(&fair, m, 1, 1000, counts);
	counts[0] = 0;
	serve(&fair, m, 2, 100, counts);
	assert_in_range(counts[0], 49, 51);
	assert_in_range(counts[1], 49, 51);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_share_by_their_weights),
		cmocka_unit_test(a_higher_priority_takes_all_that_it_wants),
		cmocka_unit_test(who_was_away_gets_no_turns_for_that_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
