/* test_retry.c: dialer/retry.h. */
#include "dialer/retry.h"

#include "unit/cmocka_all.h"

static void every_outcome_that_reached_nobody_has_a_rule(void **state)
{
	static const char *const outcomes[] = {"busy", "no_answer", "failed", "machine",
		"canceled", "abandoned", "unknown"};

	(void)state;
	for (int i = 0; i < RETRY_KINDS; i++) {
		/* Stored campaigns are read by these places. */
		assert_int_equal(retry_place(outcomes[i]), i);
		assert_string_equal(retry_rules[i].outcome, outcomes[i]);
		assert_in_range(retry_rules[i].after_s, 1, RETRY_AFTER_MAX_S);
		assert_in_range(retry_rules[i].max, 1, RETRY_MAX);
	}
}

static void a_person_and_a_fax_are_not_called_again(void **state)
{
	(void)state;
	assert_int_equal(retry_place("completed"), -1);
	assert_int_equal(retry_place("fax"), -1);
	assert_int_equal(retry_place(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_that_reached_nobody_has_a_rule),
		cmocka_unit_test(a_person_and_a_fax_are_not_called_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
