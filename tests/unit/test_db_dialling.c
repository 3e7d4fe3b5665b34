/* test_db_dialling.c: numbers that must not be called, the account's own, and what calls cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/callbacks.h"
#include "db/dnc.h"
#include "db/exec.h"
#include "db/facts.h"
#include "db/numbers.h"
#include "db/queue.h"
#include "db/rate_state.h"
#include "db/reserve.h"
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

static const char *phone_of(int64_t campaign)
{
	return world_text("SELECT c.phone FROM contacts c JOIN queue_entries q"
			  " ON q.contact_id = c.id WHERE q.campaign_id = %lld"
			  " ORDER BY q.id LIMIT 1",
		(long long)campaign);
}

static const char *entry_of(int64_t campaign)
{
	return world_text("SELECT state || ' ' || reason FROM queue_entries"
			  " WHERE campaign_id = %lld ORDER BY id LIMIT 1",
		(long long)campaign);
}

static void a_number_is_added_once_and_its_waiting_entries_are_skipped(void **state)
{
	int64_t first = world_campaign(1, 2), second = world_campaign(0, 1);
	struct db_dnc dnc = {.source = "operator", .reason = "asked us"}, found;
	int64_t id = 0, skipped = 0;

	(void)state;
	(void)snprintf(dnc.number, sizeof(dnc.number), "%s", phone_of(first));
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = (SELECT contact_id"
			 " FROM queue_entries WHERE campaign_id = %lld)",
		dnc.number, (long long)second);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), -ENOENT);
	assert_int_equal(db_dnc_add(db, &dnc, &id, &skipped), 0);
	assert_int_equal(skipped, 2);
	assert_string_equal(entry_of(first), "skipped dnc");
	assert_string_equal(entry_of(second), "skipped dnc");
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -EEXIST);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_true(found.id == id && found.campaign_id == 0 && found.created_ms > 0);
	assert_string_equal(found.reason, "asked us");
	assert_int_equal(db_dnc_remove(db, id), 0);
	assert_int_equal(db_dnc_remove(db, id), -ENOENT);
	assert_int_equal(db_dnc_check(db, dnc.number, 0, &found), -ENOENT);
	(void)snprintf(dnc.number, sizeof(dnc.number), "0123");
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -EINVAL);
}

static void a_ban_of_one_campaign_is_not_one_of_the_others(void **state)
{
	int64_t first = world_campaign(1, 1), second = world_campaign(0, 1);
	struct db_dnc dnc = {.source = "agent", .campaign_id = first}, found;
	int64_t skipped = 0;

	(void)state;
	(void)snprintf(dnc.number, sizeof(dnc.number), "%s", phone_of(first));
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = (SELECT contact_id"
			 " FROM queue_entries WHERE campaign_id = %lld)",
		dnc.number, (long long)second);
	assert_int_equal(db_dnc_add(db, &dnc, NULL, &skipped), 0);
	assert_int_equal(skipped, 1);
	assert_string_equal(entry_of(second), "pending ");
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_int_equal(db_dnc_check(db, dnc.number, second, &found), -ENOENT);
	assert_int_equal(db_dnc_check(db, dnc.number, 0, &found), -ENOENT);
	dnc.campaign_id = 0;
	assert_int_equal(db_dnc_add(db, &dnc, NULL, &skipped), 0);
	assert_int_equal(db_dnc_check(db, dnc.number, first, &found), 0);
	assert_true(found.campaign_id == 0); /* the wider one speaks */
	dnc.campaign_id = -5;
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), -ENOENT);
}

