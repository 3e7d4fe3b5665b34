/* test_permission.c: dialer/permission.h. */
#include "dialer/permission.h"

#include <string.h>

#include "unit/cmocka_all.h"

#define NOW 1000000

static const struct dial_facts good = {.number = "+14155552671", .run_at_ms = NOW};
static const struct dial_rules active = {.campaign_active = true, .max_attempts = 3};

static struct dial_verdict check(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, const char *expected)
{
	struct dial_verdict verdict = may_dial(facts, rules, mode, NOW);

	assert_string_equal(verdict.rule, expected);
	assert_int_equal(verdict.allowed, strcmp(expected, "allowed") == 0);
	assert_true(strlen(verdict.rule) < 32); /* stored in that much */
	assert_true(strlen(verdict.reason) > 8);
	assert_int_equal(verdict.version, 1);
	return verdict;
}

static void nothing_broken_is_a_permission(void **state)
{
	(void)state;
	for (int mode = 0; mode < DIAL_MODES; mode++)
		assert_false(
			check(&good, &active, (enum dial_mode)mode, "allowed").later);
}

static void a_number_that_is_none_is_never_dialled(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.number = "4155552671";
	assert_false(check(&facts, &active, DIAL_AUTO, "number.invalid").later);
	facts.number = NULL;
	assert_false(check(&facts, &active, DIAL_MANUAL, "number.invalid").later);
}

static void spent_attempts_end_the_entry_in_both_modes(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.attempts = 2;
	(void)check(&facts, &active, DIAL_AUTO, "allowed");
	facts.attempts = 3;
	assert_false(check(&facts, &active, DIAL_AUTO, "attempts.spent").later);
	assert_false(check(&facts, &active, DIAL_MANUAL, "attempts.spent").later);
}

static void an_open_call_to_the_number_refuses_for_now_in_both_modes(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.number_busy = true;
	assert_true(check(&facts, &active, DIAL_AUTO, "number.busy").later);
	assert_true(check(&facts, &active, DIAL_MANUAL, "number.busy").later);
}

static void a_contact_that_somebody_holds_is_left_to_them(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.locked = true;
	assert_true(check(&facts, &active, DIAL_AUTO, "contact.locked").later);
	assert_true(check(&facts, &active, DIAL_MANUAL, "contact.locked").later);
}

static void a_campaign_that_does_not_run_dials_only_what_a_person_asks_for(void **state)
{
	struct dial_rules paused = active;

	(void)state;
	paused.campaign_active = false;
	assert_true(check(&good, &paused, DIAL_AUTO, "campaign.inactive").later);
	(void)check(&good, &paused, DIAL_MANUAL, "allowed");
}

static void an_early_entry_waits_unless_a_person_asks_for_it(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.run_at_ms = NOW + 1;
	assert_true(check(&facts, &active, DIAL_AUTO, "entry.early").later);
	(void)check(&facts, &active, DIAL_MANUAL, "allowed");
}

static void what_time_does_not_mend_speaks_first(void **state)
{
	struct dial_facts facts = {.number = "x",
		.attempts = 9,
		.number_busy = true,
		.locked = true,
		.run_at_ms = NOW + 1};
	struct dial_rules rules = {.campaign_active = false, .max_attempts = 1};

	(void)state;
	(void)check(&facts, &rules, DIAL_AUTO, "number.invalid");
	facts.number = good.number;
	(void)check(&facts, &rules, DIAL_AUTO, "attempts.spent");
	facts.attempts = 0;
	(void)check(&facts, &rules, DIAL_AUTO, "campaign.inactive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_broken_is_a_permission),
		cmocka_unit_test(a_number_that_is_none_is_never_dialled),
		cmocka_unit_test(spent_attempts_end_the_entry_in_both_modes),
		cmocka_unit_test(
			an_open_call_to_the_number_refuses_for_now_in_both_modes),
		cmocka_unit_test(a_contact_that_somebody_holds_is_left_to_them),
		cmocka_unit_test(
			a_campaign_that_does_not_run_dials_only_what_a_person_asks_for),
		cmocka_unit_test(an_early_entry_waits_unless_a_person_asks_for_it),
		cmocka_unit_test(what_time_does_not_mend_speaks_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
