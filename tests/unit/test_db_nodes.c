/* test_db_nodes.c: the end of a node: who keeps its agents, and when they are signed out. */
#include "db/nodes.h"

#include <stdlib.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_nodes_agent_is_signed_out_when_its_call_is_over),
		cmocka_unit_test(
			a_dead_nodes_agent_whom_an_ended_call_holds_is_freed_first),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