static void many_numbers_are_added_in_one_go(void **state)
{
	static const char *const numbers[] = {
		"+15557770001", "+15557770002", "+15557770001"};
	struct db_dnc like = {.source = "import", .reason = "July list"};
	struct db_dnc *rows = NULL;
	struct db_dnc_counts counts;
	int64_t id, added = 0, skipped = 0;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_dnc_add_many(db, &like, numbers, 3, &added, &skipped), 0);
	assert_int_equal(added, 2);
	assert_int_equal(db_dnc_add_many(db, &like, numbers, 3, &added, &skipped), 0);
	assert_int_equal(added, 0);
	assert_int_equal(db_dnc_add_many(db, &like, NULL, 0, &added, &skipped), 0);
	assert_int_equal(db_dnc_page(db, "+1555777", 0, 1, &rows, &count), 0);
	assert_int_equal(count, 2); /* one more tells of a next page */
	id = rows[0].id;
	free(rows);
	assert_int_equal(db_dnc_page(db, "JULY", id, 9, &rows, &count), 0);
	assert_int_equal(count, 1);
	free(rows);
	assert_int_equal(db_dnc_page(db, "%", 0, 9, &rows, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(db_dnc_counts(db, &counts), 0);
	assert_true(counts.total == counts.today && counts.total >= 2);
}

static void the_list_of_numbers_is_what_twilio_has_now(void **state)
{
	struct db_number rows[] = {
		{.number = "+15550000001", .sid = "PN1", .kind = "incoming"},
		{.number = "+15550000002", .sid = "PN2", .kind = "caller_id"},
		{.number = "+15550000002", .sid = "PN3", .kind = "incoming"}};
	struct db_number *listed = NULL;
	struct db_number_state is;
	bool usable = false;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_number_usable(db, "+15559999999", &usable), 0);
	assert_true(usable); /* nobody knows yet */
	assert_int_equal(db_numbers_failed(db, "no answer"), 0);
	assert_int_equal(db_numbers_state(db, &is), 0);
	assert_true(is.synced_ms == 0 && is.tried_ms > 0);
	assert_string_equal(is.error, "no answer");
	assert_int_equal(db_numbers_sync(db, rows, 3), 0);
	assert_int_equal(db_number_usable(db, "+15559999999", &usable), 0);
	assert_false(usable);
	assert_int_equal(db_numbers_list(db, &listed, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(listed[1].sid, "PN3");
	free(listed);
	assert_int_equal(db_numbers_sync(db, rows, 1), 0);
	assert_int_equal(db_number_usable(db, "+15550000002", &usable), 0);
	assert_false(usable);
	assert_int_equal(db_numbers_sync(db, NULL, 0), 0);
	assert_int_equal(db_numbers_state(db, &is), 0);
	assert_true(is.synced_ms > 0 && is.error[0] == '\0');
}

/* ---- what becomes of entries, and what calls take of a day ---- */

/* One call of the campaign's first entry that ends so. */
static void dial(int64_t campaign, const char *outcome)
{
	struct db_claimed c;

	(void)world_text(
		"UPDATE queue_entries SET run_at = now() WHERE campaign_id = %lld"
		" AND state = 'pending'",
		(long long)campaign);
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL"
			 " WHERE campaign_id = %lld",
		(long long)campaign);
	c = world_call(db, campaign);
	(void)world_event(db, c.call_id, outcome, 1);
}

static void each_outcome_has_its_own_wait_and_number_of_tries(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	static const char wait[] =
		"SELECT state || ' ' || reason || ' ' || COALESCE(outcome, '') || ' ' ||"
		" round(extract(epoch FROM run_at - now())) FROM queue_entries"
		" WHERE campaign_id = %lld";

	(void)state;
	/* At the places of world_tables(): busy after 60 s, once; no answer after 120 s, twice. */
	(void)world_text(
		"UPDATE campaigns SET max_attempts = 9, max_attempts_24h = 9,"
		" retry_after_s = '{60,120,1,1,1,1,1}', retry_max = '{1,2,0,0,0,0,0}'"
		" WHERE id = %lld",
		(long long)campaign);
	dial(campaign, "busy");
	assert_string_equal(
		world_text(wait, (long long)campaign), "pending retry busy 60");
	dial(campaign, "no_answer");
	assert_string_equal(
		world_text(wait, (long long)campaign), "pending retry no_answer 120");
	dial(campaign, "busy"); /* the second one was one too many */
	assert_string_equal(world_text("SELECT state || outcome FROM queue_entries"
				       " WHERE campaign_id = %lld",
				    (long long)campaign),
		"completedbusy");
	campaign = world_campaign(1, 1);
	(void)world_text("UPDATE campaigns SET max_attempts = 2 WHERE id = %lld",
		(long long)campaign);
	dial(campaign, "busy");
	dial(campaign, "busy"); /* all attempts together are two */
	assert_string_equal(entry_of(campaign), "completed ");
}

static void who_is_queued_again_has_all_its_attempts(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	int64_t entry = strtoll(
		world_text("SELECT id FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		NULL, 10);

	(void)state;
	(void)world_text(
		"UPDATE campaigns SET max_attempts = 5, max_attempts_24h = 9,"
		" retry_after_s = '{60,120,1,1,1,1,1}', retry_max = '{1,2,0,0,0,0,0}'"
		" WHERE id = %lld",
		(long long)campaign);
	for (int i = 0; i < 2; i++) {
		dial(campaign, "busy");
		assert_string_equal(entry_of(campaign), "pending retry");
		dial(campaign, "busy");
		assert_string_equal(entry_of(campaign), "completed ");
		assert_int_equal(db_entry_requeue(db, campaign, entry), 0);
	}
}

static void a_promise_to_who_is_skipped_is_void(void **state)
{
	static const struct db_claim_verdict refused = {.code = "invalid"};
	const char *ways[] = {"skip", "dnc", "refuse"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int64_t campaign = world_campaign(1, 1), id, again;
		struct db_callback b = {
			.campaign_id = campaign, .due_ms = clock_wall_ms() + 3600000};
		struct db_dnc dnc = {.source = "operator", .reason = ""};
		int64_t entry = strtoll(
			world_text(
				"SELECT id FROM queue_entries WHERE campaign_id = %lld",
				(long long)campaign),
			NULL, 10);

		b.contact_id = strtoll(
			world_text("SELECT contact_id FROM queue_entries WHERE id = %lld",
				(long long)entry),
			NULL, 10);
		(void)snprintf(dnc.number, sizeof(dnc.number), "%s",
			world_text("SELECT phone FROM contacts WHERE id = %lld",
				(long long)b.contact_id));
		b.agent_id = atoll(world_text(
			"SELECT user_id FROM agent_sessions WHERE campaign_id = %lld",
			(long long)campaign));
		assert_int_equal(db_callback_create(db, &b, &id), 0);
		assert_int_equal(i == 0   ? db_entry_skip(db, campaign, entry, "operator")
				 : i == 1 ? db_dnc_add(db, &dnc, NULL, NULL)
					  : db_entry_refuse(db, entry, &refused),
			0);
		/* What is queued again is as if there had been no promise. */
		assert_int_equal(db_entry_requeue(db, campaign, entry), 0);
		(void)world_sweep_tells(db, id);
		assert_string_equal(
			world_text("SELECT concat_ws(' ', state, priority, agent_id,"
				   " run_at <= now()) FROM queue_entries WHERE id = %lld",
				(long long)entry),
			"pending 2 t");
		assert_int_equal(db_entry_skip(db, campaign, entry, "operator"), 0);
		/* Whom nobody may call is promised nothing more. */
		assert_int_equal(db_callback_create(db, &b, &again), i == 1 ? -EPERM : 0);
		(void)world_sweep_tells(db, 0);
		assert_string_equal(
			world_text("SELECT string_agg(b.state || ' ' || COALESCE(q.state,"
				   " ''), ', ' ORDER BY b.id) FROM callbacks b LEFT JOIN"
				   " queue_entries q ON q.id = b.entry_id"
				   " WHERE b.campaign_id = %lld",
				(long long)campaign),
			i == 1 ? "cancelled " : "cancelled , pending pending");
	}
}

static void a_day_counts_calls_and_started_minutes_once(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	struct db_campaign_use use;
	struct db_claimed c = world_call(db, campaign);

	(void)state;
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 1 && use.minutes_today == 0);
	(void)world_text("UPDATE calls SET duration_s = 61, answered_at = now()"
			 " WHERE id = %lld",
		(long long)c.call_id);
	(void)world_event(db, c.call_id, "completed", 1);
	(void)world_event(db, c.call_id, "completed", 1);
	(void)world_text("SELECT release_ended_calls('{%lld}')", (long long)c.call_id);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 1 && use.minutes_today == 2);
	/* One that surely never left gives its place back. */
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL"
			 " WHERE campaign_id = %lld",
		(long long)campaign);
	c = world_call(db, campaign);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 2);
	(void)world_text(
		"SELECT * FROM apply_call_events('{%lld}', '{gateway}', '{x}', '{NULL}',"
		" '{unsent}', '{1}', '{\"\"}', '{NULL}', '{NULL}', '{NULL}')",
		(long long)c.call_id);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 1 && use.calls_ever == 1);
}

