/* test_db_due.c: what comes due on a call, what a sweep frees, and how calls are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/legs.h"
#include "db/sessions.h"
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

static size_t due(const char *node, struct db_due *ret_first)
{
	struct db_due *rows = NULL;
	size_t count = 0;

	assert_int_equal(db_call_due(db, node, 5000, 100, &rows, &count), 0);
	if (count > 0 && ret_first)
		*ret_first = rows[0];
	free(rows);
	return count;
}

static void end_all(void)
{
	(void)db_text(
		"UPDATE calls SET state = 'ended', outcome = 'failed', ended_at = now(),"
		" deadline_at = NULL, action = NULL WHERE state <> 'ended'");
}

static void a_deadline_comes_due_once_and_again_later(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed;
	struct db_due row = {0};

	(void)state;
	end_all();
	claimed = world_call(db, campaign);
	assert_int_equal(due(NODE, NULL), 0);
	assert_int_equal(db_call_expire_deadlines(db, NODE), 0);
	assert_int_equal(due(OTHER_NODE, NULL), 0); /* not its call, not for a minute */
	assert_int_equal(due(NODE, &row), 1);
	assert_true(row.call_id == claimed.call_id && row.mine);
	assert_string_equal(row.state, "placing");
	assert_string_equal(row.action, "");
	assert_string_equal(row.number, claimed.number);
	assert_int_equal(due(NODE, NULL), 0);
	(void)world_text(
		"UPDATE calls SET deadline_at = now() - interval '61 s' WHERE id = %lld",
		(long long)claimed.call_id);
	assert_int_equal(due(OTHER_NODE, &row), 1);
	assert_false(row.mine);
}

static void an_action_that_nobody_did_comes_due(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed;
	struct db_due row = {0};

	(void)state;
	end_all();
	claimed = world_call(db, campaign);
	world_tell(db, claimed.call_id, "hangup");
	assert_int_equal(due(NODE, NULL), 0);
	(void)world_text("UPDATE calls SET action_due_at = now() WHERE id = %lld",
		(long long)claimed.call_id);
	assert_int_equal(due(NODE, &row), 1);
	assert_string_equal(row.action, "hangup");
	assert_int_equal(due(NODE, NULL), 0);
	(void)world_text("UPDATE calls SET action_due_at = now() WHERE id = %lld",
		(long long)claimed.call_id);
	assert_int_equal(db_call_action_done(db, claimed.call_id), 0);
	assert_int_equal(due(NODE, NULL), 0);
}

static size_t sweep(void)
{
	struct db_agent_session *sessions = NULL;
	size_t count = 0;

	assert_int_equal(db_sweep(db, NODE, &sessions, &count), 0);
	free(sessions);
	return count;
}

