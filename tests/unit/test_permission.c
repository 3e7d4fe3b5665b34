/* test_permission.c: dialer/permission.h: every rule, in every mode. */
#include "dialer/permission.h"

#include <string.h>

#include "unit/cmocka_all.h"

#define NOW 1700000000000 /* 2023-11-14 22:13:20 UTC, a Tuesday */

static const struct zone utc = {.name = "UTC"};
static const struct zone *const zones[] = {&utc};
static const struct dial_facts good = {.number = "+14155552671",
	.attempts = 2,
	.run_at_ms = NOW,
	.zones = zones,
	.zone_count = 1,
	.cli_usable = true,
	.day_ends_ms = NOW + 5000000};
static const struct dial_rules active = {.campaign_active = true, .max_attempts = 3};

/* Whose matter it is, told by the rule's name: the campaign's, or the entry's. */
static bool is_whole(const char *rule)
{
	return strncmp(rule, "campaign.", 9) == 0 || strncmp(rule, "cli.", 4) == 0 ||
	       strncmp(rule, "limit.", 6) == 0 || strncmp(rule, "open.", 5) == 0;
}

static struct dial_verdict check(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, const char *rule)
{
	struct dial_verdict verdict = may_dial(facts, rules, mode, NOW);

	assert_string_equal(verdict.rule, rule);
	assert_int_equal(verdict.allowed, strcmp(rule, "allowed") == 0);
	assert_true(strlen(verdict.reason) > 8 && strlen(verdict.reason) < 128);
	assert_in_range(strlen(verdict.code), 2, 15);
	assert_int_equal(verdict.version, 5);
	assert_true(verdict.later || verdict.next_ms == 0);
	assert_int_equal(verdict.whole, is_whole(rule));
	return verdict;
}

/* Refused in both modes; what a person asks for is no exception. */
static struct dial_verdict always(
	const struct dial_facts *facts, const struct dial_rules *rules, const char *rule)
{
	(void)check(facts, rules, DIAL_AUTO, rule);
	return check(facts, rules, DIAL_MANUAL, rule);
}

static void nothing_broken_is_a_permission(void **state)
{
	(void)state;
	for (int mode = 0; mode < DIAL_MODES; mode++)
		(void)check(&good, &active, (enum dial_mode)mode, "allowed");
}

static void a_number_that_is_none_is_never_dialled(void **state)
{
	static const char *const bad[] = {
		"4155552671", NULL, "", "+1415555", "+999123456789"};
	struct dial_facts facts = good;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		facts.number = bad[i];
		assert_false(always(&facts, &active, "number.invalid").later);
	}
}

static void a_country_that_twilio_refuses_waits(void **state)
{
	struct dial_facts facts = good;
	struct dial_verdict verdict;

	(void)state;
	facts.country_stopped = true;
	verdict = always(&facts, &active, "twilio.country");
	assert_true(verdict.later);
	assert_false(verdict.whole);
	assert_string_equal(verdict.code, "twilio");
}

static void who_must_not_be_called_is_not_called(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.dnc = DIAL_DNC_ALL;
	assert_string_equal(always(&facts, &active, "dnc.installation").code, "dnc");
	facts.dnc = DIAL_DNC_CAMPAIGN;
	assert_false(always(&facts, &active, "dnc.campaign").later);
}

static void spent_attempts_end_the_entry_in_both_modes(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.attempts = 3;
	assert_false(always(&facts, &active, "attempts.spent").later);
}

static void attempts_of_a_day_wait_for_the_oldest_to_be_a_day_old(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.attempts_free_ms = NOW + 1;
	assert_true(always(&facts, &active, "attempts.24h").next_ms == NOW + 1);
	facts.attempts_free_ms = NOW;
	(void)check(&facts, &active, DIAL_AUTO, "allowed");
}

static void an_open_call_to_the_number_refuses_for_now(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.number_busy = true;
	assert_true(always(&facts, &active, "number.busy").later);
}

