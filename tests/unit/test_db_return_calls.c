/* test_db_return_calls.c: which agent somebody gets who calls back, and who waits for one in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "db/reserve.h"
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

/* A customer who calls back finds who is signed in to all campaigns, not who is elsewhere. */
static void a_customer_who_calls_gets_an_agent_of_all_campaigns(void **state)
{
	struct db_agent_session s;
	struct db_reserved got;
	struct db_claimed c;
	int64_t campaign, id = 0;

	(void)state;
	campaign = world_agent(db, "phone", true, &s);
	c = world_call(db, campaign);
	(void)world_event(db, c.call_id, "busy", 0);
	(void)world_text("UPDATE agent_sessions SET campaign_id = NULL WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(db_call_inbound(db, "CAall1", c.number, "+15550000001", NODE,
				 INSTALL, &id),
		0);
	assert_int_equal(db_call_reserve(db, id, "CAall1", INSTALL, &got), 0);
	assert_true(got.session_id == 0);
	(void)world_text("INSERT INTO campaign_agents VALUES (%lld, %lld)"
			 " ON CONFLICT DO NOTHING",
		(long long)campaign, (long long)s.user_id);
	(void)world_text("UPDATE agent_sessions SET node_id = '" OTHER_NODE "'"
			 " WHERE id = %lld",
		(long long)s.id);
	(void)world_text("INSERT INTO nodes (id, seen_at) VALUES ('" OTHER_NODE "',"
			 " now() - interval '1 minute') ON CONFLICT (id) DO UPDATE"
			 " SET seen_at = EXCLUDED.seen_at");
	assert_int_equal(db_call_reserve(db, id, "CAall1", INSTALL, &got), 0);
	assert_true(got.session_id == 0); /* its node is dead */
	(void)world_text("UPDATE nodes SET seen_at = now()");
	assert_int_equal(db_call_reserve(db, id, "CAall1", INSTALL, &got), 0);
	assert_true(got.session_id == s.id);
}

/* A campaign whose one agent is rung for each call; `number` was called, and calls back as `sid`. */
static int64_t calls_back(const char *sid, struct db_agent_session *s, int64_t *ret_call)
{
	int64_t campaign = world_agent(db, "phone", false, s);
	struct db_claimed c = world_call(db, campaign);

	world_tell(db, c.call_id, "agent_joined");
	(void)world_event(db, c.call_id, "busy", 0);
	assert_int_equal(db_call_inbound(db, sid, c.number, "+15550000001", NODE, INSTALL,
				 ret_call),
		0);
	return campaign;
}

/* The customer of this inbound call is in the conference, or is gone. */
static void caller(int64_t call_id, const char *sid, const char *event)
{
	struct db_call_change *changes = NULL;
	size_t count = 0;

	assert_int_equal(db_call_events_apply(db,
				 &(struct db_call_event){.call_id = call_id,
					 .source = "call",
					 .source_sid = sid,
					 .sequence = -1,
					 .event = event,
					 .at_ms = 1800000000000,
					 .leg_sid = sid,
					 .duration_s = -1},
				 1, &changes, &count),
		0);
	free(changes);
}

static const char *what_became(int64_t call_id, int64_t session_id)
{
	return world_text(
		"SELECT concat_ws(' ', c.outcome, s.state,"
		" CASE WHEN s.state = 'paused' THEN s.pause_reason END)"
		" FROM calls c, agent_sessions s WHERE c.id = %lld AND s.id = %lld",
		(long long)call_id, (long long)session_id);
}

static int64_t reserve(int64_t call_id, const char *sid)
{
	struct db_reserved got;

	assert_int_equal(db_call_reserve(db, call_id, sid, INSTALL, &got), 0);
	return got.session_id;
}

