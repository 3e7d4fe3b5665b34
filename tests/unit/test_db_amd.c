/*
 * test_db_amd.c: who picked up, in any order with everything else that is told of a call; and what
 * was asked of its legs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/controls.h"
#include "db/exec.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

static struct db *db, *other;

static int setup(void **state)
{
	int rc = world_open(state, &db);

	if (rc == 0)
		other = db_connect();
	return rc;
}

static int teardown(void **state)
{
	db_close(&other);
	return world_close(state, &db);
}

static void heard(int64_t call_id, const char *event, const char *word)
{
	struct db_call_change *changes = NULL;
	size_t count = 0;
	char sid[DB_SID_SIZE];

	(void)snprintf(sid, sizeof(sid), "CA%032lld", (long long)call_id);
	assert_int_equal(db_call_events_apply(db,
				 &(struct db_call_event){.call_id = call_id,
					 .source = "amd",
					 .source_sid = sid,
					 .sequence = -1,
					 .event = event,
					 .at_ms = 1800000000000,
					 .leg_sid = sid,
					 .duration_s = -1,
					 .detail = word},
				 1, &changes, &count),
		0);
	free(changes);
}

static struct db_claimed call_of(const char *amd)
{
	int64_t campaign = world_campaign(1, 1);

	(void)world_text("UPDATE campaigns SET amd = '%s' WHERE id = %lld", amd,
		(long long)campaign);
	return world_call(db, campaign);
}

static const char *snapshot(const struct db_claimed *call)
{
	return world_text(
		"SELECT concat_ws(' ', c.state, c.outcome, c.answered_by, q.state, q.outcome,"
		" x.last_outcome, x.locked_by, (SELECT count(*) FROM call_events e"
		" WHERE e.call_id = c.id)) FROM calls c"
		" JOIN queue_entries q ON q.id = c.entry_id JOIN contacts x ON x.id = c.contact_id"
		" WHERE c.id = %lld",
		(long long)call->call_id);
}

/* 0 answered, 1 joined, 2 the machine, 3 completed. */
static void tell(int64_t call_id, int what)
{
	static const char *const words[] = {"answered", "joined", NULL, "completed"};

	if (what == 2)
		heard(call_id, "machine", "machine_start");
	else
		(void)world_event(db, call_id, words[what], what + 1);
}

static void any_order_ends_alike(void **state)
{
	static const int orders[][6] = {{0, 1, 2, 3, 2, 3}, {0, 2, 1, 3, 0, 0},
		{2, 0, 1, 3, 2, 2}, {0, 1, 3, 2, 2, 3}, {3, 2, 0, 1, 3, 2},
		{2, 3, 1, 0, 1, 0}, {3, 0, 1, 2, 3, 3}};
	char first[256] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct db_claimed call = call_of("hangup_machine");

		for (size_t k = 0; k < 6; k++)
			tell(call.call_id, orders[i][k]);
		if (i == 0)
			(void)snprintf(first, sizeof(first), "%s", snapshot(&call));
		assert_string_equal(snapshot(&call), first);
	}
	assert_memory_equal(first, "ended machine machine_start", 27);
}

static void a_machine_is_hung_up_on_where_it_is_not_wanted(void **state)
{
	static const char *const rules[] = {"off", "detect", "hangup_machine"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct db_claimed call = call_of(rules[i]);

		tell(call.call_id, 0);
		heard(call.call_id, "machine", "machine_end_beep");
		assert_string_equal(
			world_text("SELECT concat_ws(' ', state, answered_by, action)"
				   " FROM calls WHERE id = %lld",
				(long long)call.call_id),
			i < 2 ? "answered machine_end_beep"
			      : "answered machine_end_beep hangup");
		tell(call.call_id, 3);
		assert_string_equal(
			world_text("SELECT outcome FROM calls WHERE id = %lld",
				(long long)call.call_id),
			i < 2 ? "completed" : "machine");
	}
}

