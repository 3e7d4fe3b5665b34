/* test_pacing.c: dialer/pacing.h. */
#include "dialer/pacing.h"

#include "unit/cmocka_all.h"

static const struct pacing_rules seed = {
	.batch = 5, .call_gap_ms = 3000, .batch_gap_ms = 10000};

/* Dials as soon as pacing lets it and returns the time of that; `*now` moves on to it. */
static int64_t dial(
	struct pacing_state *state, const struct pacing_rules *rules, int64_t *now)
{
	int64_t wait = -1;

	if (pacing_next(state, 1, *now, &wait) == PACING_GAP)
		*now += wait;
	assert_int_equal(pacing_next(state, 1, *now, &wait), PACING_DIAL);
	assert_int_equal(wait, 0);
	pacing_dialled(state, rules, *now);
	return *now;
}

static void five_calls_three_seconds_apart_then_ten_seconds_of_rest(void **state)
{
	static const int64_t expected[] = {
		0, 3000, 6000, 9000, 12000, 22000, 25000, 28000, 31000, 34000, 44000};
	struct pacing_state pacing = {0};
	int64_t now = 1000000;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(dial(&pacing, &seed, &now), 1000000 + expected[i]);
}

static void nobody_ready_is_the_reason_before_any_gap(void **state)
{
	struct pacing_state pacing = {0};
	int64_t wait = -1;

	(void)state;
	assert_int_equal(pacing_next(&pacing, 0, 5, &wait), PACING_NO_AGENT);
	assert_int_equal(wait, 0);
	pacing_dialled(&pacing, &seed, 5);
	assert_int_equal(pacing_next(&pacing, 0, 6, &wait), PACING_NO_AGENT);
	assert_int_equal(pacing_next(&pacing, 3, 6, &wait), PACING_GAP);
	assert_int_equal(wait, 2999);
}

static void a_batch_that_was_held_up_long_enough_begins_anew(void **state)
{
	struct pacing_state pacing = {0};
	int64_t now = 1000000, fifth;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)dial(&pacing, &seed, &now);
	now += 60000; /* no agent for a minute */
	fifth = dial(&pacing, &seed, &now);
	assert_int_equal(dial(&pacing, &seed, &now), fifth + 3000);
	now += 12999; /* not quite a rest: 3000 of it are the gap */
	for (int i = 0; i < 3; i++)
		(void)dial(&pacing, &seed, &now);
	fifth = now;
	assert_int_equal(dial(&pacing, &seed, &now), fifth + 10000);
}

static void a_rest_is_never_shorter_than_the_gap(void **state)
{
	static const struct pacing_rules even = {.batch = 2, .call_gap_ms = 3000};
	struct pacing_state pacing = {0};
	int64_t now = 1000000;

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(dial(&pacing, &even, &now), 1000000 + 3000 * i);
}

static void without_gaps_it_dials_at_once(void **state)
{
	static const struct pacing_rules none = {.batch = 1};
	struct pacing_state pacing = {0};
	int64_t now = 7;

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(dial(&pacing, &none, &now), 7);
}

static void other_rules_hold_for_the_wait_that_has_begun(void **state)
{
	struct pacing_rules rules = {
		.batch = 2, .call_gap_ms = 3000, .batch_gap_ms = 3600000};
	struct pacing_state pacing = {0};
	int64_t now = 1000000, last, wait = -1;

	(void)state;
	pacing_changed(&pacing, &rules); /* nobody was dialled: nothing to wait for */
	assert_int_equal(pacing_next(&pacing, 1, now, &wait), PACING_DIAL);
	(void)dial(&pacing, &rules, &now);
	last = dial(&pacing, &rules, &now);
	rules.batch_gap_ms = 10000;
	pacing_changed(&pacing, &rules);
	assert_int_equal(pacing_next(&pacing, 1, now, &wait), PACING_GAP);
	assert_int_equal(wait, 10000);
	assert_int_equal(dial(&pacing, &rules, &now), last + 10000);
	/* The batch of which one was dialled is full by now. */
	rules.batch = 1;
	pacing_changed(&pacing, &rules);
	assert_int_equal(dial(&pacing, &rules, &now), last + 20000);
	rules.batch_gap_ms = rules.call_gap_ms = 0;
	pacing_changed(&pacing, &rules);
	assert_int_equal(dial(&pacing, &rules, &now), last + 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_calls_three_seconds_apart_then_ten_seconds_of_rest),
		cmocka_unit_test(nobody_ready_is_the_reason_before_any_gap),
		cmocka_unit_test(a_batch_that_was_held_up_long_enough_begins_anew),
		cmocka_unit_test(a_rest_is_never_shorter_than_the_gap),
		cmocka_unit_test(without_gaps_it_dials_at_once),
		cmocka_unit_test(other_rules_hold_for_the_wait_that_has_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