static void who_calls_back_waits_for_an_agent_who_is_rung(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	int64_t call = 0, next = 0;

	(void)state;
	(void)calls_back("CArung1", &s, &call);
	assert_true(reserve(call, "CArung1") == s.id);
	caller(call, "CArung1", "joined");
	leg = world_ring(db, &s);
	assert_string_equal(
		leg.conference, world_text("SELECT conference FROM calls WHERE id = %lld",
					(long long)call));
	assert_string_equal(
		world_text("SELECT state || ' ' || (away_until BETWEEN now()"
			   "  + interval '20 seconds' AND now() + interval '30 seconds')"
			   " FROM agent_sessions WHERE id = %lld",
			(long long)s.id),
		"on_call true");
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAthere", &s), 0);
	assert_string_equal(world_text("SELECT (away_until IS NULL)::text"
				       " FROM agent_sessions WHERE id = %lld",
				    (long long)s.id),
		"true");
	caller(call, "CArung1", "completed");
	assert_string_equal(what_became(call, s.id), "completed wrap_up");

	/* While the leg of the last call is still there, the agent is not free. */
	(void)world_text("UPDATE agent_sessions SET state = 'ready' WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(db_call_inbound(db, "CArung2",
				 world_text("SELECT number FROM calls WHERE id = %lld",
					 (long long)call),
				 "+15550000001", NODE, INSTALL, &next),
		0);
	assert_true(reserve(next, "CArung2") == 0);
	assert_int_equal(db_agent_leg_left(db, leg.label, "CAthere", &s), 0);
	assert_true(reserve(next, "CArung2") == s.id);
}

static void who_is_connected_is_asked_before_who_is_to_be_rung(void **state)
{
	struct db_agent_session rung, nailed;
	int64_t campaign, call = 0;

	(void)state;
	campaign = calls_back("CAfirst", &rung, &call);
	/* Somebody whom we have called waits for nobody. */
	(void)world_text("UPDATE calls SET direction = 'outbound' WHERE id = %lld",
		(long long)call);
	assert_true(reserve(call, "CAfirst") == 0);
	(void)world_text("UPDATE calls SET direction = 'inbound' WHERE id = %lld",
		(long long)call);
	(void)world_agent(db, "phone", true, &nailed);
	(void)world_text("UPDATE agent_sessions SET campaign_id = %lld,"
			 " state_since = now() + interval '1 minute' WHERE id = %lld",
		(long long)campaign, (long long)nailed.id);
	assert_true(reserve(call, "CAfirst") == nailed.id);
	caller(call, "CAfirst", "joined");
	caller(call, "CAfirst", "completed");
	assert_string_equal(what_became(call, nailed.id), "completed wrap_up");
}

static void who_waits_in_vain_for_who_is_rung_is_abandoned(void **state)
{
	struct db_agent_session s;
	struct db_alone *alone = NULL;
	int64_t call = 0;
	size_t count = 0;

	(void)state;
	(void)calls_back("CAvain1", &s, &call);
	assert_true(reserve(call, "CAvain1") == s.id);
	caller(call, "CAvain1", "joined");
	(void)world_text("UPDATE agent_sessions SET away_until = now() WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(db_agent_sessions_alone(db, NODE, 1000, &alone, &count), 0);
	assert_int_equal(count, 1);
	assert_true(alone[0].call_id == call && alone[0].inbound && alone[0].missing);
	free(alone);
	world_tell(db, call, "agent_missing");
	caller(call, "CAvain1", "completed");
	assert_string_equal(
		what_became(call, s.id), "abandoned paused " DB_REASON_UNANSWERED);

	/* Who does not wait so long: no fault of the agent's. */
	(void)calls_back("CAvain2", &s, &call);
	assert_true(reserve(call, "CAvain2") == s.id);
	caller(call, "CAvain2", "joined");
	caller(call, "CAvain2", "completed");
	assert_string_equal(what_became(call, s.id), "abandoned ready");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_customer_who_calls_gets_an_agent_of_all_campaigns),
		cmocka_unit_test(who_calls_back_waits_for_an_agent_who_is_rung),
		cmocka_unit_test(who_is_connected_is_asked_before_who_is_to_be_rung),
		cmocka_unit_test(who_waits_in_vain_for_who_is_rung_is_abandoned),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