/* The number of the campaign's last call calls back; what Twilio then tells of that. */
static void call_back(
	int64_t campaign, const char *sid, const char *event, int duration_s)
{
	char number[DB_NUMBER_SIZE];
	int64_t id = 0;

	(void)snprintf(number, sizeof(number), "%s",
		world_text("SELECT number FROM calls WHERE campaign_id = %lld"
			   " ORDER BY id DESC LIMIT 1",
			(long long)campaign));
	assert_int_equal(
		db_call_inbound(db, sid, number, "+15550000001", NODE, INSTALL, &id), 0);
	(void)world_text(
		"SELECT * FROM apply_call_events('{%lld}', '{call}', '{%s}', '{1}', '{%s}',"
		" '{1767225600000}', '{%s}', '{%d}', '{NULL}', '{NULL}')",
		(long long)id, sid, event, sid, duration_s);
}

static void the_minutes_of_who_calls_back_count_but_no_call(void **state)
{
	int64_t campaign = world_campaign(1, 1), entry;
	struct db_campaign_use use;
	struct db_claim_facts facts;

	(void)state;
	(void)world_text("UPDATE campaigns SET max_minutes_day = 100 WHERE id = %lld",
		(long long)campaign);
	entry = atoll(world_text("SELECT id FROM queue_entries WHERE campaign_id = %lld",
		(long long)campaign));
	dial(campaign, "busy");
	call_back(campaign, "CAback1", "completed", 61);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 1 && use.minutes_today == 2);
	assert_int_equal(db_facts_read(db, campaign, entry, &facts), 0);
	assert_true(facts.calls_today == 1 && facts.minutes_today == 2);
	/* Nobody was free for them: they heard so, which is a started minute. */
	call_back(campaign, "CAback2", "abandoned", 0);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 1 && use.minutes_today == 3);
	/* It can be the first that the campaign has on a day. */
	(void)world_text("DELETE FROM campaign_days WHERE campaign_id = %lld",
		(long long)campaign);
	call_back(campaign, "CAback3", "completed", 60);
	assert_int_equal(db_campaign_use(db, campaign, &use), 0);
	assert_true(use.calls_today == 0 && use.minutes_today == 1);
}

