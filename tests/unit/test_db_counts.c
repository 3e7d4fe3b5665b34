/* test_db_counts.c: how many entries are in each state, kept and not counted anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/campaigns.h"
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

/* What the queue itself says beside what was kept. */
static void assert_true_counts(int64_t campaign)
{
	struct db_queue_stats stats;
	char kept[128];

	assert_int_equal(db_queue_stats(db, campaign, &stats), 0);
	(void)snprintf(kept, sizeof(kept), "%lld %lld %lld %lld %lld",
		(long long)stats.total, (long long)stats.pending,
		(long long)stats.dialing, (long long)stats.completed,
		(long long)stats.skipped);
	assert_string_equal(
		kept, world_text("SELECT concat_ws(' ', count(*),"
				 " count(*) FILTER (WHERE state = 'pending'),"
				 " count(*) FILTER (WHERE state = 'dialing'),"
				 " count(*) FILTER (WHERE state = 'completed'),"
				 " count(*) FILTER (WHERE state = 'skipped'))"
				 " FROM queue_entries WHERE campaign_id = %lld",
			      (long long)campaign));
}

static void counts_follow_every_move(void **state)
{
	int64_t campaign = world_campaign(1, 5);
	struct db_claimed call;

	(void)state;
	assert_true_counts(campaign);
	call = world_call(db, campaign);
	assert_true_counts(campaign);
	(void)world_event(db, call.call_id, "busy", 0);
	assert_true_counts(campaign);
	(void)world_text(
		"UPDATE queue_entries SET state = 'skipped', completed_at = now()"
		" WHERE campaign_id = %lld AND state = 'pending' RETURNING 1",
		(long long)campaign);
	assert_true_counts(campaign);
	(void)world_text(
		"DELETE FROM contacts WHERE id IN (SELECT contact_id"
		" FROM queue_entries WHERE campaign_id = %lld LIMIT 2) RETURNING 1",
		(long long)campaign);
	assert_true_counts(campaign);
}

static void a_campaign_without_a_queue_counts_nothing(void **state)
{
	int64_t campaign = world_campaign(0, 0);
	struct db_queue_stats stats;

	(void)state;
	assert_int_equal(db_queue_stats(db, campaign, &stats), 0);
	assert_int_equal(stats.total, 0);
	assert_true_counts(campaign);
}

static void rolled_back_moves_leave_no_trace(void **state)
{
	int64_t campaign = world_campaign(1, 3);

	(void)state;
	(void)db_text("BEGIN");
	(void)world_text("DELETE FROM queue_entries WHERE campaign_id = %lld RETURNING 1",
		(long long)campaign);
	(void)db_text("ROLLBACK");
	assert_true_counts(campaign);
}

static void what_moves_nothing_leaves_nothing(void **state)
{
	int64_t campaign = world_campaign(1, 3);
	static const char rows[] = "SELECT count(*) FROM queue_counts";
	int64_t before = db_number(rows);

	(void)state;
	(void)world_text("UPDATE queue_entries SET priority = 3 WHERE campaign_id = %lld"
			 " RETURNING 1",
		(long long)campaign);
	assert_int_equal(db_number(rows), before);
	/* Nor do moves to and fro, when they are folded. */
	(void)world_text("INSERT INTO queue_counts (campaign_id, state, change)"
			 " SELECT %lld, 'dialing', 1 - 2 * (g %% 2)"
			 " FROM generate_series(1, 600) g RETURNING 1",
		(long long)campaign);
	(void)db_text("SELECT fold_queue_counts()");
	assert_string_equal(world_text("SELECT string_agg(state || change, ' ')"
				       " FROM queue_counts WHERE campaign_id = %lld",
				    (long long)campaign),
		"pending3");
	assert_true_counts(campaign);
}

static void *claim_and_end(void *arg)
{
	int64_t campaign = *(int64_t *)arg;
	struct db_call_change *changes = NULL;
	struct db_claim claim = world_claim(campaign);
	struct db *own = db_connect();
	struct db_claimed call;
	size_t count;
	int *ret_dialled = calloc(1, sizeof(int));

	for (int i = 0; i < 100; i++) {
		if (db_call_claim(own, &claim, &call) < 0 || call.result != DB_CLAIM_CALL)
			continue;
		(*ret_dialled)++;
		(void)db_call_events_apply(own,
			&(struct db_call_event){.call_id = call.call_id,
				.source = "gateway",
				.source_sid = "x",
				.sequence = -1,
				.event = "refused",
				.at_ms = 1800000000000,
				.duration_s = -1},
			1, &changes, &count);
		free(changes);
		changes = NULL;
	}
	db_close(&own);
	return ret_dialled;
}

static void folding_beside_others_loses_nothing(void **state)
{
	int64_t campaign = world_campaign(3, 400);
	struct db_agent_session *sessions = NULL;
	pthread_t threads[2];
	size_t count;
	void *dialled;
	int sum = 0;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, claim_and_end, &campaign), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(db_sweep(db, NODE, &sessions, &count), 0);
		free(sessions);
		sessions = NULL;
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &dialled), 0);
		sum += *(int *)dialled;
		free(dialled);
	}
	assert_true(sum > 100);
	assert_true_counts(campaign);
	assert_int_equal(db_sweep(db, NODE, &sessions, &count), 0);
	free(sessions);
	assert_true(db_number("SELECT count(*) FROM queue_counts") < 500);
	assert_true_counts(campaign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_follow_every_move),
		cmocka_unit_test(a_campaign_without_a_queue_counts_nothing),
		cmocka_unit_test(rolled_back_moves_leave_no_trace),
		cmocka_unit_test(what_moves_nothing_leaves_nothing),
		cmocka_unit_test(folding_beside_others_loses_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