static void a_contact_that_somebody_holds_is_left_to_them(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.locked = true;
	assert_true(always(&facts, &active, "contact.locked").later);
}

static void a_campaign_that_does_not_run_dials_only_what_a_person_asks_for(void **state)
{
	struct dial_rules paused = active;

	(void)state;
	paused.campaign_active = false;
	assert_true(check(&good, &paused, DIAL_AUTO, "campaign.inactive").whole);
	(void)check(&good, &paused, DIAL_MANUAL, "allowed");
}

static void a_list_that_is_not_active_waits_for_somebody(void **state)
{
	struct dial_facts facts = good;
	struct dial_verdict verdict;

	(void)state;
	facts.list_inactive = true;
	verdict = check(&facts, &active, DIAL_AUTO, "list.inactive");
	assert_true(verdict.later && !verdict.whole);
	/* Not looked at again and again. */
	assert_true(verdict.next_ms > NOW + 600000);
	(void)check(&facts, &active, DIAL_MANUAL, "allowed");
}

static void a_caller_id_that_is_not_ours_is_not_shown(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.cli_usable = false;
	assert_true(always(&facts, &active, "cli.unusable").whole);
}

static void a_day_that_has_cost_enough_ends_the_dialling_until_the_next(void **state)
{
	struct dial_facts facts = good;
	struct dial_rules rules = active;

	(void)state;
	facts.calls_today = 100;
	facts.minutes_today = 50;
	facts.minutes_ever = 500;
	rules.calls_day = 101;
	rules.minutes_day = 51;
	rules.cost_per_minute = 0.02;
	rules.cost_day = 1.01;
	rules.cost = 10.01;
	(void)check(&facts, &rules, DIAL_AUTO, "allowed");
	rules.cost = 10;
	assert_true(always(&facts, &rules, "limit.cost").next_ms == 0);
	rules.cost_day = 1;
	assert_true(
		always(&facts, &rules, "limit.cost_day").next_ms == facts.day_ends_ms);
	rules.minutes_day = 50;
	assert_true(
		always(&facts, &rules, "limit.minutes_day").next_ms == facts.day_ends_ms);
	rules.calls_day = 100;
	assert_true(
		always(&facts, &rules, "limit.calls_day").next_ms == facts.day_ends_ms);
}

