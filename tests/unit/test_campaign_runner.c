/*
 * test_campaign_runner.c: gateway/campaign.c and campaign_claim.c: whose turn it is, what holds a
 * campaign up and for how long, with a database, agents and a clock that do as they are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/calls.h"
#include "gateway/campaign.h"
#include "gateway/campaign_run.h"
#include "gateway/reason.h"
#include "unit/runner_rig.h"

/* ---- which of them run here ---- */

static void what_is_leased_runs_and_what_is_not_any_more_stops(void **state)
{
	(void)state;
	rig.row_count = 2;
	runner_settle();
	assert_string_equal(runner_code_of(1), "no_agent");
	assert_string_equal(runner_code_of(2), "no_agent");
	assert_int_equal(rig.recovers, 1);
	/* One look may fail. */
	assert_in_range(rig.leased_ms, 2 * LOOK_MS, 30000);
	rig.rows[0] = rig.rows[1];
	rig.row_count = 1;
	runner_pass(LOOK_MS - 100);
	assert_int_equal(rig.leases, 1);
	runner_pass(100);
	assert_int_equal(rig.leases, 2);
	assert_int_equal(rig.recovers, 2);
	assert_string_equal(runner_code_of(1), "not here");
	assert_string_equal(rig.last_told[1], reason_text("stopped"));
	assert_string_equal(runner_code_of(2), "no_agent");
}

static void a_node_that_is_drained_leases_nothing(void **state)
{
	(void)state;
	runner_settle();
	rig.drained = true;
	runner_pass(LOOK_MS);
	assert_int_equal(rig.leases, 1);
	assert_string_equal(runner_code_of(1), "not here");
	assert_string_equal(rig.last_told[1], reason_text("drain"));
}

static void without_the_database_nothing_is_claimed_and_all_stay(void **state)
{
	unsigned before;

	(void)state;
	runner_settle();
	rig.lease_err = -EIO;
	runner_pass(LOOK_MS);
	before = rig.claims;
	runner_pass(2 * LOOK_MS);
	assert_int_equal(rig.claims, before);
	assert_string_equal(runner_code_of(1), "database");
	rig.lease_err = 0;
	runner_pass(LOOK_MS + IDLE_MS);
	assert_true(rig.claims > before);
	assert_string_equal(runner_code_of(1), "no_agent");
}

static void a_change_while_leases_are_asked_for_is_asked_for_again(void **state)
{
	(void)state;
	rig.gated = true;
	timers_advance(rig.gw.timers, rig.now);
	runner_wait_gated();
	campaign_changed(&rig.gw, 1);
	(void)post_queue_run(rig.gw.queue, 64);
	assert_int_equal(rig.leases, 1);
	runner_open_gate();
	runner_settle();
	assert_int_equal(rig.leases, 2);
}

/* ---- whose turn it is ---- */

static void priority_goes_first_and_weight_shares(void **state)
{
	(void)state;
	rig.row_count = 3;
	rig.rows[0].priority = 7;
	rig.rows[2].weight = 3;
	for (int i = 0; i < 8; i++)
		runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_settle();
	assert_int_equal(rig.placed, 8);
	rig.claims = 8;
	assert_int_equal(runner_claims_for(1), 0);
	assert_int_equal(runner_claims_for(2), 2);
	assert_int_equal(runner_claims_for(3), 6);
}

static void one_claim_is_under_way_at_a_time(void **state)
{
	(void)state;
	rig.row_count = 2;
	runner_settle();
	rig.claims = 0;
	rig.now += IDLE_MS;
	rig.gated = true;
	timers_advance(rig.gw.timers, rig.now);
	runner_wait_gated();
	campaign_wake(&rig.gw, 2);
	(void)post_queue_run(rig.gw.queue, 64);
	assert_int_equal(jobs_waiting(rig.gw.db), 0);
	assert_int_equal(rig.claims, 1);
	runner_open_gate();
	runner_settle();
}

static void between_two_calls_the_gap_passes(void **state)
{
	(void)state;
	rig.rows[0].call_gap_ms = 500;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_settle();
	assert_int_equal(rig.placed, 1);
	assert_string_equal(runner_code_of(1), "gap");
	runner_pass(400);
	assert_int_equal(rig.claims, 1);
	runner_pass(100);
	assert_int_equal(rig.claims, 2);
}

