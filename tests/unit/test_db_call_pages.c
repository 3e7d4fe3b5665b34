/* test_db_call_pages.c: which calls a filter lets through, and what finding them costs. */
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
#include "unit/db_cluster.h"
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

static size_t found(const struct db_call_filter *filter)
{
	struct db_call *rows = NULL;
	size_t count = 0;

	assert_int_equal(db_call_page(db, filter, 100, &rows, &count), 0);
	for (size_t i = 1; i < count; i++)
		assert_true(rows[i].id < rows[i - 1].id);
	free(rows);
	return count;
}

static void each_filter_lets_through_what_it_says(void **state)
{
	int64_t campaign = world_campaign(4, 4), from_ms = clock_wall_ms() - 1000;
	struct db_claimed calls[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		calls[i] = world_call(db, campaign);
	(void)world_event(db, calls[0].call_id, "busy", 1);
	(void)world_event(db, calls[1].call_id, "completed", 1);
	(void)world_event(db, calls[2].call_id, "ringing", 1);
	(void)world_text("UPDATE calls SET placed_at = placed_at - interval '1 day'"
			 " WHERE id = %lld",
		(long long)calls[3].call_id);
	assert_int_equal(found(&(struct db_call_filter){.campaign_id = campaign}), 4);
	assert_int_equal(found(&(struct db_call_filter){.campaign_id = campaign + 1}), 0);
	assert_int_equal(
		found(&(struct db_call_filter){.agent_id = calls[1].agent_id}), 1);
	assert_int_equal(
		found(&(struct db_call_filter){.contact_id = calls[2].contact_id}), 1);
	assert_int_equal(found(&(struct db_call_filter){.number = calls[2].number}), 1);
	assert_int_equal(found(&(struct db_call_filter){.state = "ringing"}), 1);
	assert_int_equal(found(&(struct db_call_filter){.open = true}), 2);
	assert_int_equal(found(&(struct db_call_filter){.outcome = "busy"}), 1);
	assert_int_equal(found(&(struct db_call_filter){.direction = "outbound"}), 4);
	assert_int_equal(found(&(struct db_call_filter){.direction = "inbound"}), 0);
	assert_int_equal(found(&(struct db_call_filter){.from_ms = from_ms}), 3);
	assert_int_equal(found(&(struct db_call_filter){.to_ms = from_ms}), 1);
	assert_int_equal(
		found(&(struct db_call_filter){.from_ms = from_ms + 3600000}), 0);
	assert_int_equal(found(&(struct db_call_filter){.to_ms = 1}), 0);
	assert_int_equal(found(&(struct db_call_filter){.campaign_id = campaign,
				 .outcome = "completed",
				 .agent_id = calls[1].agent_id,
				 .from_ms = from_ms,
				 .to_ms = from_ms + 60000}),
		1);
	(void)world_text("INSERT INTO call_dispositions (call_id, disposition_id)"
			 " SELECT %lld, id FROM dispositions WHERE name = 'Sale'",
		(long long)calls[1].call_id);
	assert_int_equal(
		found(&(struct db_call_filter){
			.disposition_id = db_number(
				"SELECT id FROM dispositions WHERE name = 'Sale'")}),
		1);
}

static void pages_add_up_to_the_whole_and_carry_names(void **state)
{
	int64_t campaign = world_campaign(5, 5);
	struct db_call_filter filter = {.campaign_id = campaign};
	struct db_call_named *rows = NULL;
	size_t count = 0, total = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)world_call(db, campaign);
	do {
		assert_int_equal(db_call_page_named(db, &filter, 2, &rows, &count), 0);
		for (size_t i = 0; i < count; i++) {
			assert_string_equal(rows[i].campaign, "c");
			assert_true(rows[i].agent[0] == 'u');
		}
		if (count > 0)
			filter.before = rows[count - 1].call.id;
		total += count;
		free(rows);
	} while (count == 2);
	assert_int_equal(total, 5);
}

static size_t agent_legs(int64_t call_id)
{
	struct db_call_leg_row *rows = NULL;
	size_t count = 0, agents = 0;

	assert_int_equal(db_call_legs(db, call_id, &rows, &count), 0);
	for (size_t i = 0; i < count; i++)
		agents += strcmp(rows[i].kind, "agent") == 0;
	free(rows);
	return agents;
}

