/* test_db_stops.c: what Twilio stopped is not dialled, and ends as it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"
#include "db/facts.h"
#include "db/queue.h"
#include "db/stops.h"
#include "unit/db_world.h"

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

static int clean(void **state)
{
	int64_t ended;

	(void)state;
	return db_stop_end(db, 0, "test", &ended);
}

static bool stop(const char *scope, const char *key, const char *kind, int code)
{
	struct db_stop s = {.code = code, .reason = "Because.", .detail = "said"};
	bool fresh = false;

	strcpy(s.scope, scope);
	strcpy(s.key, key);
	strcpy(s.kind, kind);
	assert_int_equal(db_stop_add(db, &s, &fresh), 0);
	return fresh;
}

static enum db_claim_result claim_result(
	struct db_claim claim, struct db_claimed *claimed)
{
	assert_int_equal(db_call_claim(db, &claim, claimed), 0);
	return claimed->result;
}

static void while_the_account_is_stopped_nothing_is_claimed(void **state)
{
	int64_t campaign = world_campaign(1, 1), ended = 0;
	struct db_claim by_hand = world_claim(campaign);
	struct db_claimed claimed;

	(void)state;
	by_hand.manual = true;
	assert_true(stop("account", "", "setup", 21205));
	assert_int_equal(claim_result(world_claim(campaign), &claimed), DB_CLAIM_HELD);
	assert_string_equal(claimed.rule, "twilio.account");
	assert_string_equal(claimed.reason, "Because.");
	assert_int_equal(claim_result(by_hand, &claimed), DB_CLAIM_HELD);
	assert_string_equal(
		world_text("SELECT state || attempts FROM queue_entries WHERE campaign_id"
			   " = %lld",
			(long long)campaign),
		"pending0");
	assert_int_equal(db_stop_end(db, 0, "ana", &ended), 0);
	assert_int_equal(ended, 1);
	assert_int_equal(claim_result(world_claim(campaign), &claimed), DB_CLAIM_CALL);
}

static void a_stopped_caller_id_holds_its_campaigns_alone(void **state)
{
	int64_t mine = world_campaign(1, 1), other = world_campaign(1, 1);
	struct db_claimed claimed;

	(void)state;
	world_text("UPDATE campaigns SET caller_id = '+14155559999' WHERE id = %lld"
		   " RETURNING id",
		(long long)mine);
	assert_true(stop("caller", "+14155559999", "caller", 21210));
	assert_int_equal(claim_result(world_claim(mine), &claimed), DB_CLAIM_HELD);
	assert_string_equal(claimed.rule, "twilio.caller");
	assert_int_equal(claim_result(world_claim(other), &claimed), DB_CLAIM_CALL);
}

static char seen[64];

static struct db_claim_verdict look(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	strcpy(seen, facts->stopped_countries);
	return (struct db_claim_verdict){.later = true, .rule = "seen"};
}

static void the_verdict_knows_the_stopped_countries(void **state)
{
	struct db_claim claim = world_claim(world_campaign(1, 1));
	struct db_claimed claimed;

	(void)state;
	claim.verdict = look;
	(void)stop("country", "GB", "country", 21215);
	(void)stop("country", "CU", "country", 21215);
	assert_int_equal(claim_result(claim, &claimed), DB_CLAIM_REFUSED);
	assert_non_null(strstr(seen, "GB"));
	assert_non_null(strstr(seen, "CU"));
}

static int refused(const char *country, const char *number)
{
	int numbers = 0;

	assert_int_equal(db_country_refused(db, country, number, &numbers), 0);
	return numbers;
}

static void a_country_counts_its_numbers_that_were_refused_in_a_row(void **state)
{
	struct db_claimed call = world_call(db, world_campaign(1, 1));
	char number[DB_NUMBER_SIZE];
	int64_t ended = 0;

	(void)state;
	assert_int_equal(db_country_suspect(db, call.call_id, number), -ENOENT);
	assert_int_equal(refused("GB", "+447400000001"), 1);
	assert_int_equal(refused("GB", "+447400000001"), 1);
	assert_int_equal(refused("GB", "+447400000002"), 2);
	assert_int_equal(refused("CU", "+5350000001"), 1);
	assert_int_equal(db_country_suspect(db, call.call_id, number), 0);
	assert_string_equal(number, call.number);
	assert_int_equal(db_country_rang(db, "GB"), 0);
	assert_int_equal(refused("GB", "+447400000003"), 1);
	assert_int_equal(refused("CU", "+5350000002"), 2);
	/* A person says that it is allowed now. */
	(void)stop("country", "CU", "country", 21215);
	assert_int_equal(db_stop_end(db, 0, "ana", &ended), 0);
	assert_int_equal(ended, 1);
	assert_int_equal(refused("CU", "+5350000003"), 1);
	assert_int_equal(refused("GB", "+447400000004"), 2);
}

