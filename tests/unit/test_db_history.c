/* test_db_history.c: events of old calls go, and such a call takes no news any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "db/calls.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

#define MANY 1000

static struct db *db;

static int setup(void **state)
{
	int rc = db_cluster_setup(state);

	if (rc == 0) {
		db = db_connect();
		world_tables(db, 1000000);
		(void)db_text("UPDATE account_rate SET tokens = 1000000");
	}
	return rc;
}

static int teardown(void **state)
{
	db_close(&db);
	return db_cluster_teardown(state);
}

/* A call that Twilio has told three things about, the last of them the end, if it may. */
static int64_t told_call(bool ended)
{
	int64_t id = world_call(db, world_campaign(1, 1)).call_id;

	(void)world_event(db, id, "ringing", 1);
	(void)world_event(db, id, "answered", 2);
	if (ended)
		(void)world_event(db, id, "completed", 3);
	return id;
}

static void age(int64_t id, int days)
{
	(void)world_text("UPDATE calls SET placed_at = now() - make_interval(days => %d),"
			 " ended_at = CASE WHEN ended_at IS NOT NULL THEN"
			 "  now() - make_interval(days => %d) END WHERE id = %lld",
		days, days, (long long)id);
}

static int64_t events(int64_t id)
{
	return strtoll(world_text("SELECT count(*) FROM call_events WHERE call_id = %lld",
			       (long long)id),
		NULL, 10);
}

static int64_t forget(int max)
{
	int64_t calls = -1;

	assert_int_equal(db_call_events_forget(db, 90, max, &calls), 0);
	return calls;
}

static void old_events_go_and_those_of_young_and_open_calls_stay(void **state)
{
	int64_t old = told_call(true), young = told_call(true), open = told_call(false);

	(void)state;
	age(old, 91);
	age(young, 89);
	age(open, 400);
	assert_int_equal(events(old), 3);
	assert_int_equal(forget(MANY), 1);
	assert_int_equal(events(old), 0);
	assert_int_equal(events(young), 3);
	assert_int_equal(events(open), 2);
	assert_int_equal(forget(MANY), 0);
}

static void the_longest_ended_go_first_and_few_at_a_time(void **state)
{
	int64_t id[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		id[i] = told_call(true);
		age(id[i], 100 + i);
	}
	assert_int_equal(forget(2), 2);
	assert_int_equal(events(id[0]), 3);
	assert_int_equal(events(id[1]) + events(id[2]), 0);
	assert_int_equal(forget(2), 1);
}

static void a_call_whose_recording_is_kept_keeps_its_events(void **state)
{
	int64_t id = told_call(true);

	(void)state;
	age(id, 200);
	(void)world_text(
		"INSERT INTO recordings (call_id, campaign_id, state)"
		" SELECT id, campaign_id, 'completed' FROM calls WHERE id = %lld",
		(long long)id);
	assert_int_equal(forget(MANY), 0);
	assert_int_equal(events(id), 3);
	(void)world_text("UPDATE recordings SET state = 'deleted' WHERE call_id = %lld",
		(long long)id);
	assert_int_equal(forget(MANY), 1);
	assert_int_equal(events(id), 0);
}

static void calls_that_keep_their_events_are_not_looked_at_each_time(void **state)
{
	int64_t kept[30], old;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		kept[i] = told_call(true);
		age(kept[i], 300);
		(void)world_text(
			"INSERT INTO recordings (call_id, campaign_id, state)"
			" SELECT id, campaign_id, 'completed' FROM calls WHERE id = %lld",
			(long long)kept[i]);
	}
	old = told_call(true);
	age(old, 200);
	/* Ten of them each time, then the one that is behind them. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(forget(1), 0);
	assert_int_equal(forget(1), 1);
	assert_int_equal(events(old), 0);
	/* And once more from the beginning. */
	(void)world_text("UPDATE recordings SET state = 'deleted' WHERE call_id = %lld",
		(long long)kept[3]);
	for (int i = 0; i < 5 && events(kept[3]) > 0; i++)
		(void)forget(1);
	assert_int_equal(events(kept[3]), 0);
	(void)world_text("UPDATE recordings SET state = 'deleted'");
	while (forget(MANY) > 0)
		;
}

static const char *everything(int64_t id)
{
	return world_text("SELECT md5(concat(c, l, q, x)) FROM calls c"
			  " JOIN call_legs l ON l.call_id = c.id JOIN queue_entries q"
			  " ON q.id = c.entry_id JOIN contacts x ON x.id = c.contact_id"
			  " WHERE c.id = %lld",
		(long long)id);
}

/* One of which nobody knew what became: news that it lives would have it hung up. */
static void a_late_webhook_for_an_old_call_changes_nothing(void **state)
{
	static const char *const news[] = {"initiated", "ringing", "answered",
		"completed", "busy", "failed", "machine"};
	int64_t id = told_call(true), other = told_call(false);
	struct db_call_event both[2];
	struct db_call_change *changes = NULL;
	size_t count = 0;
	char sid[2][DB_SID_SIZE], before[64];

	(void)state;
	(void)world_text(
		"UPDATE calls SET outcome = 'unknown' WHERE id = %lld", (long long)id);
	age(id, 91);
	assert_int_equal(forget(MANY), 1);
	(void)snprintf(before, sizeof(before), "%s", everything(id));
	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++)
		assert_int_equal(world_event(db, id, news[i], (int64_t)i + 1), 0);
	assert_string_equal(everything(id), before);
	assert_int_equal(events(id), 0);

	/* Beside news of a call that lives, in one statement. */
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(sid[i], sizeof(sid[i]), "CA%032lld",
			(long long)(i == 0 ? id : other));
		both[i] = (struct db_call_event){.call_id = i == 0 ? id : other,
			.source = "call",
			.source_sid = sid[i],
			.leg_sid = sid[i],
			.sequence = 9,
			.event = "completed",
			.at_ms = 1800000000000,
			.duration_s = -1};
	}
	assert_int_equal(db_call_events_apply(db, both, 2, &changes, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(changes[0].call_id, other);
	assert_string_equal(changes[0].state, "ended");
	free(changes);
	assert_string_equal(everything(id), before);
	assert_int_equal(events(id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_events_go_and_those_of_young_and_open_calls_stay),
		cmocka_unit_test(the_longest_ended_go_first_and_few_at_a_time),
		cmocka_unit_test(a_call_whose_recording_is_kept_keeps_its_events),
		cmocka_unit_test(
			calls_that_keep_their_events_are_not_looked_at_each_time),
		cmocka_unit_test(a_late_webhook_for_an_old_call_changes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