/* Twilio names an end by its whole second: by the figures it may come before the agent's leg. */
static void an_agents_leg_belongs_to_the_calls_it_was_there_for(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed call = world_call(db, campaign);

	(void)state;
	(void)world_event(db, call.call_id, "completed", 1);
	(void)world_text("UPDATE calls SET placed_at = '2026-01-01 00:00:08.9Z',"
			 " ended_at = '2026-01-01 00:00:09Z' WHERE id = %lld",
		(long long)call.call_id);
	(void)world_text(
		"INSERT INTO call_legs (kind, agent_session_id, label, conference, created_at,"
		" joined_at) SELECT 'agent', agent_session_id, 'leg', conference,"
		" '2026-01-01 00:00:08.7Z', '2026-01-01 00:00:09.2Z' FROM calls WHERE id = %lld",
		(long long)call.call_id);
	assert_int_equal(agent_legs(call.call_id), 1);
	(void)db_text("UPDATE call_legs SET joined_at = NULL WHERE label = 'leg'");
	assert_int_equal(agent_legs(call.call_id), 0);
	(void)db_text("UPDATE call_legs SET joined_at = '2026-01-01 00:00:07Z',"
		      " left_at = '2026-01-01 00:00:08Z' WHERE label = 'leg'");
	assert_int_equal(agent_legs(call.call_id), 0);
	(void)db_text(
		"UPDATE call_legs SET created_at = '2026-01-01 00:00:11Z',"
		" joined_at = '2026-01-01 00:00:12Z', left_at = NULL WHERE label = 'leg'");
	assert_int_equal(agent_legs(call.call_id), 0);
}

static int64_t pages_so_far(void)
{
	(void)db_text("SELECT pg_stat_force_next_flush()");
	(void)db_text("SELECT pg_stat_clear_snapshot()");
	return db_number(
		"SELECT heap_blks_read + heap_blks_hit FROM pg_statio_user_tables"
		" WHERE relname = 'calls'");
}

/* Pages of the table that a query read: they tell, however fast the machine is. */
static int64_t pages_read(const struct db_call_filter *filter)
{
	int64_t before, after;

	db_close(&db); /* which tells what it has read */
	db = db_connect();
	(void)db_text("SELECT pg_sleep(0.1)");
	before = pages_so_far();
	(void)found(filter);
	db_close(&db);
	db = db_connect();
	for (int i = 0; i < 100; i++) {
		after = pages_so_far();
		if (after > before)
			return after - before;
		(void)db_text("SELECT pg_sleep(0.02)");
	}
	return 0;
}

static void a_long_history_is_never_read_through(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed one = world_call(db, campaign);
	struct db_call_filter filters[] = {{.campaign_id = campaign},
		{.number = one.number}, {.agent_id = one.agent_id},
		{.contact_id = one.contact_id}, {.open = true},
		{.from_ms = clock_wall_ms() - 3600000},
		{.to_ms = clock_wall_ms() - 2000LL * 24 * 3600 * 1000}};

	(void)state;
	(void)db_text(
		"INSERT INTO calls (campaign_id, attempt, mode, number, caller_id,"
		" conference, node_id, state, outcome, verdict_rule, verdict_version,"
		" ring_timeout_s, placed_at, ended_at)"
		" SELECT (SELECT min(id) FROM campaigns), 1, 'auto', '+4420' || g,"
		" '+15550000000', 'x', '" NODE "', 'ended', 'busy', 'ok', 1, 30,"
		" now() - interval '1 year' + g * interval '60 s', now()"
		" FROM generate_series(1, 100000) g");
	(void)db_text("ANALYZE calls");
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		int64_t pages = pages_read(&filters[i]);

		if (pages > 400)
			print_message(
				"filter %zu read %lld pages\n", i, (long long)pages);
		assert_true(pages <= 400);
	}
}

/* Twilio's are whole seconds, ours are not. */
static void no_time_of_a_call_is_before_it_was_placed(void **state)
{
	int64_t id = world_call(db, world_campaign(1, 1)).call_id;
	static const char *const events[] = {"ringing", "joined", "completed"};
	struct db_call call;

	(void)state;
	(void)world_text(
		"UPDATE calls SET placed_at = '2100-01-01 00:00:00.9Z' WHERE id = %lld",
		(long long)id);
	for (int i = 0; i < 3; i++) /* long before */
		(void)world_event(db, id, events[i], i + 1);
	assert_int_equal(db_call_get(db, id, &call), 0);
	assert_string_equal(call.state, "ended");
	assert_true(call.placed_ms > 0 && call.ringing_ms == call.placed_ms);
	assert_true(call.answered_ms == call.placed_ms);
	assert_true(call.bridged_ms == call.placed_ms);
	assert_true(call.ended_ms == call.placed_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_filter_lets_through_what_it_says),
		cmocka_unit_test(pages_add_up_to_the_whole_and_carry_names),
		cmocka_unit_test(an_agents_leg_belongs_to_the_calls_it_was_there_for),
		cmocka_unit_test(a_long_history_is_never_read_through),
		cmocka_unit_test(no_time_of_a_call_is_before_it_was_placed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
