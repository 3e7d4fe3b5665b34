/* test_db_callbacks.c: promises to call back: who dials them, when, and what ends them. */
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

/* The n-th agent, contact, entry of a campaign; from 0. */
static int64_t nth(const char *column, const char *table, int64_t campaign, unsigned n)
{
	return strtoll(world_text("SELECT %s FROM %s WHERE campaign_id = %lld"
				  " ORDER BY id OFFSET %u LIMIT 1",
			       column, table, (long long)campaign, n),
		NULL, 10);
}

static int64_t agent(int64_t campaign, unsigned n)
{
	return nth("user_id", "agent_sessions", campaign, n);
}

static int64_t contact(int64_t campaign, unsigned n)
{
	return nth("contact_id", "queue_entries", campaign, n);
}

static int64_t promise(int64_t campaign, int64_t contact_id, int64_t agent_id, int due_s)
{
	int64_t id = 0;

	assert_int_equal(db_callback_create(db,
				 &(struct db_callback){.campaign_id = campaign,
					 .contact_id = contact_id,
					 .agent_id = agent_id,
					 .due_ms = clock_wall_ms() + due_s * 1000,
					 .grace_s = 600,
					 .note = "after lunch"},
				 &id),
		0);
	return id;
}

static const char *state_of(int64_t id)
{
	return world_text("SELECT state FROM callbacks WHERE id = %lld", (long long)id);
}

static struct db_claimed claim_as(int64_t campaign, int64_t session, int64_t entry)
{
	struct db_claim claim = world_claim(campaign);
	struct db_claimed claimed;

	claim.session_id = session;
	claim.entry_id = entry;
	claim.manual = entry != 0;
	assert_int_equal(db_call_claim(db, &claim, &claimed), 0);
	return claimed;
}

static void what_is_due_comes_before_everything_else(void **state)
{
	int64_t campaign = world_campaign(2, 5);
	int64_t late = promise(campaign, contact(campaign, 4), 0, 3600);
	int64_t due = promise(campaign, contact(campaign, 3), 0, -5);
	struct db_claimed first, second;

	(void)state;
	first = world_call(db, campaign);
	assert_int_equal(first.contact_id, contact(campaign, 3));
	second = world_call(db, campaign);
	assert_int_equal(second.contact_id, contact(campaign, 0));
	assert_string_equal(state_of(late), "pending");
	assert_string_equal(state_of(due), "pending");
	assert_int_equal(world_event(db, first.call_id, "no_answer", 1), 1);
	assert_string_equal(state_of(due), "done");
	assert_string_equal(
		world_text("SELECT done_call_id FROM callbacks WHERE id = %lld",
			(long long)due),
		world_text("SELECT %lld", (long long)first.call_id));
}

static void its_owner_gets_it_even_when_another_waits_longer(void **state)
{
	int64_t campaign = world_campaign(3, 2);
	int64_t owner = agent(campaign, 2);
	struct db_claimed claimed;

	(void)state;
	(void)world_text(
		"UPDATE agent_sessions SET state_since = now() - interval '1 hour'"
		" WHERE campaign_id = %lld AND user_id <> %lld",
		(long long)campaign, (long long)owner);
	(void)promise(campaign, contact(campaign, 1), owner, -1);
	claimed = world_call(db, campaign);
	assert_int_equal(claimed.agent_id, owner);
	assert_int_equal(claimed.contact_id, contact(campaign, 1));
	claimed = world_call(db, campaign);
	assert_int_not_equal(claimed.agent_id, owner);
	assert_int_equal(claimed.contact_id, contact(campaign, 0));
}

