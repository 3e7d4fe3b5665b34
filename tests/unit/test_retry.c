/* test_retry.c: dialer/retry.h. */
#include "dialer/retry.h"

#include "unit/cmocka_all.h"

static const struct retry_rules three = {.max_attempts = 3, .delay_s = 600};

static void a_call_that_reached_nobody_is_tried_again_after_the_delay(void **state)
{
	static const char *const outcomes[] = {"busy", "no_answer", "failed", "canceled",
		"abandoned", "unknown", "a word of next year"};

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		struct retry_verdict verdict = retry_after(&three, outcomes[i], 1);

		assert_true(verdict.again);
		assert_int_equal(verdict.delay_s, 600);
	}
}

static void a_person_a_machine_and_a_fax_are_not_called_again(void **state)
{
	static const char *const outcomes[] = {"completed", "machine", "fax"};

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		struct retry_verdict verdict = retry_after(&three, outcomes[i], 1);

		assert_false(verdict.again);
		assert_int_equal(verdict.delay_s, 0);
	}
}

static void the_last_attempt_is_the_last(void **state)
{
	(void)state;
	assert_true(retry_after(&three, "busy", 2).again);
	assert_false(retry_after(&three, "busy", 3).again);
	assert_false(retry_after(&three, "busy", 4).again);
	assert_int_equal(retry_after(&three, "busy", 3).delay_s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_call_that_reached_nobody_is_tried_again_after_the_delay),
		cmocka_unit_test(a_person_a_machine_and_a_fax_are_not_called_again),
		cmocka_unit_test(the_last_attempt_is_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