static void a_call_of_no_day_that_never_left_gives_its_place_back(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed c = world_call(db, campaign);
	struct db_claim_facts facts;

	(void)state;
	(void)world_text(
		"UPDATE calls SET day = NULL WHERE id = %lld", (long long)c.call_id);
	(void)world_text("UPDATE campaigns SET max_attempts_24h = 1 WHERE id = %lld",
		(long long)campaign);
	assert_int_equal(db_facts_read(db, campaign, c.entry_id, &facts), 0);
	assert_true(facts.attempts_free_ms > facts.now_ms);
	world_tell(db, c.call_id, "unsent");
	assert_string_equal(world_text("SELECT counts FROM calls WHERE id = %lld",
				    (long long)c.call_id),
		"f");
	/* Neither the number nor the entry has lost an attempt by it. */
	assert_int_equal(db_facts_read(db, campaign, c.entry_id, &facts), 0);
	assert_int_equal(facts.attempts_free_ms, 0);
	assert_string_equal(entry_of(campaign), "pending unsent");
	assert_string_equal(
		world_text("SELECT attempts FROM queue_entries WHERE id = %lld",
			(long long)c.entry_id),
		"0");
}

static struct db_claim_verdict at_night(void *arg, const struct db_claim_facts *facts)
{
	int64_t *odd = arg;