static void nobody_else_gets_it_before_the_grace_is_over(void **state)
{
	int64_t campaign = world_campaign(2, 1);
	int64_t owner = agent(campaign, 0),
		other = nth("id", "agent_sessions", campaign, 1);
	int64_t entry = nth("id", "queue_entries", campaign, 0);
	int64_t id = promise(campaign, contact(campaign, 0), owner, -1);
	struct db_claimed claimed;

	(void)state;
	(void)world_text("UPDATE agent_sessions SET state = 'on_call' WHERE campaign_id ="
			 " %lld AND user_id = %lld",
		(long long)campaign, (long long)owner);
	claimed = claim_as(campaign, 0, 0);
	assert_int_equal(claimed.result, DB_CLAIM_NO_ENTRY);
	assert_in_range(
		claimed.next_ms, clock_wall_ms() + 590000, clock_wall_ms() + 600000);
	claimed = claim_as(campaign, other, entry);
	assert_int_equal(claimed.result, DB_CLAIM_REFUSED);
	assert_string_equal(claimed.rule, "callback.owner");
	claimed = claim_as(campaign, 0, entry);
	assert_int_equal(claimed.result, DB_CLAIM_REFUSED);
	assert_string_equal(world_text("SELECT state FROM queue_entries WHERE id = %lld",
				    (long long)entry),
		"pending");

	(void)world_text("UPDATE queue_entries SET agent_until = now() WHERE id = %lld",
		(long long)entry);
	(void)world_sweep_tells(db, 0);
	claimed = claim_as(campaign, 0, 0);
	assert_int_equal(claimed.result, DB_CLAIM_CALL);
	assert_int_equal(claimed.session_id, other);
	assert_string_equal(state_of(id), "pending");
}

static void call_now_by_anybody_takes_the_owner(void **state)
{
	int64_t campaign = world_campaign(2, 1);
	int64_t owner = agent(campaign, 1);
	struct db_claimed claimed;

	(void)state;
	(void)promise(campaign, contact(campaign, 0), owner, 3600);
	claimed = claim_as(campaign, 0, nth("id", "queue_entries", campaign, 0));
	assert_int_equal(claimed.result, DB_CLAIM_CALL);
	assert_int_equal(claimed.agent_id, owner);
}

static void promised_in_a_call_it_is_queued_when_that_ends(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed call = world_call(db, campaign);
	int64_t id = promise(campaign, call.contact_id, 0, 60);

	(void)state;
	assert_string_equal(
		world_text("SELECT entry_id IS NULL FROM callbacks WHERE id = %lld",
			(long long)id),
		"t");
	(void)world_event(db, call.call_id, "completed", 5);
	assert_string_equal(state_of(id), "pending");
	assert_string_equal(
		world_text(
			"SELECT concat_ws(' ', q.state, q.priority, q.run_at = b.due_at,"
			" q.id <> %lld) FROM callbacks b"
			" JOIN queue_entries q ON q.id = b.entry_id WHERE b.id = %lld",
			(long long)call.entry_id, (long long)id),
		"pending 1 t t");
}