static void who_talked_to_a_machine_has_nothing_to_wrap_up(void **state)
{
	struct db_claimed call = call_of("hangup_machine");

	(void)state;
	tell(call.call_id, 0);
	tell(call.call_id, 2);
	tell(call.call_id, 3);
	assert_string_equal(world_text("SELECT state FROM agent_sessions WHERE id = %lld",
				    (long long)call.session_id),
		"ready");
}

static void what_was_said_of_a_call_is_not_overruled_by_late_news(void **state)
{
	struct db_claimed call = call_of("hangup_machine");

	(void)state;
	(void)world_text(
		"UPDATE campaigns SET retry_max = '{9,9,9,9,9,9,9}' WHERE id = %lld",
		(long long)call.campaign_id);
	tell(call.call_id, 0);
	tell(call.call_id, 3);
	(void)world_text(
		"INSERT INTO call_dispositions (call_id, disposition_id, applied_at)"
		" SELECT %lld, id, now() FROM dispositions WHERE name = 'Sale'",
		(long long)call.call_id);
	tell(call.call_id, 2);
	assert_string_equal(world_text("SELECT state FROM queue_entries WHERE id = %lld",
				    (long long)call.entry_id),
		"completed");
}

/* ---- contacts that somebody else has ---- */

static void sweep(void)
{
	struct db_agent_session *sessions = NULL;
	size_t count = 0;

	assert_int_equal(db_sweep(db, NODE, &sessions, &count), 0);
	free(sessions);
}

static void hold(const char *sql, int64_t id)
{
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(db_run_one(other, sql, ARGS(arg_int(id)), NULL), 0);
}

static void late_news_of_a_machine_waits_for_nobody_and_is_settled_later(void **state)
{
	static const char *const holds[] = {
		"UPDATE contacts SET email = 'x' WHERE id = $1",
		"UPDATE queue_entries SET priority = 2 WHERE id = $1"};
	static const char after[] =
		"ended machine machine_start pending machine machine 4";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct db_claimed call = call_of("hangup_machine");

		(void)world_text("UPDATE campaigns SET retry_max = '{9,9,9,9,9,9,9}'"
				 " WHERE id = %lld",
			(long long)call.campaign_id);
		tell(call.call_id, 0);
		tell(call.call_id, 1);
		tell(call.call_id, 3);
		hold(holds[i], i == 0 ? call.contact_id : call.entry_id);
		tell(call.call_id, 2); /* would wait until its time is over, and fail */
		assert_string_equal(snapshot(&call),
			"ended machine machine_start completed completed completed 4");
		sweep();
		assert_string_equal(snapshot(&call),
			"ended machine machine_start completed completed completed 4");
		assert_int_equal(db_commit(other), 0);
		sweep();
		assert_string_equal(snapshot(&call), after);
		assert_int_equal(db_number("SELECT count(*) FROM late_machines"), 0);
	}
}

static void who_was_called_since_keeps_the_outcome_of_that(void **state)
{
	struct db_claimed call = call_of("hangup_machine"), next;
	struct db_claim claim = world_claim(call.campaign_id);

	(void)state;
	tell(call.call_id, 0);
	tell(call.call_id, 3);
	(void)world_text("UPDATE queue_entries SET state = 'pending', run_at = now()"
			 " WHERE id = %lld",
		(long long)call.entry_id);
	(void)world_text("UPDATE agent_sessions SET state = 'ready' WHERE id = %lld",
		(long long)call.session_id);
	assert_int_equal(db_call_claim(db, &claim, &next), 0);
	assert_int_equal(next.result, DB_CLAIM_CALL);
	tell(next.call_id, 0);
	tell(next.call_id, 3);
	tell(call.call_id, 2);
	assert_string_equal(
		world_text("SELECT last_outcome FROM contacts WHERE id = %lld",
			(long long)call.contact_id),
		"completed");
}