static void a_sweep_frees_what_no_live_call_holds(void **state)
{
	int64_t campaign = world_campaign(2, 2);
	struct db_claimed live, dead;

	(void)state;
	(void)sweep();
	live = world_call(db, campaign);
	dead = world_call(db, campaign);
	(void)world_text(
		"UPDATE agent_sessions SET hold_until = now() WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(sweep(), 0); /* both calls live */
	(void)world_text(
		"UPDATE calls SET state = 'ended', outcome = 'busy', ended_at = now()"
		" WHERE id = %lld",
		(long long)dead.call_id);
	/* Its own release frees the session first; the sweep then has nothing left to do. */
	(void)sweep();
	assert_string_equal(
		world_text(
			"SELECT concat_ws(' ', s.state, s.call_id, q.state, x.locked_by)"
			" FROM agent_sessions s, queue_entries q"
			" JOIN contacts x ON x.id = q.contact_id"
			" WHERE s.id = %lld AND q.id = %lld",
			(long long)dead.session_id, (long long)dead.entry_id),
		"ready pending");
	assert_string_equal(world_text("SELECT state FROM agent_sessions WHERE id = %lld",
				    (long long)live.session_id),
		"reserved");
	(void)world_text("UPDATE agent_sessions SET state = 'wrap_up', hold_until = now()"
			 " WHERE id = %lld",
		(long long)dead.session_id);
	assert_int_equal(sweep(), 1);
	assert_int_equal(sweep(), 0);
	(void)world_text("UPDATE contacts SET locked_by = 999999 WHERE locked_by = %lld",
		(long long)live.call_id);
	(void)sweep();
	assert_int_equal(
		db_number("SELECT count(*) FROM contacts WHERE locked_by = 999999"), 0);
}

/* ---- customers whose agent is away ---- */

static size_t alone(const char *node, struct db_alone *ret_first)
{
	struct db_alone *rows = NULL;
	size_t count = 0;

	assert_int_equal(db_agent_sessions_alone(db, node, 5000, &rows, &count), 0);
	if (count > 0 && ret_first)
		*ret_first = rows[0];
	free(rows);
	return count;
}

/* Their time is over. */
static void wait_in_vain(void)
{
	(void)db_text("UPDATE agent_sessions SET away_until = now()"
		      " WHERE away_until IS NOT NULL");
}

static const char *away(int64_t session_id)
{
	return world_text(
		"SELECT CASE WHEN away_until IS NULL THEN 'no'"
		" WHEN away_until > now() + interval '15 seconds'"
		"  AND away_until <= now() + interval '20 seconds' THEN 'waited for'"
		" ELSE 'late' END FROM agent_sessions WHERE id = %lld",
		(long long)session_id);
}

static void an_agent_lost_in_mid_call_has_a_while_to_come_back(void **state)
{
	struct db_claimed claimed = world_call(db, world_campaign(1, 1));
	struct db_agent_session s;
	struct db_alone row = {0};
	char sid[DB_SID_SIZE];

	(void)state;
	(void)snprintf(sid, sizeof(sid), "CA%032lld", (long long)claimed.call_id);
	(void)world_event(db, claimed.call_id, "answered", 1);
	assert_string_equal(away(claimed.session_id), "no");
	assert_int_equal(
		db_agent_session_phone(db, claimed.session_id, false, NULL, &s), 0);
	assert_string_equal(away(claimed.session_id), "waited for");
	wait_in_vain();
	assert_int_equal(alone(NODE, NULL), 0); /* the customer is not there yet */
	(void)world_event(db, claimed.call_id, "joined", 2);
	assert_int_equal(
		db_agent_session_phone(db, claimed.session_id, true, NULL, &s), 0);
	assert_string_equal(away(claimed.session_id), "no");

	/* The leg at Twilio is lost, then the phone: one time for both. */
	(void)world_text("UPDATE agent_sessions SET twilio_up = false WHERE id = %lld",
		(long long)claimed.session_id);
	assert_string_equal(away(claimed.session_id), "waited for");
	assert_int_equal(alone(NODE, NULL), 0);
	wait_in_vain();
	assert_int_equal(
		db_agent_session_phone(db, claimed.session_id, false, NULL, &s), 0);
	assert_string_equal(away(claimed.session_id), "late");
	assert_int_equal(alone(OTHER_NODE, NULL), 0);
	assert_int_equal(alone(NODE, &row), 1);
	assert_true(row.call_id == claimed.call_id && !row.inbound);
	assert_string_equal(row.leg_sid, sid);
	assert_int_equal(alone(NODE, NULL), 0); /* not at once again */

	/* After a time in which nobody looked. */
	wait_in_vain();
	assert_int_equal(db_agent_sessions_wait(db, OTHER_NODE), 0);
	assert_string_equal(away(claimed.session_id), "late");
	assert_int_equal(db_agent_sessions_wait(db, NODE), 0);
	assert_string_equal(away(claimed.session_id), "waited for");

	/* Who is hung up needs no goodbye, until that has failed. */
	wait_in_vain();
	world_tell(db, claimed.call_id, "hangup");
	assert_int_equal(alone(NODE, NULL), 0);
	assert_int_equal(db_call_action_done(db, claimed.call_id), 0);
	assert_int_equal(alone(NODE, NULL), 1);
	(void)world_event(db, claimed.call_id, "completed", 3);
	assert_string_equal(away(claimed.session_id), "no");
}

/* ---- reading ---- */

static void calls_are_found_by_the_labels_of_their_customers(void **state)
{
	int64_t campaign = world_campaign(2, 2), ids[5];
	struct db_claimed one = world_call(db, campaign), two = world_call(db, campaign);
	struct db_agent_leg leg;

	(void)state;
	assert_int_equal(
		db_agent_leg_new(db, one.session_id, "install", "labels", &leg), 0);
	assert_int_equal(db_calls_by_label(db,
				 (const char *[]){two.label, leg.label, one.label,
					 "nobody\"{},", two.label},
				 5, ids),
		0);
	assert_true(
		ids[0] == two.call_id && ids[2] == one.call_id && ids[4] == two.call_id);
	assert_true(ids[1] == 0 && ids[3] == 0);
	/* Bytes that are no text spoil them all, and the caller asks one by one. */
	assert_true(db_calls_by_label(
			    db, (const char *[]){one.label, "\xff\xfe"}, 2, ids) < 0);
	assert_int_equal(db_calls_by_label(db, (const char *[]){one.label}, 1, ids), 0);
	assert_true(ids[0] == one.call_id);
}

static void calls_are_found_by_page_and_history(void **state)
{
	int64_t campaign = world_campaign(3, 3);
	struct db_claimed claimed[3];
	struct db_call_event_row *rows = NULL;
	struct db_call *calls = NULL;
	struct db_call call;
	int64_t *ids = NULL;
	size_t count = 0;

	(void)state;
	end_all();
	for (int i = 0; i < 3; i++)
		claimed[i] = world_call(db, campaign);
	assert_int_equal(db_call_placing(db, NODE, &ids, &count), 0);
	assert_int_equal(count, 3);
	free(ids);
	assert_int_equal(db_call_page(db,
				 &(struct db_call_filter){.campaign_id = campaign,
					 .before = claimed[2].call_id},
				 1, &calls, &count),
		0);
	assert_int_equal(count, 2);
	assert_true(calls[0].id == claimed[1].call_id);
	free(calls);
	assert_int_equal(
		db_call_page(db, &(struct db_call_filter){0}, 1, &calls, &count), 0);
	assert_true(count == 2 && calls[0].id == claimed[2].call_id);
	free(calls);
	assert_int_equal(db_call_get(db, claimed[0].call_id, &call), 0);
	assert_int_equal(call.duration_s, -1);
	assert_int_equal(db_call_get(db, -1, &call), -ENOENT);
	(void)world_event(db, claimed[0].call_id, "initiated", 0);
	world_tell(db, claimed[0].call_id, "failed");
	assert_int_equal(db_call_history(db, claimed[0].call_id, &rows, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].event, "initiated");
	assert_int_equal(rows[1].sequence, -1);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadline_comes_due_once_and_again_later),
		cmocka_unit_test(an_action_that_nobody_did_comes_due),
		cmocka_unit_test(a_sweep_frees_what_no_live_call_holds),
		cmocka_unit_test(an_agent_lost_in_mid_call_has_a_while_to_come_back),
		cmocka_unit_test(calls_are_found_by_the_labels_of_their_customers),
		cmocka_unit_test(calls_are_found_by_page_and_history),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
