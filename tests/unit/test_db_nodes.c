/* test_db_nodes.c: the end of a node: who keeps its agents, and when they are signed out. */
#include "db/nodes.h"

#include <stdlib.h>

#include "db/reserve.h"
#include "db/sessions.h"
#include "unit/cmocka_all.h"
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

static struct db_agent_session session_of(int64_t campaign)
{
	struct db_agent_session session;
	int64_t id = strtoll(
		world_text("SELECT id FROM agent_sessions WHERE campaign_id = %lld",
			(long long)campaign),
		NULL, 10);

	assert_int_equal(db_agent_session_get(db, id, &session), 0);
	return session;
}

/* ---- a node that is dead ---- */

static size_t inherit(void)
{
	int64_t *ids = NULL;
	size_t count = 0;

	assert_int_equal(
		db_node_inherit(db, OTHER_NODE, DB_NODE_DEAD_MS, &ids, &count), 0);
	free(ids);
	return count;
}

static void sweep(void)
{
	struct db_agent_session *sessions = NULL;
	size_t count;

	assert_int_equal(db_sweep(db, OTHER_NODE, &sessions, &count), 0);
	free(sessions);
}

static void a_dead_nodes_agent_is_signed_out_when_its_call_is_over(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed call = world_call(db, campaign);

	(void)state;
	assert_int_equal(db_node_seen(db, NODE), 0);
	(void)db_text("UPDATE nodes SET seen_at = now() - interval '1 hour'");
	assert_int_equal(inherit(), 0);
	assert_string_equal(session_of(campaign).state, "reserved");
	assert_int_equal(world_event(db, call.call_id, "busy", 1), 1);
	assert_int_equal(inherit(), 1);
	assert_string_equal(session_of(campaign).state, "offline");
	assert_string_equal(session_of(campaign).pause_reason, "gateway node gone");
}

/* A change of the endpoint counts from the next sign-in on. */
static void a_dead_nodes_agent_is_judged_by_what_it_signed_in_with(void **state)
{
	static const char *const types[] = {"sip", "browser"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int64_t campaign = world_campaign(1, 1), *ids = NULL, call;
		size_t count;

		call = world_call(db, campaign).call_id;
		(void)world_text("UPDATE agent_sessions SET endpoint = '%s'"
				 " WHERE campaign_id = %lld",
			types[i], (long long)campaign);
		(void)world_text(
			"INSERT INTO agent_endpoints (user_id, type) SELECT user_id,"
			" '%s' FROM agent_sessions WHERE campaign_id = %lld",
			types[1 - i], (long long)campaign);
		assert_int_equal(db_node_seen(db, NODE), 0);
		(void)db_text("UPDATE nodes SET seen_at = now() - interval '1 hour'");
		assert_int_equal(db_node_orphans(db, DB_NODE_DEAD_MS, &ids, &count), 0);
		free(ids);
		assert_int_equal(count, i == 0);
		assert_int_equal(inherit(), i);
		assert_int_equal(world_event(db, call, "busy", 1), 1);
		(void)world_text(
			"UPDATE agent_sessions SET ended_at = now(), state = 'offline'"
			" WHERE campaign_id = %lld",
			(long long)campaign);
	}
}

/* What ends a call lets its agent go. Should it not, the sweep does. */
static void a_dead_nodes_agent_whom_an_ended_call_holds_is_freed_first(void **state)
{
	static const char *const held[] = {"state = 'on_call', hold_until = NULL",
		"state = 'reserved', hold_until = now() - interval '61 seconds'"};

	(void)state;
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		int64_t campaign = world_campaign(1, 1);
		struct db_claimed call = world_call(db, campaign);

		assert_int_equal(world_event(db, call.call_id, "busy", 1), 1);
		(void)world_text(
			"UPDATE agent_sessions SET %s, call_id = %lld WHERE id = %lld",
			held[i], (long long)call.call_id, (long long)call.session_id);
		assert_int_equal(db_node_seen(db, NODE), 0);
		(void)db_text("UPDATE nodes SET seen_at = now() - interval '1 hour'");
		assert_int_equal(inherit(), 0);
		sweep();
		assert_int_equal(inherit(), 1);
		assert_string_equal(session_of(campaign).state, "offline");
	}
}