static void a_gap_that_is_shortened_ends_when_it_says_now(void **state)
{
	(void)state;
	rig.rows[0].batch_size = 1;
	rig.rows[0].batch_gap_ms = 3600000;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_settle();
	runner_pass(10 * IDLE_MS);
	assert_int_equal(rig.claims, 1);
	rig.rows[0].batch_gap_ms = 15 * IDLE_MS;
	campaign_changed(&rig.gw, 1);
	runner_settle();
	runner_pass(5 * IDLE_MS - 100);
	assert_int_equal(rig.claims, 1);
	assert_string_equal(runner_code_of(1), "gap");
	runner_pass(100);
	assert_int_equal(rig.claims, 2);
}

static void in_a_gap_it_looks_whether_agents_are_there(void **state)
{
	(void)state;
	rig.rows[0].call_gap_ms = 600000;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_settle();
	assert_string_equal(runner_code_of(1), "gap");
	rig.ready = 0;
	runner_pass(IDLE_MS);
	assert_string_equal(runner_code_of(1), "no_agent");
	rig.ready = 9;
	runner_pass(IDLE_MS);
	assert_string_equal(runner_code_of(1), "gap");
	assert_int_equal(rig.claims, 1);
}

static void without_a_ready_agent_nothing_is_claimed(void **state)
{
	(void)state;
	rig.ready = 0;
	runner_settle();
	assert_int_equal(rig.claims, 0);
	assert_string_equal(runner_code_of(1), "no_agent");
}

static void an_agent_that_comes_free_wakes_all_that_wait_for_one(void **state)
{
	(void)state;
	rig.row_count = 3;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_settle();
	assert_int_equal(rig.claims, 3);
	assert_string_equal(runner_code_of(rig.claimed_for[0]), "exhausted");
	runner_pass(100);
	campaign_wake(&rig.gw, rig.claimed_for[1]);
	runner_settle();
	assert_int_equal(rig.claims, 5);
	assert_int_equal(runner_claims_for(rig.claimed_for[0]), 1);
	assert_int_equal(runner_claims_for(rig.claimed_for[1]), 2);
	assert_int_equal(runner_claims_for(rig.claimed_for[2]), 2);
}

static void who_changed_a_campaign_need_not_wait_for_it(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	runner_settle();
	assert_true(rig.claims == 1 && rig.generated == 1);
	campaign_changed(&rig.gw, 1);
	runner_settle();
	assert_true(rig.claims == 2 && rig.generated == 2);
	assert_int_equal(rig.leases, 2);
}

/* Its queue is empty, and a claim that looks through its lists is under way. */
static void runner_looks_through_lists(void)
{
	rig.first_says = (struct db_claimed){.result = DB_CLAIM_NO_ENTRY};
	rig.ready = 0;
	runner_settle();
	rig.ready = 9;
	campaign_wake(&rig.gw, 1);
	rig.gated = true;
	(void)post_queue_run(rig.gw.queue, 64);
	runner_wait_gated();
}

static void what_changes_while_its_lists_are_looked_through_is_not_missed(void **state)
{
	(void)state;
	runner_looks_through_lists();
	campaign_changed(&rig.gw, 1);
	(void)post_queue_run(rig.gw.queue, 64);
	runner_open_gate();
	runner_settle();
	runner_pass(IDLE_MS);
	assert_int_equal(rig.generated, 2);
}

/* Else each new contact of a long list would keep the node from dialling as long as that takes. */
static void lists_that_take_long_to_look_through_are_let_rest(void **state)
{
	(void)state;
	runner_looks_through_lists();
	rig.now += 500;
	timers_advance(rig.gw.timers, rig.now);
	runner_open_gate();
	runner_settle();
	assert_int_equal(rig.generated, 1);
	campaign_changed(&rig.gw, 1);
	runner_settle();
	runner_pass(10 * 500 - 1);
	assert_int_equal(rig.generated, 1);
	runner_pass(IDLE_MS);
	assert_int_equal(rig.generated, 2);
}

/* ---- what holds it up ---- */