static struct db_claim_verdict not_allowed(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	return (struct db_claim_verdict){
		.later = true, .rule = "twilio.country", .code = "twilio"};
}

static void contacts_of_a_country_are_due_when_its_stop_is_ended(void **state)
{
	int64_t campaign = world_campaign(1, 3), ended = 0, moved = 0;
	size_t count = 0;

	(void)state;
	(void)stop("account", "", "pause", 20429);
	(void)stop("country", "GB", "country", 21215);
	assert_int_equal(
		db_queue_postpone(db, campaign, 100, not_allowed, NULL, &count), 0);
	assert_int_equal(count, 3);
	while (db_queue_recheck(db, &moved) == 0)
		; /* what the tests before have changed */
	assert_int_equal(db_stop_probed(db, &ended), 0);
	assert_int_equal(ended, 1);
	assert_int_equal(db_queue_recheck(db, &moved), -ENOENT);
	assert_int_equal(db_stop_end(db, 0, "ana", &ended), 0);
	assert_int_equal(ended, 1);
	while (db_queue_recheck(db, &moved) == 0)
		;
	assert_string_equal(world_text("SELECT count(*) FROM queue_entries WHERE"
				       " campaign_id = %lld AND state = 'pending'"
				       " AND run_at <= now() AND reason = ''",
				    (long long)campaign),
		"3");
}

static struct db_stop only(void)
{
	struct db_stop *stops = NULL, first;
	size_t count = 0;

	assert_int_equal(db_stop_list(db, &stops, &count), 0);
	assert_int_equal(count, 1);
	first = stops[0];
	free(stops);
	return first;
}

static void a_stop_told_again_is_counted_and_a_heavier_one_replaces_it(void **state)
{
	(void)state;
	assert_true(stop("account", "", "pause", 20429));
	assert_false(stop("account", "", "pause", 20429));
	assert_int_equal(only().times, 2);
	assert_true(only().probe_ms > 0);
	assert_true(stop("account", "", "setup", 20403));
	assert_string_equal(only().kind, "setup");
	assert_int_equal(only().code, 20403);
	assert_int_equal(only().probe_ms, 0);
	assert_false(stop("account", "", "pause", 20429));
	assert_string_equal(only().kind, "setup");
	assert_int_equal(only().code, 20403);
}

static void a_good_probe_ends_what_it_can_tell_about(void **state)
{
	int64_t ended = 0;
	bool due = true;

	(void)state;
	(void)stop("account", "", "pause", 1);
	assert_int_equal(db_stop_probe(db, &due), 0);
	assert_false(due);
	world_text("UPDATE twilio_stops SET probe_at = now() WHERE ended_at IS NULL"
		   " RETURNING id");
	assert_int_equal(db_stop_probe(db, &due), 0);
	assert_true(due);
	/* The other node sees that it was asked. */
	assert_int_equal(db_stop_probe(db, &due), 0);
	assert_false(due);
	(void)stop("caller", "+14155559999", "caller", 21210);
	assert_int_equal(db_stop_probed(db, &ended), 0);
	assert_int_equal(ended, 1);
	assert_string_equal(only().scope, "caller");
	(void)clean(NULL);
	(void)stop("account", "", "setup", 21205);
	assert_int_equal(db_stop_probed(db, &ended), 0);
	assert_int_equal(ended, 0);
}