/* A recording shows it: what is released again begins to be asked for again. */
static void the_sweep_does_nothing_about_what_is_held(void **state)
{
	struct db_claimed call = call_of("off");
	const char *shown =
		"SELECT concat_ws(' ', r.due_at IS NOT NULL, x.locked_by IS NOT NULL)"
		" FROM recordings r JOIN calls c ON c.id = r.call_id"
		" JOIN contacts x ON x.id = c.contact_id WHERE c.id = %lld";

	(void)state;
	tell(call.call_id, 0);
	tell(call.call_id, 1);
	hold("UPDATE contacts SET email = 'x' WHERE id = $1", call.contact_id);
	tell(call.call_id, 3);
	(void)world_text("INSERT INTO recordings (call_id, campaign_id, state)"
			 " VALUES (%lld, %lld, 'recording')",
		(long long)call.call_id, (long long)call.campaign_id);
	sweep();
	assert_string_equal(world_text(shown, (long long)call.call_id), "f t");
	db_rollback(other);
	sweep();
	assert_string_equal(world_text(shown, (long long)call.call_id), "t f");
}

static void the_lock_of_a_call_that_is_gone_is_not_waited_for(void **state)
{
	struct db_claimed call = call_of("off");

	(void)state;
	tell(call.call_id, 3);
	(void)world_text("UPDATE contacts SET locked_by = -1 WHERE id = %lld",
		(long long)call.contact_id);
	hold("UPDATE contacts SET email = 'x' WHERE id = $1", call.contact_id);
	sweep();
	db_rollback(other);
	sweep();
	assert_int_equal(
		db_number("SELECT count(*) FROM contacts WHERE locked_by = -1"), 0);
}

/* ---- hold and mute ---- */

static void a_wish_is_due_until_it_is_confirmed_and_ends_with_the_call(void **state)
{
	struct db_claimed call = call_of("off");
	struct db_control_wish wish = {.call_id = call.call_id, .hold = 1, .muted = -1};
	struct db_control control, *rows = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_control_wish(db, &wish, &control), -EBUSY);
	tell(call.call_id, 0);
	tell(call.call_id, 1);
	assert_int_equal(db_control_wish(db, &wish, &control), 0);
	assert_true(control.hold && !control.is_hold && !control.muted);
	(void)world_text("UPDATE leg_controls SET due_at = now()");
	assert_int_equal(db_control_due(db, 10, &rows, &count), 0);
	assert_int_equal(count, 1);
	free(rows);
	assert_int_equal(db_control_due(db, 10, &rows, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(
		db_control_confirm(db, control.leg_id, true, false, &control), 0);
	assert_true(control.is_hold);
	assert_int_equal(db_number("SELECT count(*) FROM leg_controls"
				   " WHERE due_at IS NOT NULL"),
		0);
	wish.hold = 0;
	assert_int_equal(db_control_wish(db, &wish, &control), 0);
	assert_int_equal(db_control_give_up(db, control.leg_id, &control), 0);
	assert_true(control.hold && control.is_hold);
	tell(call.call_id, 3);
	assert_int_equal(db_control_of_call(db, call.call_id, &rows, &count), 0);
	assert_int_equal(count, 1);
	assert_false(rows[0].hold);
	free(rows);
	wish.call_id = 999999;
	assert_int_equal(db_control_wish(db, &wish, &control), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_ends_alike),
		cmocka_unit_test(a_machine_is_hung_up_on_where_it_is_not_wanted),
		cmocka_unit_test(who_talked_to_a_machine_has_nothing_to_wrap_up),
		cmocka_unit_test(what_was_said_of_a_call_is_not_overruled_by_late_news),
		cmocka_unit_test(
			late_news_of_a_machine_waits_for_nobody_and_is_settled_later),
		cmocka_unit_test(who_was_called_since_keeps_the_outcome_of_that),
		cmocka_unit_test(the_sweep_does_nothing_about_what_is_held),
		cmocka_unit_test(the_lock_of_a_call_that_is_gone_is_not_waited_for),
		cmocka_unit_test(
			a_wish_is_due_until_it_is_confirmed_and_ends_with_the_call),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