static void calls_under_way_may_use_the_rest_of_a_limit(void **state)
{
	static const struct {
		unsigned minutes_day;
		double cost_day, cost;
		const char *open, *used;
	} cases[] = {{52, 0, 0, "open.minutes_day", "limit.minutes_day"},
		{0, 1.04, 0, "open.cost_day", "limit.cost_day"},
		{0, 0, 10.04, "open.cost", "limit.cost"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dial_facts facts = good;
		struct dial_rules rules = active;
		struct dial_verdict verdict;

		facts.minutes_today = 50;
		facts.minutes_ever = 500;
		facts.minutes_open = 1;
		rules.minutes_day = cases[i].minutes_day;
		rules.cost_per_minute = 0.02;
		rules.cost_day = cases[i].cost_day;
		rules.cost = cases[i].cost;
		(void)check(&facts, &rules, DIAL_AUTO, "allowed");
		facts.minutes_open = 2;
		verdict = always(&facts, &rules, cases[i].open);
		/* It is not used yet, and nobody knows when they end. */
		assert_string_equal(verdict.code, "under_way");
		assert_true(verdict.whole && verdict.next_ms == 0);
		facts.minutes_today += 2;
		facts.minutes_ever += 2;
		assert_string_equal(always(&facts, &rules, cases[i].used).code, "limit");
	}
}

static void outside_the_hours_it_waits_for_them_to_begin(void **state)
{
	static const struct zone tokyo = {.name = "Asia/Tokyo", .first_s = 9 * 3600};
	static const struct zone *const both[] = {&utc, &tokyo};
	struct dial_verdict verdict;
	struct dial_facts facts = good;
	struct dial_rules rules = active;

	(void)state;
	assert_int_equal(
		hours_parse("tue 09:00-22:00; wed 09:00-22:00", &rules.hours), 0);
	assert_true(always(&facts, &rules, "hours.closed").next_ms == 1700038800000);
	assert_int_equal(hours_parse("tue 09:00-22:30", &rules.hours), 0);
	(void)check(&facts, &rules, DIAL_AUTO, "allowed");
	facts.zones = both; /* Wednesday morning in the other one */
	facts.zone_count = 2;
	(void)always(&facts, &rules, "hours.closed");
	/* It is never seven o'clock in both. */
	assert_int_equal(
		hours_parse("mon 07:00-08:00; tue 07:00-08:00", &rules.hours), 0);
	verdict = always(&facts, &rules, "hours.zone");
	assert_true(verdict.later && !verdict.whole && verdict.next_ms == 0);
	assert_string_equal(verdict.code, "time_zone");
	facts.zone_count = 1;
	assert_true(always(&facts, &rules, "hours.closed").next_ms > NOW);
	facts.zone_count = 0; /* nobody knows what time it is there */
	assert_true(always(&facts, &rules, "hours.zone").next_ms == 0);
	rules.hours.count = 0;
	(void)check(&facts, &rules, DIAL_AUTO, "allowed");
}

static void an_early_entry_waits_unless_a_person_asks_for_it(void **state)
{
	struct dial_facts facts = good;

	(void)state;
	facts.run_at_ms = NOW + 1;
	assert_true(check(&facts, &active, DIAL_AUTO, "entry.early").next_ms == NOW + 1);
	(void)check(&facts, &active, DIAL_MANUAL, "allowed");
}

static void what_time_does_not_mend_speaks_first(void **state)
{
	struct dial_facts facts = {.number = "x",
		.attempts = 9,
		.number_busy = true,
		.locked = true,
		.dnc = DIAL_DNC_ALL,
		.run_at_ms = NOW + 1};
	struct dial_rules rules = {.campaign_active = false, .max_attempts = 1};

	(void)state;
	(void)check(&facts, &rules, DIAL_AUTO, "number.invalid");
	facts.number = good.number;
	(void)check(&facts, &rules, DIAL_AUTO, "dnc.installation");
	facts.dnc = DIAL_DNC_NONE;
	(void)check(&facts, &rules, DIAL_AUTO, "attempts.spent");
	facts.attempts = 0;
	(void)check(&facts, &rules, DIAL_AUTO, "campaign.inactive");
	rules.campaign_active = true;
	(void)check(&facts, &rules, DIAL_AUTO, "cli.unusable");
	facts.cli_usable = true;
	(void)check(&facts, &rules, DIAL_AUTO, "number.busy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_broken_is_a_permission),
		cmocka_unit_test(a_number_that_is_none_is_never_dialled),
		cmocka_unit_test(a_country_that_twilio_refuses_waits),
		cmocka_unit_test(who_must_not_be_called_is_not_called),
		cmocka_unit_test(spent_attempts_end_the_entry_in_both_modes),
		cmocka_unit_test(attempts_of_a_day_wait_for_the_oldest_to_be_a_day_old),
		cmocka_unit_test(an_open_call_to_the_number_refuses_for_now),
		cmocka_unit_test(a_contact_that_somebody_holds_is_left_to_them),
		cmocka_unit_test(
			a_campaign_that_does_not_run_dials_only_what_a_person_asks_for),
		cmocka_unit_test(a_list_that_is_not_active_waits_for_somebody),
		cmocka_unit_test(a_caller_id_that_is_not_ours_is_not_shown),
		cmocka_unit_test(
			a_day_that_has_cost_enough_ends_the_dialling_until_the_next),
		cmocka_unit_test(calls_under_way_may_use_the_rest_of_a_limit),
		cmocka_unit_test(outside_the_hours_it_waits_for_them_to_begin),
		cmocka_unit_test(an_early_entry_waits_unless_a_person_asks_for_it),
		cmocka_unit_test(what_time_does_not_mend_speaks_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