static void it_is_dialled_whatever_the_attempts_were(void **state)
{
	int64_t campaign = world_campaign(1, 1);

	(void)state;
	(void)world_text("UPDATE queue_entries SET attempts = 3 WHERE campaign_id = %lld",
		(long long)campaign);
	(void)promise(campaign, contact(campaign, 0), 0, -1);
	assert_string_equal(
		world_text("SELECT attempts FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		"2");
}

static void one_contact_has_one_open_promise_in_a_campaign(void **state)
{
	int64_t campaign = world_campaign(1, 1), other = world_campaign(1, 1), id;
	struct db_callback again = {.campaign_id = campaign,
		.contact_id = contact(campaign, 0),
		.due_ms = clock_wall_ms()};

	(void)state;
	(void)promise(campaign, again.contact_id, 0, 60);
	assert_int_equal(db_callback_create(db, &again, &id), -EEXIST);
	again.campaign_id = other;
	(void)world_text("INSERT INTO queue_entries (campaign_id, contact_id)"
			 " VALUES (%lld, %lld)",
		(long long)other, (long long)again.contact_id);
	assert_int_equal(db_callback_create(db, &again, &id), 0);
	again.campaign_id = 999999;
	assert_int_equal(db_callback_create(db, &again, &id), -ENOENT);
	again.campaign_id = campaign;
	again.contact_id = 999999;
	assert_int_equal(db_callback_create(db, &again, &id), -ENOENT);
	again.contact_id = contact(other, 0);
	again.agent_id = 999999;
	assert_int_equal(db_callback_create(db, &again, &id), -ENOENT);
}

static void only_who_is_of_the_campaign_is_called_back_in_it(void **state)
{
	int64_t campaign = world_campaign(1, 1), other = world_campaign(1, 2), id;
	struct db_callback b = {.campaign_id = campaign,
		.contact_id = contact(other, 0),
		.due_ms = clock_wall_ms()};

	(void)state;
	assert_int_equal(db_callback_create(db, &b, &id), -ENOENT);
	assert_string_equal(
		world_text("SELECT count(*) FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		"1");
	/* It was in the campaign's queue: its list has moved since. */
	(void)world_text("INSERT INTO queue_entries (campaign_id, contact_id, state)"
			 " VALUES (%lld, %lld, 'completed')",
		(long long)campaign, (long long)b.contact_id);
	assert_int_equal(db_callback_create(db, &b, &id), 0);
	/* It is on a list of the campaign, and was never queued. */
	b.campaign_id = other;
	b.contact_id = contact(other, 1);
	(void)world_text("DELETE FROM queue_entries WHERE contact_id = %lld",
		(long long)b.contact_id);
	assert_int_equal(db_callback_create(db, &b, &id), 0);
}

static void a_cancelled_one_gives_the_queue_back_what_it_was(void **state)
{
	int64_t campaign = world_campaign(2, 2);
	int64_t queued = promise(campaign, contact(campaign, 0), agent(campaign, 0), -1);
	struct db_claimed call =
		claim_as(campaign, 0, nth("id", "queue_entries", campaign, 1));
	int64_t made;

	(void)state;
	(void)world_event(db, call.call_id, "completed", 5);
	made = promise(campaign, call.contact_id, 0, 60);
	assert_int_equal(db_callback_cancel(db, queued), 0);
	assert_int_equal(db_callback_cancel(db, made), 0);
	assert_string_equal(state_of(queued), "cancelled");
	assert_string_equal(world_text("SELECT string_agg(concat_ws(' ', state, priority,"
				       " agent_id IS NULL), ', ' ORDER BY id)"
				       " FROM queue_entries WHERE campaign_id = %lld",
				    (long long)campaign),
		"pending 2 t, completed 2 t, skipped 2 t");
	assert_int_equal(db_callback_cancel(db, queued), -EINVAL);
	assert_int_equal(db_callback_cancel(db, 999999), -ENOENT);
}

static void a_cancelled_one_leaves_who_waited_its_own_time_and_priority(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	struct db_callback row;
	int64_t id;

	(void)state;
	(void)world_text("UPDATE queue_entries SET priority = 3, run_at = '2026-01-02Z'"
			 " WHERE campaign_id = %lld",
		(long long)campaign);
	for (unsigned i = 0; i < 2; i++) {
		id = promise(campaign, contact(campaign, i), agent(campaign, 0), 36000);
		assert_int_equal(db_callback_get(db, id, &row), 0);
		row.due_ms += 36000000;
		assert_int_equal(db_callback_update(db, &row), 0);
		/* A priority that somebody gives it meanwhile stays. */
		if (i == 1)
			(void)world_text("UPDATE queue_entries SET priority = 5"
					 " WHERE id = (SELECT entry_id FROM callbacks"
					 " WHERE id = %lld)",
				(long long)id);
		assert_int_equal(db_callback_cancel(db, id), 0);
	}
	assert_string_equal(
		world_text("SELECT string_agg(concat_ws(' ', state, priority,"
			   " run_at = '2026-01-02Z', agent_id IS NULL), ', ' ORDER BY id)"
			   " FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		"pending 3 t t, pending 5 t t");
}

/* Its entry was made for it, and the one call from that never left. */
static int64_t unsent_promise(int64_t campaign, int64_t contact_id)
{
	int64_t id = promise(campaign, contact_id, 0, -1);
	struct db_claimed call = world_call(db, campaign);

	assert_int_equal(call.contact_id, contact_id);
	world_tell(db, call.call_id, "unsent");
	assert_string_equal(
		world_text("SELECT concat_ws(' ', b.state, q.state, q.dials)"
			   " FROM callbacks b JOIN queue_entries q ON q.id = b.entry_id"
			   " WHERE b.id = %lld",
			(long long)id),
		"pending pending 1");
	return id;
}

static void who_was_queued_for_it_alone_is_not_called_when_it_is_cancelled(void **state)
{
	int64_t campaign = world_campaign(2, 2);
	int64_t who[2] = {contact(campaign, 0), contact(campaign, 1)};

	(void)state;
	(void)world_text("UPDATE queue_entries SET state = 'completed',"
			 " completed_at = now() WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_callback_cancel(db, unsent_promise(campaign, who[0])), 0);
	/* As a disposition does. */
	(void)unsent_promise(campaign, who[1]);
	(void)world_text("SELECT cancel_callbacks(NULL, %lld, %lld)", (long long)campaign,
		(long long)who[1]);
	assert_string_equal(world_text("SELECT string_agg(concat_ws(' ', state, dials,"
				       " completed_at IS NOT NULL), ', ' ORDER BY id)"
				       " FROM queue_entries WHERE campaign_id = %lld",
				    (long long)campaign),
		"completed 0 t, completed 0 t, skipped 1 t, skipped 1 t");
}

/*
 * A promise whose call is under way, to somebody who was queued (waits with priority 3 since
 * January) or was not.
 */
static int64_t called_promise(bool queued, struct db_claimed *ret_call)
{
	int64_t campaign = world_campaign(1, 1), id;

	(void)world_text("UPDATE queue_entries SET priority = 3, run_at = '2026-01-02Z',"
			 " state = '%s' WHERE campaign_id = %lld",
		queued ? "pending" : "completed", (long long)campaign);
	id = promise(campaign, contact(campaign, 0), agent(campaign, 0), -1);
	*ret_call = world_call(db, campaign);
	return id;
}

/* It did not leave: by itself, or because the rules forbade it when its agent was there. */
static void not_sent(const struct db_claimed *call, bool forbidden)
{
	(void)world_text("UPDATE queue_entries SET reason = '%s' WHERE id = %lld",
		forbidden ? "hours" : "", (long long)call->entry_id);
	world_tell(db, call->call_id, "unsent");
}

static const char *entry_of(const struct db_claimed *call)
{
	return world_text("SELECT concat_ws(' ', state, priority, CASE WHEN"
			  " run_at = '2026-01-02Z' THEN 'before' WHEN run_at > now()"
			  " THEN 'later' ELSE 'due' END, agent_id) FROM queue_entries"
			  " WHERE id = %lld",
		(long long)call->entry_id);
}

static void cancelled_during_its_call_it_is_taken_back_after_it(void **state)
{
	static const struct {
		bool queued, left, forbidden;
		const char *entry;
	} cases[] = {{true, false, false, "pending 3 before"},
		{true, false, true, "pending 3 before"},
		{true, true, false, "pending 3 later"},
		{false, false, false, "skipped 2 later"},
		{false, true, false, "skipped 2 later"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct db_claimed call;
		int64_t id = called_promise(cases[i].queued, &call);

		assert_int_equal(db_callback_cancel(db, id), 0);
		(void)world_sweep_tells(db, 0);
		assert_memory_equal(entry_of(&call), "dialing 1", strlen("dialing 1"));
		if (cases[i].left)
			(void)world_event(db, call.call_id, "no_answer", 1);
		else
			not_sent(&call, cases[i].forbidden);
		(void)world_sweep_tells(db, 0);
		assert_string_equal(entry_of(&call), cases[i].entry);
		assert_string_equal(world_text("SELECT concat_ws(' ', state, entry_id)"
					       " FROM callbacks WHERE id = %lld",
					    (long long)id),
			"cancelled");
	}
}

static void another_promise_may_take_the_place_of_one_cancelled_in_its_call(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		bool queued = i % 2, early = i / 2 % 2; /* cancelled before the sweeper */
		struct db_claimed call;
		int64_t id = called_promise(queued, &call), next;

		assert_int_equal(db_callback_cancel(db, id), 0);
		next = promise(call.campaign_id, call.contact_id, 0, 3600);
		not_sent(&call, i >= 4);
		if (!early)
			(void)world_sweep_tells(db, 0);
		assert_string_equal(entry_of(&call), "pending 1 later");
		assert_string_equal(
			world_text("SELECT concat_ws(' ', b.state, q.run_at = b.due_at)"
				   " FROM callbacks b JOIN queue_entries q"
				   " ON q.id = b.entry_id WHERE b.id = %lld",
				(long long)next),
			"pending t");
		assert_int_equal(db_callback_cancel(db, next), 0);
		(void)world_sweep_tells(db, 0);
		assert_memory_equal(entry_of(&call),
			queued ? "pending 3 before" : "skipped", queued ? 16 : 7);
	}
}

static void moved_during_its_call_it_may_still_be_cancelled(void **state)
{
	(void)state;
	/* The call left (the last two) or not, and the entry was in the queue before or not. */
	for (int i = 0; i < 6; i++) {
		struct db_claimed call;
		int64_t id = called_promise(i % 2, &call);
		struct db_callback row;

		assert_int_equal(db_callback_get(db, id, &row), 0);
		row.due_ms += 3600000;
		row.agent_id = 0;
		assert_int_equal(db_callback_update(db, &row), 0);
		if (i < 4)
			not_sent(&call, i >= 2);
		else
			world_tell(db, call.call_id, "busy");
		assert_string_equal(entry_of(&call), "pending 1 later");
		assert_string_equal(
			world_text("SELECT concat_ws(' ', b.state, q.run_at = b.due_at)"
				   " FROM callbacks b JOIN queue_entries q"
				   " ON q.id = b.entry_id WHERE b.id = %lld",
				(long long)id),
			"pending t");
		assert_int_equal(db_callback_cancel(db, id), 0);
		assert_string_equal(entry_of(&call), i % 2 == 0 ? "skipped 2 later"
						     : i < 4    ? "pending 3 before"
								: "pending 3 later");
	}
}

static void promised_its_contact_waits_for_nothing_else(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	int64_t who = contact(campaign, 0);

	(void)state;
	(void)world_text(
		"UPDATE queue_entries SET reason = 'list' WHERE contact_id = %lld",
		(long long)who);
	(void)promise(campaign, who, agent(campaign, 0), 60);
	assert_string_equal(world_text("SELECT reason FROM queue_entries WHERE contact_id"
				       " = %lld",
				    (long long)who),
		"");
}

static void moved_to_another_time_and_agent_the_entry_moves_too(void **state)
{
	int64_t campaign = world_campaign(2, 1);
	int64_t id = promise(campaign, contact(campaign, 0), agent(campaign, 0), -1);
	struct db_callback row;

	(void)state;
	assert_int_equal(db_callback_get(db, id, &row), 0);
	assert_string_equal(row.note, "after lunch");
	row.agent_id = agent(campaign, 1);
	row.due_ms += 7200000;
	row.grace_s = 60;
	assert_int_equal(db_callback_update(db, &row), 0);
	assert_string_equal(
		world_text("SELECT concat_ws(' ', q.run_at = b.due_at, q.agent_id = %lld,"
			   " q.agent_until = b.due_at + interval '60 s', q.state)"
			   " FROM callbacks b JOIN queue_entries q ON q.id = b.entry_id"
			   " WHERE b.id = %lld",
			(long long)row.agent_id, (long long)id),
		"t t t pending");
	assert_int_equal(db_callback_cancel(db, id), 0);
	assert_int_equal(db_callback_update(db, &row), -EINVAL);
	row.id = 999999;
	assert_int_equal(db_callback_update(db, &row), -ENOENT);
}

static void what_nobody_dialled_is_missed_and_still_done_later(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	int64_t id = promise(campaign, contact(campaign, 0), 0, -3600 - 601);
	int64_t soon = world_campaign(1, 1);
	int64_t recent = promise(soon, contact(soon, 0), 0, -3600);
	struct db_claimed call;

	(void)state;
	assert_true(world_sweep_tells(db, id) == 1 && world_sweep_tells(db, id) == 0);
	assert_string_equal(state_of(id), "missed");
	assert_string_equal(state_of(recent), "pending");
	call = world_call(db, campaign);
	(void)world_event(db, call.call_id, "completed", 5);
	assert_string_equal(state_of(id), "done");
	assert_true(world_sweep_tells(db, id) == 1 && world_sweep_tells(db, id) == 0);
}

static void a_call_that_never_left_keeps_the_promise_open(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	int64_t id = promise(campaign, contact(campaign, 0), 0, -1);
	struct db_claimed call = world_call(db, campaign);

	(void)state;
	world_tell(db, call.call_id, "unsent");
	assert_string_equal(state_of(id), "pending");
}

static void a_page_has_what_was_asked_for(void **state)
{
	int64_t campaign = world_campaign(2, 5);
	struct db_callback_filter filter = {.campaign_id = campaign};
	struct db_callback *rows = NULL;
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		(void)promise(campaign, contact(campaign, i), agent(campaign, i % 2),
			60 * (int)i);
	assert_int_equal(db_callback_page(db, &filter, 2, &rows, &count), 0);
	assert_int_equal(count, 3);
	filter.after = rows[1].id;
	free(rows);
	assert_int_equal(db_callback_page(db, &filter, 10, &rows, &count), 0);
	assert_int_equal(count, 3);
	free(rows);
	filter = (struct db_callback_filter){.agent_id = agent(campaign, 0),
		.state = "pending",
		.from_ms = clock_wall_ms() + 60000,
		.to_ms = clock_wall_ms() + 200000};
	assert_int_equal(db_callback_page(db, &filter, 10, &rows, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].contact_id, contact(campaign, 2));
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due_comes_before_everything_else),
		cmocka_unit_test(its_owner_gets_it_even_when_another_waits_longer),
		cmocka_unit_test(nobody_else_gets_it_before_the_grace_is_over),
		cmocka_unit_test(call_now_by_anybody_takes_the_owner),
		cmocka_unit_test(promised_in_a_call_it_is_queued_when_that_ends),
		cmocka_unit_test(it_is_dialled_whatever_the_attempts_were),
		cmocka_unit_test(one_contact_has_one_open_promise_in_a_campaign),
		cmocka_unit_test(only_who_is_of_the_campaign_is_called_back_in_it),
		cmocka_unit_test(a_cancelled_one_gives_the_queue_back_what_it_was),
		cmocka_unit_test(
			a_cancelled_one_leaves_who_waited_its_own_time_and_priority),
		cmocka_unit_test(
			who_was_queued_for_it_alone_is_not_called_when_it_is_cancelled),
		cmocka_unit_test(cancelled_during_its_call_it_is_taken_back_after_it),
		cmocka_unit_test(
			another_promise_may_take_the_place_of_one_cancelled_in_its_call),
		cmocka_unit_test(moved_during_its_call_it_may_still_be_cancelled),
		cmocka_unit_test(promised_its_contact_waits_for_nothing_else),
		cmocka_unit_test(moved_to_another_time_and_agent_the_entry_moves_too),
		cmocka_unit_test(what_nobody_dialled_is_missed_and_still_done_later),
		cmocka_unit_test(a_call_that_never_left_keeps_the_promise_open),
		cmocka_unit_test(a_page_has_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
