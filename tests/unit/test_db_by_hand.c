/* test_db_by_hand.c: what becomes of the queue for a number that was dialled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/queue.h"
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

/* The n-th row of a campaign; from 0. */
static int64_t nth(const char *table, int64_t campaign, unsigned n)
{
	return strtoll(world_text("SELECT id FROM %s WHERE campaign_id = %lld"
				  " ORDER BY id OFFSET %u LIMIT 1",
			       table, (long long)campaign, n),
		NULL, 10);
}

static void set_entry(int64_t entry, const char *what)
{
	(void)world_text(
		"UPDATE queue_entries SET %s WHERE id = %lld", what, (long long)entry);
}

/* The call ends so; the state of its entry, why, and the hours until it is due. */
static const char *after_dial(int64_t campaign, const char *number, const char *event)
{
	const struct db_dial dial = {.number = number, .name = ""};
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	claim.manual = true;
	claim.dial = &dial;
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL"
			 " WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	if (strcmp(event, "unsent") == 0)
		world_tell(db, c.call_id, event);
	else
		(void)world_event(db, c.call_id, event, 1);
	return world_text(
		"SELECT concat_ws(' ', state, NULLIF(reason, ''), CASE WHEN"
		" state = 'pending' THEN round(extract(epoch FROM run_at - now())"
		" / 3600) END) FROM queue_entries WHERE id = %lld",
		(long long)c.entry_id);
}

static void what_was_dialled_by_hand_only_is_not_kept_for_auto_dial(void **state)
{
	static const char *const ends[][2] = {{"unsent", "skipped by_hand"},
		{"canceled", "skipped by_hand"}, {"busy", "completed"},
		{"no_answer", "completed"}, {"failed", "completed"},
		{"completed", "completed"}};
	int64_t campaign = world_campaign(1, 0), entry;
	struct db_claimed c;
	char number[32];

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(number, sizeof(number), "+1415555700%u", i / 2);
		assert_string_equal(
			after_dial(campaign, number, ends[i / 2][0]), ends[i / 2][1]);
	}
	entry = nth("queue_entries", campaign, 0);
	assert_int_equal(db_entry_requeue(db, campaign, entry), 0);
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL"
			 " WHERE campaign_id = %lld",
		(long long)campaign);
	c = world_call(db, campaign);
	assert_int_equal(c.entry_id, entry);
	(void)world_event(db, c.call_id, "busy", 1);
	assert_string_equal(world_text("SELECT concat_ws(' ', state, reason)"
				       " FROM queue_entries WHERE id = %lld",
				    (long long)entry),
		"pending retry");
}

static void what_waited_in_the_queue_is_due_no_sooner_for_a_call_given_up(void **state)
{
	static const char later[] = "run_at = now() + interval '24 hours'";
	int64_t campaign = world_campaign(1, 1);
	int64_t entry = nth("queue_entries", campaign, 0);
	char number[DB_NUMBER_SIZE];

	(void)state;
	(void)snprintf(number, sizeof(number), "%s",
		world_text("SELECT c.phone FROM contacts c JOIN queue_entries q"
			   " ON q.contact_id = c.id WHERE q.id = %lld",
			(long long)entry));
	set_entry(entry, later);
	assert_string_equal(after_dial(campaign, number, "unsent"), "pending unsent 24");
	assert_string_equal(after_dial(campaign, number, "canceled"), "pending retry 24");
	set_entry(entry, "run_at = now()");
	assert_string_equal(after_dial(campaign, number, "unsent"), "pending unsent 0");
	assert_string_equal(after_dial(campaign, number, "canceled"), "pending retry 1");
	set_entry(entry, later);
	assert_string_equal(after_dial(campaign, number, "completed"), "completed");
	/* It was dialled to an end: by hand it is called once more, and that is all. */
	assert_string_equal(after_dial(campaign, number, "busy"), "completed");
	/* Its list would have brought it into the queue. */
	(void)world_text("DELETE FROM queue_entries WHERE campaign_id = %lld",
		(long long)campaign);
	assert_string_equal(after_dial(campaign, number, "busy"), "pending retry 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_dialled_by_hand_only_is_not_kept_for_auto_dial),
		cmocka_unit_test(
			what_waited_in_the_queue_is_due_no_sooner_for_a_call_given_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