static void calls_per_second_that_are_used_up_hold_all_of_them(void **state)
{
	(void)state;
	rig.row_count = 2;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_RATE, .wait_ms = 700});
	runner_settle();
	assert_int_equal(rig.claims, 1);
	assert_string_equal(runner_code_of(rig.claimed_for[0]), "rate");
	runner_pass(600);
	assert_int_equal(rig.claims, 1);
	runner_pass(100);
	assert_true(runner_claims_for(1) > 0 && runner_claims_for(2) > 0);
}

static void who_could_dial_waits_for_the_rate_and_no_longer_for_an_agent(void **state)
{
	(void)state;
	rig.row_count = 3;
	rig.rows[0].priority = 1;
	rig.ready = 0;
	runner_settle();
	assert_string_equal(runner_code_of(2), "no_agent");
	rig.ready = 9;
	rig.first_says = (struct db_claimed){.result = DB_CLAIM_RATE, .wait_ms = 700};
	campaign_wake(&rig.gw, 2);
	runner_settle();
	assert_int_equal(rig.claims, runner_claims_for(1));
	for (int64_t i = 1; i <= 3; i++)
		assert_string_equal(runner_code_of(i), "rate");
	/* What changes meanwhile is seen meanwhile. */
	rig.ready = 0;
	campaign_wake(&rig.gw, 2);
	runner_settle();
	for (int64_t i = 1; i <= 3; i++)
		assert_string_equal(runner_code_of(i), "no_agent");
}

/* The first always has somebody to dial and an agent, and the calls per second suffice for it. */
static void who_is_passed_over_for_a_second_waits_for_the_rate(void **state)
{
	(void)state;
	rig.row_count = 2;
	rig.rows[0].priority = 1;
	rig.ready = 0;
	runner_settle();
	rig.ready = 9;
	rig.gated = true;
	campaign_wake(&rig.gw, 2);
	(void)post_queue_run(rig.gw.queue, 64);
	for (int i = 0; i < CLAIMS_MAX; i++)
		runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_wait_gated();
	assert_string_equal(runner_code_of(2), "no_agent");
	rig.now += IDLE_MS;
	timers_advance(rig.gw.timers, rig.now);
	runner_pass_gate();
	assert_int_equal(runner_claims_for(2), 0);
	assert_string_equal(runner_code_of(2), "rate");
	rig.ready = 0;
	runner_open_gate();
	runner_settle();
	assert_string_equal(runner_code_of(2), "no_agent");
}

static void a_claim_without_an_answer_is_tried_again_in_a_second(void **state)
{
	(void)state;
	rig.claim_err = -EIO;
	runner_settle();
	assert_int_equal(rig.claims, 1);
	assert_string_equal(runner_code_of(1), "database");
	runner_pass(IDLE_MS - 100);
	assert_int_equal(rig.claims, 1);
	runner_pass(100);
	assert_int_equal(rig.claims, 2);
}

static void what_twilio_forbids_is_said_in_its_words(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){
		.result = DB_CLAIM_HELD, .reason = "The balance is used up."});
	runner_settle();
	assert_int_equal(rig.claims, 1);
	assert_string_equal(runner_code_of(1), "twilio");
	assert_string_equal(rig.last_told[1], "The balance is used up.");
}

static void a_refused_contact_makes_place_for_the_next(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_REFUSED, .code = "hours"});
	runner_settle();
	assert_true(rig.claims == 1 && rig.postponed == 1);
	runner_pass(100);
	assert_int_equal(rig.claims, 2);
	assert_string_equal(runner_code_of(1), "no_agent");
}

/* How often the others are asked while the first, which goes before them, gets nowhere. */
static void others_get_their_turn_though_the_first_says(struct db_claimed says)
{
	rig.row_count = 3;
	rig.rows[0].priority = 1;
	rig.first_says = says;
	for (int i = 0; i < 4; i++)
		runner_will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	runner_settle();
	assert_int_equal(rig.placed, 4);
	assert_int_equal(runner_claims_for(1), 1);
	assert_true(runner_claims_for(2) >= 2 && runner_claims_for(3) >= 2);
	runner_pass(100);
	assert_int_equal(runner_claims_for(1), 2);
}

static void a_campaign_whose_contacts_are_refused_does_not_hold_up_others(void **state)
{
	(void)state;
	others_get_their_turn_though_the_first_says(
		(struct db_claimed){.result = DB_CLAIM_REFUSED, .code = "hours"});
}