/* ---- a node that is drained ---- */

static int64_t calls_of(const char *node)
{
	int64_t count;

	assert_int_equal(db_node_calls(db, node, &count), 0);
	return count;
}

static void a_node_waits_for_its_agents_calls_whoever_placed_them(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed call;

	(void)state;
	assert_int_equal(db_node_begin(db, NODE, false), 0);
	assert_int_equal(calls_of(NODE), 0);
	claim.node = OTHER_NODE;
	assert_int_equal(db_call_claim(db, &claim, &call), 0);
	assert_int_equal(call.result, DB_CLAIM_CALL);
	assert_int_equal(calls_of(NODE), 1);
	assert_int_equal(calls_of(OTHER_NODE), 1);
	assert_int_equal(world_event(db, call.call_id, "completed", 1), 1);
	assert_int_equal(calls_of(NODE), 0);
	assert_int_equal(calls_of(OTHER_NODE), 0);
}

static unsigned ready_elsewhere(int64_t campaign)
{
	struct db_node_ready *rows = NULL;
	unsigned ready = 0;
	size_t count;

	assert_int_equal(db_node_ready(db, OTHER_NODE, &rows, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (rows[i].campaign_id == campaign)
			ready += rows[i].count;
	free(rows);
	return ready;
}

/* By either node, by the campaign or a person, who names the agent or not. */
static void nobody_is_found(int64_t campaign)
{
	for (int i = 0; i < 6; i++) {
		struct db_claim claim = world_claim(campaign);
		struct db_claimed claimed;

		claim.node = i % 2 == 0 ? NODE : OTHER_NODE;
		claim.manual = i / 2 > 0;
		if (claim.manual)
			claim.entry_id = strtoll(
				world_text(
					"SELECT max(id) FROM queue_entries"
					" WHERE campaign_id = %lld AND state = 'pending'",
					(long long)campaign),
				NULL, 10);
		if (i / 2 > 1)
			claim.session_id = session_of(campaign).id;
		assert_int_equal(db_call_claim(db, &claim, &claimed), 0);
		assert_int_equal(claimed.result, DB_CLAIM_NO_AGENT);
	}
}

/* The session of the agent for who calls back, or 0. */
static int64_t reserve(int64_t call_id)
{
	struct db_reserved reserved;

	assert_int_equal(db_call_reserve(db, call_id, "CA-back", INSTALL, &reserved), 0);
	return reserved.session_id;
}

static void whose_node_is_drained_gets_no_new_call(void **state)
{
	int64_t campaign = world_campaign(1, 3);
	struct db_claimed call = world_call(db, campaign);
	int64_t back;

	(void)state;
	assert_int_equal(world_event(db, call.call_id, "no_answer", 1), 1);
	assert_int_equal(db_call_inbound(db, "CA-back", call.number, "+15550000000",
				 OTHER_NODE, INSTALL, &back),
		0);
	assert_int_equal(db_node_begin(db, NODE, false), 0);
	assert_int_equal(db_node_begin(db, OTHER_NODE, false), 0);
	assert_int_equal(ready_elsewhere(campaign), 1);
	assert_int_equal(db_node_drain(db, NODE), 0);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(session_of(campaign).state, "ready");
		assert_int_equal(ready_elsewhere(campaign), 0);
		nobody_is_found(campaign);
		assert_int_equal(reserve(back), 0);
		assert_int_equal(db_node_seen(db, NODE), 0);
		/* A worker that takes over goes on draining. */
		assert_int_equal(db_node_begin(db, NODE, true), 0);
	}
	assert_int_equal(db_node_begin(db, NODE, false), 0);
	assert_int_equal(ready_elsewhere(campaign), 1);
	assert_true(reserve(back) == session_of(campaign).id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_nodes_agent_is_signed_out_when_its_call_is_over),
		cmocka_unit_test(a_dead_nodes_agent_is_judged_by_what_it_signed_in_with),
		cmocka_unit_test(
			a_dead_nodes_agent_whom_an_ended_call_holds_is_freed_first),
		cmocka_unit_test(a_node_waits_for_its_agents_calls_whoever_placed_them),
		cmocka_unit_test(whose_node_is_drained_gets_no_new_call),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