	/* Every other contact is asleep until tomorrow; one must never be called. */
	if (facts->entry_id % 2 == *odd % 2)
		return (struct db_claim_verdict){.later = true,
			.next_ms = facts->now_ms + 86400000,
			.rule = "hours.closed",
			.code = "hours"};
	return (struct db_claim_verdict){.allowed = true, .rule = "allowed"};
}

static void contacts_that_wait_are_put_off_together(void **state)
{
	int64_t campaign = world_campaign(1, 10), odd = 1, moved = 0;
	struct db_queue_reason *rows = NULL;
	size_t refused = 0, count = 0;

	(void)state;
	while (db_queue_recheck(db, &moved) == 0)
		; /* what the tests before have changed */
	assert_int_equal(db_queue_postpone(db, campaign, 4, at_night, &odd, &refused), 0);
	assert_int_equal(refused, 2);
	assert_int_equal(
		db_queue_postpone(db, campaign, 100, at_night, &odd, &refused), 0);
	assert_int_equal(refused, 3);
	assert_int_equal(db_queue_reasons(db, campaign, &rows, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].reason, "");
	assert_true(rows[0].count == 5 && rows[1].count == 5);
	assert_string_equal(rows[1].reason, "hours");
	free(rows);
	assert_int_equal(db_queue_recheck(db, &moved), -ENOENT);
	(void)world_text("UPDATE campaigns SET max_attempts_24h = max_attempts_24h + 1,"
			 " wrap_up_s = 1 WHERE id = %lld",
		(long long)campaign);
	assert_int_equal(db_queue_recheck(db, &moved), 0);
	assert_int_equal(moved, campaign);
	assert_int_equal(db_queue_reasons(db, campaign, &rows, &count), 0);
	assert_true(count == 1 && rows[0].count == 10);
	free(rows);
	(void)world_text("UPDATE campaigns SET wrap_up_s = 2 WHERE id = %lld",
		(long long)campaign);
	assert_int_equal(db_queue_recheck(db, &moved), -ENOENT);
}

static int64_t read_by(const char *index)
{
	return strtoll(world_text("SELECT idx_tup_read FROM pg_stat_user_indexes"
				  " WHERE indexrelname = '%s'",
			       index),
		NULL, 10);
}

static void who_may_be_called_is_known_without_reading_the_calls_of_a_day(void **state)
{
	int64_t campaign = world_campaign(1, 10), odd = 0, before;
	size_t refused = 0;

	(void)state;
	(void)world_text(
		"INSERT INTO calls (campaign_id, attempt, mode, number, caller_id,"
		" conference, node_id, state, outcome, verdict_rule, verdict_version,"
		" ring_timeout_s, ended_at) SELECT %lld, 1, 'auto', '+4420' || g,"
		" '+15550000000', 'x', gen_random_uuid(), 'ended', 'busy', 'ok', 1, 30, now()"
		" FROM generate_series(1, 20000) g",
		(long long)campaign);
	(void)world_text("ANALYZE calls");
	before = read_by("calls_placed");
	assert_int_equal(
		db_queue_postpone(db, campaign, 100, at_night, &odd, &refused), 0);
	assert_int_equal(refused, 5);
	assert_int_equal(
		db_run(db, "SELECT pg_stat_force_next_flush()", NO_ARGS, NULL), 0);
	assert_in_range(read_by("calls_placed") - before, 0, 1000);
}