static void a_campaign_whose_contacts_are_due_by_now_does_not_hold_up_others(void **state)
{
	(void)state;
	others_get_their_turn_though_the_first_says((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .next_ms = clock_wall_ms()});
}

/* How long it waits after a limit that ends in `ms`; in tenths of a second. */
static int64_t wait_at_limit(int64_t ms)
{
	struct run *run = run_find(rig.gw.campaigns, 1);

	rig.script_count = rig.script_at = 0;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_REFUSED,
		.whole = true,
		.next_ms = ms == 0 ? 0 : clock_wall_ms() + ms,
		.code = "limit",
		.reason = "The day is full."});
	run->wait_until_ms = 0;
	campaigns_turn(rig.gw.campaigns);
	runner_settle();
	assert_string_equal(run->code, "limit");
	assert_string_equal(run->reason, "The day is full.");
	return (run->wait_until_ms - rig.now + 99) / 100;
}

static void at_a_limit_it_looks_again_when_that_ends_or_was_perhaps_raised(void **state)
{
	(void)state;
	runner_settle();
	assert_int_equal(wait_at_limit(0), WHOLE_MS / 100);
	assert_int_equal(wait_at_limit(3600000), WHOLE_MS / 100);
	assert_in_range(wait_at_limit(5000), 30, 50);
	assert_int_equal(wait_at_limit(-5000), IDLE_MS / 100);
	assert_int_equal(rig.postponed, 0);
}

static void what_a_call_leaves_of_a_limit_is_used_at_once(void **state)
{
	(void)state;
	runner_will_say((struct db_claimed){.result = DB_CLAIM_REFUSED,
		.whole = true,
		.code = "under_way",
		.reason = "Calls under way may use the rest."});
	runner_settle();
	assert_string_equal(runner_code_of(1), "under_way");
	campaign_wake(&rig.gw, 2); /* another campaign's */
	runner_settle();
	assert_int_equal(rig.claims, 1);
	campaign_wake(&rig.gw, 1);
	runner_settle();
	assert_int_equal(rig.claims, 2);
}

int main(void)
{
#define RUNNER_TEST(name) \
	cmocka_unit_test_setup_teardown(name, runner_set_up, runner_tear_down)
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(what_is_leased_runs_and_what_is_not_any_more_stops),
		RUNNER_TEST(a_node_that_is_drained_leases_nothing),
		RUNNER_TEST(without_the_database_nothing_is_claimed_and_all_stay),
		RUNNER_TEST(a_change_while_leases_are_asked_for_is_asked_for_again),
		RUNNER_TEST(priority_goes_first_and_weight_shares),
		RUNNER_TEST(one_claim_is_under_way_at_a_time),
		RUNNER_TEST(between_two_calls_the_gap_passes),
		RUNNER_TEST(a_gap_that_is_shortened_ends_when_it_says_now),
		RUNNER_TEST(in_a_gap_it_looks_whether_agents_are_there),
		RUNNER_TEST(without_a_ready_agent_nothing_is_claimed),
		RUNNER_TEST(an_agent_that_comes_free_wakes_all_that_wait_for_one),
		RUNNER_TEST(who_changed_a_campaign_need_not_wait_for_it),
		RUNNER_TEST(
			what_changes_while_its_lists_are_looked_through_is_not_missed),
		RUNNER_TEST(lists_that_take_long_to_look_through_are_let_rest),
		RUNNER_TEST(calls_per_second_that_are_used_up_hold_all_of_them),
		RUNNER_TEST(who_could_dial_waits_for_the_rate_and_no_longer_for_an_agent),
		RUNNER_TEST(who_is_passed_over_for_a_second_waits_for_the_rate),
		RUNNER_TEST(a_claim_without_an_answer_is_tried_again_in_a_second),
		RUNNER_TEST(what_twilio_forbids_is_said_in_its_words),
		RUNNER_TEST(a_refused_contact_makes_place_for_the_next),
		RUNNER_TEST(
			a_campaign_whose_contacts_are_refused_does_not_hold_up_others),
		RUNNER_TEST(
			a_campaign_whose_contacts_are_due_by_now_does_not_hold_up_others),
		RUNNER_TEST(
			at_a_limit_it_looks_again_when_that_ends_or_was_perhaps_raised),
		RUNNER_TEST(what_a_call_leaves_of_a_limit_is_used_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
