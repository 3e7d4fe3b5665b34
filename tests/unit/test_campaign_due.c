/*
 * test_campaign_due.c: gateway/campaign_claim.c: what is due, and what a campaign says while nothing
 * is, with the doubles of test_campaign_runner.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "db/calls.h"
#include "gateway/campaign.h"
#include "gateway/reason.h"
#include "unit/runner_rig.h"

static void an_empty_queue_says_whether_anybody_waits(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_settle();
	assert_string_equal(runner_code_of(1), "exhausted");
	runner_will_say((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .next_ms = clock_wall_ms() + 3600000});
	runner_pass(IDLE_MS);
	assert_string_equal(runner_code_of(1), "waiting");
	/* What came due meanwhile is claimed soon. */
	runner_will_say((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .next_ms = clock_wall_ms()});
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_pass(IDLE_MS + 100);
	assert_int_equal(rig.placed, 1);
}

static void that_others_have_all_that_is_due_is_said(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .locked = true, .next_ms = clock_wall_ms()});
	runner_settle();
	assert_string_equal(runner_code_of(1), "locked");
	assert_string_equal(rig.last_told[1],
		"Somebody else is working on the contacts that are due.");
	/* Perhaps for long: a list of a million is not read again and again. */
	runner_pass(IDLE_MS - 100);
	assert_int_equal(rig.claims, 1);
	runner_pass(100);
	assert_int_equal(rig.claims, 2);
}

static void lists_are_looked_through_once_a_minute_unless_there_was_more(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_settle();
	runner_pass(10 * IDLE_MS);
	assert_true(rig.claims == 11 && rig.generated == 1);
	rig.script_at = rig.script_count; /* nobody is there */
	runner_pass(GENERATE_MS - 10 * IDLE_MS);
	assert_int_equal(rig.generated, 1);
	/* What the lists had is dialled soon, and they are looked through again after it. */
	rig.made = 5;
	rig.script_count = rig.script_at = 0;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_pass(IDLE_MS + 100);
	assert_int_equal(rig.placed, 1);
	assert_int_equal(rig.generated, 3);
}

static void contacts_that_are_put_off_are_said_to_be(void **state)
{
	(void)state;
	rig.first_says = (struct db_claimed){.result = DB_CLAIM_REFUSED, .code = "hours"};
	runner_settle();
	assert_string_equal(runner_code_of(1), "sifting");
	assert_string_equal(rig.last_told[1], reason_text("sifting"));
}

static int64_t noted_until(void)
{
	runner_pass(LOOK_MS); /* after the look it is written */
	return rig.rows[0].run_next_ms;
}

static void until_when_it_waits_is_said_if_it_is_known(void **state)
{
	struct db_claimed full = {.result = DB_CLAIM_REFUSED,
		.whole = true,
		.next_ms = clock_wall_ms() + 3600000,
		.code = "limit",
		.reason = "The day is full."};
	int64_t until;

	(void)state;
	rig.first_says = full;
	runner_settle();
	assert_true(noted_until() == full.next_ms);
	/* The same moment need not be told again. */
	rig.first_says.next_ms += 5;
	runner_pass(WHOLE_MS);
	assert_true(noted_until() == full.next_ms && rig.told == 1);
	rig.first_says.next_ms += 60000;
	runner_pass(WHOLE_MS);
	assert_true(noted_until() == full.next_ms + 60005 && rig.told == 2);
	/* A gap ends by the wall as well. */
	rig.rows[0].call_gap_ms = 600000;
	rig.first_says = (struct db_claimed){.result = DB_CLAIM_CALL};
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_pass(WHOLE_MS);
	assert_string_equal(runner_code_of(1), "gap");
	until = noted_until() - clock_wall_ms();
	assert_in_range(until, 1, 600000);
	rig.ready = 0;
	runner_pass(IDLE_MS);
	assert_int_equal(noted_until(), 0);
}

/* Stopped and started between two looks: in the row it begins anew. */
static void who_is_started_again_says_again_what_goes_on(void **state)
{
	(void)state;
	rig.ready = 0;
	runner_settle();
	runner_pass(LOOK_MS);
	assert_string_equal(rig.rows[0].run_code, "no_agent");
	assert_int_equal(rig.told, 1);
	rig.rows[0].run_code[0] = '\0';
	campaign_changed(&rig.gw, 1);
	runner_settle();
	runner_pass(LOOK_MS);
	assert_string_equal(rig.rows[0].run_code, "no_agent");
	assert_int_equal(rig.told, 2);
}

static void the_same_reason_is_told_once(void **state)
{
	(void)state;
	rig.ready = 0;
	runner_settle();
	runner_pass(5 * IDLE_MS);
	assert_int_equal(rig.told, 1);
}

int main(void)
{
#define RUNNER_TEST(name) \
	cmocka_unit_test_setup_teardown(name, runner_set_up, runner_tear_down)
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(an_empty_queue_says_whether_anybody_waits),
		RUNNER_TEST(that_others_have_all_that_is_due_is_said),
		RUNNER_TEST(lists_are_looked_through_once_a_minute_unless_there_was_more),
		RUNNER_TEST(contacts_that_are_put_off_are_said_to_be),
		RUNNER_TEST(until_when_it_waits_is_said_if_it_is_known),
		RUNNER_TEST(who_is_started_again_says_again_what_goes_on),
		RUNNER_TEST(the_same_reason_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