static void facts_tell_what_speaks_against_a_call(void **state)
{
	int64_t campaign = world_campaign(1, 1), entry;
	struct db_dnc dnc = {.source = "caller"};
	struct db_claim_facts facts;

	(void)state;
	entry = strtoll(
		world_text("SELECT id FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		NULL, 10);
	assert_int_equal(db_facts_read(db, campaign, entry, &facts), 0);
	assert_true(facts.dnc == DB_DNC_NONE && facts.attempts_free_ms == 0);
	assert_true(
		facts.campaign_active && !facts.number_busy && facts.calls_today == 0);
	assert_true(facts.day_ends_ms > facts.now_ms);
	(void)world_text("UPDATE campaigns SET max_attempts_24h = 1 WHERE id = %lld",
		(long long)campaign);
	dial(campaign, "busy");
	assert_int_equal(db_facts_read(db, campaign, entry, &facts), 0);
	assert_in_range(facts.attempts_free_ms - facts.now_ms, 86300000, 86400000);
	assert_int_equal(facts.calls_today, 1);
	(void)snprintf(dnc.number, sizeof(dnc.number), "%s", facts.number);
	assert_int_equal(db_dnc_add(db, &dnc, NULL, NULL), 0);
	assert_int_equal(db_facts_read(db, campaign, entry, &facts), 0);
	assert_int_equal(facts.dnc, DB_DNC_ALL);
	assert_int_equal(db_facts_read(db, -1, entry, &facts), -ENOENT);
}

static void the_rate_falls_by_halves_and_rises_in_steps(void **state)
{
	struct db_rate rate;

	(void)state;
	world_tables(db, 10);
	assert_int_equal(db_rate_lower(db), 0);
	assert_int_equal(db_rate_lower(db), 0); /* the same moment: the same reason */
	assert_int_equal(db_rate_get(db, &rate), 0);
	assert_true(rate.per_second == 5 && rate.slow_calls == 2);
	assert_int_equal(db_rate_recover(db), 0); /* not yet */
	world_tables(db, 10);                     /* nor by a restart */
	assert_int_equal(db_rate_get(db, &rate), 0);
	assert_true(rate.per_second == 5 && rate.most_per_second == 10);
	(void)world_text("UPDATE account_rate SET changed_at = now() - interval '11 s'");
	assert_int_equal(db_rate_recover(db), 0);
	assert_int_equal(db_rate_recover(db), 0);
	assert_int_equal(db_rate_get(db, &rate), 0);
	assert_true(rate.per_second == 5.5);
	for (int i = 0; i < 12; i++) {
		(void)world_text(
			"UPDATE account_rate SET changed_at = now() - interval '11 s'");
		assert_int_equal(db_rate_lower(db), 0);
	}
	assert_int_equal(db_rate_get(db, &rate), 0);
	assert_true(rate.per_second == 0.1);
	world_tables(db, 1000000);
	assert_int_equal(db_rate_get(db, &rate), 0);
	assert_true(rate.per_second == 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_number_is_added_once_and_its_waiting_entries_are_skipped),
		cmocka_unit_test(a_ban_of_one_campaign_is_not_one_of_the_others),
		cmocka_unit_test(many_numbers_are_added_in_one_go),
		cmocka_unit_test(the_list_of_numbers_is_what_twilio_has_now),
		cmocka_unit_test(each_outcome_has_its_own_wait_and_number_of_tries),
		cmocka_unit_test(who_is_queued_again_has_all_its_attempts),
		cmocka_unit_test(a_promise_to_who_is_skipped_is_void),
		cmocka_unit_test(a_day_counts_calls_and_started_minutes_once),
		cmocka_unit_test(the_minutes_of_who_calls_back_count_but_no_call),
		cmocka_unit_test(a_call_of_no_day_that_never_left_gives_its_place_back),
		cmocka_unit_test(contacts_that_wait_are_put_off_together),
		cmocka_unit_test(
			who_may_be_called_is_known_without_reading_the_calls_of_a_day),
		cmocka_unit_test(facts_tell_what_speaks_against_a_call),
		cmocka_unit_test(the_rate_falls_by_halves_and_rises_in_steps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