/* What comes back at once is asked about later each time. */
static void a_pause_that_comes_back_waits_longer(void **state)
{
	int64_t ended = 0, before = 0;

	(void)state;
	world_text("DELETE FROM twilio_stops RETURNING 1");
	for (int i = 0; i < 4; i++) {
		int64_t wait;

		(void)stop("account", "", "pause", 20429);
		wait = only().probe_ms - only().since_ms;
		assert_true(wait > before && wait <= 30000);
		before = wait;
		assert_int_equal(db_stop_probed(db, &ended), 0);
	}
}

static void an_error_of_the_number_ends_its_entry(void **state)
{
	static const int codes[][2] = {{21211, 21211}, {404, 404}};
	int64_t campaign = world_campaign(2, 2);
	struct db_claimed bad = world_call(db, campaign),
			  other = world_call(db, campaign);
	struct db_call_change *changes = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_number_errors_load(db, codes, 2), 0);
	for (int i = 0; i < 2; i++) {
		const struct db_claimed *c = i == 0 ? &bad : &other;
		struct db_call_event event = {.call_id = c->call_id,
			.source = "gateway",
			.source_sid = "self",
			.sequence = -1,
			.event = "refused",
			.at_ms = 1,
			.duration_s = -1,
			.code = i == 0 ? 21211 : 21214};

		assert_int_equal(
			db_call_events_apply(db, &event, 1, &changes, &count), 0);
		free(changes);
	}
	assert_string_equal(world_text("SELECT state || ' ' || reason FROM queue_entries"
				       " WHERE id = %lld",
				    (long long)bad.entry_id),
		"skipped refused");
	assert_string_equal(world_text("SELECT state FROM queue_entries WHERE id = %lld",
				    (long long)other.entry_id),
		"pending");
}

static void health_is_kept_for_each_node(void **state)
{
	struct db_health health = {.answered_ms = 5000, .reachable = true}, got;

	(void)state;
	assert_int_equal(db_health_get(db, NODE, &got), 0);
	assert_false(got.known);
	assert_int_equal(db_health_put(db, NODE, &health), 0);
	health = (struct db_health){
		.error_ms = 6000, .error_code = 20003, .error_text = "Authenticate"};
	assert_int_equal(db_health_put(db, NODE, &health), 0);
	assert_int_equal(db_health_get(db, NODE, &got), 0);
	assert_true(got.known);
	assert_false(got.reachable);
	assert_int_equal(got.answered_ms, 5000);
	assert_int_equal(got.error_ms, 6000);
	assert_int_equal(got.error_code, 20003);
	assert_string_equal(got.error_text, "Authenticate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			while_the_account_is_stopped_nothing_is_claimed, clean),
		cmocka_unit_test_setup(
			a_stopped_caller_id_holds_its_campaigns_alone, clean),
		cmocka_unit_test_setup(the_verdict_knows_the_stopped_countries, clean),
		cmocka_unit_test_setup(
			a_country_counts_its_numbers_that_were_refused_in_a_row, clean),
		cmocka_unit_test_setup(
			contacts_of_a_country_are_due_when_its_stop_is_ended, clean),
		cmocka_unit_test_setup(
			a_stop_told_again_is_counted_and_a_heavier_one_replaces_it,
			clean),
		cmocka_unit_test_setup(a_good_probe_ends_what_it_can_tell_about, clean),
		cmocka_unit_test_setup(a_pause_that_comes_back_waits_longer, clean),
		cmocka_unit_test_setup(an_error_of_the_number_ends_its_entry, clean),
		cmocka_unit_test_setup(health_is_kept_for_each_node, clean),
	};

	return cmocka_run_group_tests_name("db_stops", tests, setup, teardown);
}
