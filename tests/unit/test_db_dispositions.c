/* test_db_dispositions.c: what is said about a call, once, and what follows from it. */
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
#include "db/dispositions.h"
#include "db/exec.h"
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

static int64_t named(const char *name)
{
	return strtoll(world_text("SELECT id FROM dispositions WHERE name = '%s'", name),
		NULL, 10);
}

static struct db_dispose saying(int64_t call_id, const char *name)
{
	return (struct db_dispose){
		.call_id = call_id, .disposition_id = named(name), .notes = "he said so"};
}

static enum db_dispose_result dispose(const struct db_dispose *d)
{
	enum db_dispose_result result;
	int64_t session_id;

	assert_int_equal(db_call_dispose(db, d, &result, &session_id), 0);
	return result;
}

static enum db_dispose_result say(int64_t call_id, const char *name)
{
	struct db_dispose d = saying(call_id, name);

	return dispose(&d);
}

/* A call that has ended with this, of a campaign of its own. */
static struct db_claimed ended(const char *event)
{
	struct db_claimed call = world_call(db, world_campaign(1, 1));

	(void)world_event(db, call.call_id, event, 5);
	return call;
}

static const char *entry_of(const struct db_claimed *call)
{
	return world_text("SELECT concat_ws(' ', state, round(extract(epoch FROM"
			  " run_at - now()) / 3600)) FROM queue_entries WHERE id = %lld",
		(long long)call->entry_id);
}

static const char *state_of(const struct db_claimed *call)
{
	return world_text("SELECT state FROM queue_entries WHERE id = %lld",
		(long long)call->entry_id);
}

static void a_retry_puts_the_contact_back_for_later(void **state)
{
	struct db_claimed call = ended("completed");

	(void)state;
	assert_string_equal(state_of(&call), "completed");
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(entry_of(&call), "pending 24");
	(void)world_text("UPDATE campaigns SET max_attempts = 1 WHERE id = %lld",
		(long long)call.campaign_id);
	call = ended("completed");
	(void)world_text("UPDATE campaigns SET max_attempts = 1 WHERE id = %lld",
		(long long)call.campaign_id);
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(state_of(&call), "completed");
}

static void a_final_one_ends_what_the_outcome_would_try_again(void **state)
{
	struct db_claimed call = ended("no_answer");

	(void)state;
	assert_string_equal(state_of(&call), "pending");
	assert_int_equal(say(call.call_id, "Wrong number"), DB_DISPOSE_DONE);
	assert_string_equal(state_of(&call), "completed");
}

static void said_during_the_call_it_takes_effect_with_its_end(void **state)
{
	struct db_claimed call = world_call(db, world_campaign(1, 1));
	struct db_call_disposition said;

	(void)state;
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_TOO_EARLY);
	(void)world_event(db, call.call_id, "answered", 2);
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(state_of(&call), "dialing");
	assert_int_equal(db_call_disposition_get(db, call.call_id, &said), 0);
	assert_false(said.applied);
	(void)world_event(db, call.call_id, "completed", 5);
	assert_string_equal(entry_of(&call), "pending 24");
	assert_int_equal(db_call_disposition_get(db, call.call_id, &said), 0);
	assert_true(said.applied);
	assert_string_equal(said.name, "Interested");
	assert_string_equal(said.notes, "he said so");
}

static void it_is_said_once_and_only_staff_changes_it(void **state)
{
	struct db_claimed call = ended("completed");
	struct db_dispose d = saying(call.call_id, "Not interested");

	(void)state;
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld",
		(long long)call.entry_id);
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_SAME);
	assert_string_equal(entry_of(&call), "pending 0");
	assert_int_equal(dispose(&d), DB_DISPOSE_OTHER);
	assert_string_equal(state_of(&call), "pending");
	d.staff = true;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
	assert_string_equal(state_of(&call), "completed");
	d.disposition_id = named("Callback");
	d.callback_ms = clock_wall_ms() + 3600000;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
	d = saying(call.call_id, "Sale");
	d.staff = true;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
	assert_string_equal(
		world_text(
			"SELECT string_agg(state, ' ') FROM callbacks WHERE from_call_id"
			" = %lld",
			(long long)call.call_id),
		"cancelled");
	assert_string_equal(
		world_text("SELECT count(*) FROM queue_entries WHERE campaign_id = %lld"
			   " AND state = 'pending'",
			(long long)call.campaign_id),
		"0");
}

static void a_later_call_of_the_contact_is_not_touched(void **state)
{
	struct db_claimed first = ended("no_answer"), second;

	(void)state;
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld;"
			 "UPDATE agent_sessions SET state = 'ready', hold_until = NULL",
		(long long)first.entry_id);
	second = world_call(db, first.campaign_id);
	assert_int_equal(second.entry_id, first.entry_id);
	assert_int_equal(say(first.call_id, "Wrong number"), DB_DISPOSE_DONE);
	assert_string_equal(state_of(&first), "dialing");
}

static void do_not_call_is_kept_for_good(void **state)
{
	struct db_claimed call = ended("completed");

	(void)state;
	(void)world_text("INSERT INTO queue_entries (campaign_id, contact_id)"
			 " SELECT %lld, %lld",
		(long long)world_campaign(1, 1), (long long)call.contact_id);
	assert_int_equal(say(call.call_id, "Do not call"), DB_DISPOSE_DONE);
	assert_string_equal(
		world_text(
			"SELECT source || ' ' || reason FROM dnc_numbers WHERE number = '%s'",
			call.number),
		"agent Do not call");
	assert_string_equal(world_text("SELECT string_agg(state, ' ' ORDER BY id)"
				       " FROM queue_entries WHERE contact_id = %lld",
				    (long long)call.contact_id),
		"completed skipped");
}

static void a_callback_is_promised_with_it(void **state)
{
	struct db_claimed call = ended("completed");
	struct db_dispose d = saying(call.call_id, "Callback");

	(void)state;
	assert_int_equal(dispose(&d), DB_DISPOSE_NO_TIME);
	d.callback_ms = clock_wall_ms() + 7200000;
	d.callback_agent = call.agent_id;
	d.callback_grace_s = 60;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
	assert_string_equal(
		world_text(
			"SELECT concat_ws(' ', b.state, b.note, q.state, q.priority,"
			" q.agent_id = %lld, round(extract(epoch FROM q.run_at - now()) / 3600))"
			" FROM callbacks b JOIN queue_entries q ON q.id = b.entry_id"
			" WHERE b.from_call_id = %lld",
			(long long)call.agent_id, (long long)call.call_id),
		"pending he said so pending 1 t 2");
}

static void what_a_disposition_needs_must_be_there(void **state)
{
	struct db_claimed call = ended("completed");
	struct db_dispose d = saying(call.call_id, "Sale");

	(void)state;
	d.notes = "";
	assert_int_equal(dispose(&d), DB_DISPOSE_NO_NOTES);
	(void)world_text("INSERT INTO campaign_dispositions SELECT %lld, %lld",
		(long long)named("Appointment"), (long long)world_campaign(1, 1));
	assert_int_equal(say(call.call_id, "Appointment"), DB_DISPOSE_NOT_HERE);
	(void)world_text("DELETE FROM campaign_dispositions");
	(void)world_text("UPDATE calls SET contact_id = NULL WHERE id = %lld",
		(long long)call.call_id);
	d = saying(call.call_id, "Callback");
	d.callback_ms = clock_wall_ms() + 1000;
	assert_int_equal(dispose(&d), DB_DISPOSE_NO_CONTACT);
	d.call_id = 999999;
	assert_int_equal(
		db_call_dispose(db, &d, &(enum db_dispose_result){0}, &(int64_t){0}),
		-ENOENT);
}

static void it_ends_the_wrap_up_of_its_own_call_only(void **state)
{
	struct db_claimed call = ended("completed");
	struct db_dispose d = saying(call.call_id, "Not interested");
	enum db_dispose_result result;
	int64_t session_id = 0;

	(void)state;
	assert_string_equal(world_text("SELECT state FROM agent_sessions WHERE id = %lld",
				    (long long)call.session_id),
		"wrap_up");
	d.end_wrap_up = true;
	assert_int_equal(db_call_dispose(db, &d, &result, &session_id), 0);
	assert_int_equal(session_id, call.session_id);
	assert_string_equal(world_text("SELECT state FROM agent_sessions WHERE id = %lld",
				    (long long)call.session_id),
		"ready");
}

/* ---- who called us ---- */

/* The number of that call calls back, and hangs up after a conversation. */
static int64_t called_back(const struct db_claimed *of)
{
	static unsigned count;
	int64_t id = 0;
	char sid[32];

	(void)snprintf(sid, sizeof(sid), "CAback%u", ++count);
	assert_int_equal(
		db_call_inbound(db, sid, of->number, "+15550000000", NODE, INSTALL, &id),
		0);
	(void)world_text("SELECT apply_call_events('{%lld}', '{call}', '{%s}', '{1}',"
			 " '{completed}', '{1767225600000}', '{%s}', '{30}', '{NULL}',"
			 " '{NULL}')",
		(long long)id, sid, sid);
	return id;
}

/* One that no rule follows from. */
static void say_nothing_much(int64_t call_id)
{
	struct db_dispose d;

	(void)world_text("INSERT INTO dispositions (name) VALUES ('Nothing much')"
			 " ON CONFLICT DO NOTHING");
	d = saying(call_id, "Nothing much");
	d.staff = true;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
}

static void change(int64_t call_id, const char *name)
{
	struct db_dispose d = saying(call_id, name);

	d.staff = true;
	assert_int_equal(dispose(&d), DB_DISPOSE_DONE);
}

/* The states of all entries of the call's contact, and the hours of those that wait. */
static const char *entries_of(const struct db_claimed *call)
{
	return world_text(
		"SELECT string_agg(state || CASE WHEN state = 'pending' THEN ' '"
		" || round(extract(epoch FROM run_at - now()) / 3600) ELSE ''"
		" END, ', ' ORDER BY id) FROM queue_entries"
		" WHERE contact_id = %lld",
		(long long)call->contact_id);
}

static void what_is_said_of_who_called_us_is_said_of_the_contact(void **state)
{
	struct db_claimed call = ended("no_answer");
	int64_t back = called_back(&call);
	struct db_call_disposition said;

	(void)state;
	assert_string_equal(entries_of(&call), "pending 1");
	say_nothing_much(back);
	assert_string_equal(entries_of(&call), "pending 1");
	change(back, "Interested");
	assert_string_equal(entries_of(&call), "pending 24");
	assert_int_equal(db_call_disposition_get(db, back, &said), 0);
	assert_true(said.applied);
	change(back, "Not interested");
	assert_string_equal(entries_of(&call), "completed");
	change(back, "Interested");
	assert_string_equal(entries_of(&call), "completed, pending 24");
	say_nothing_much(back);
	assert_string_equal(entries_of(&call), "completed, completed");
	change(back, "Interested");
	change(back, "Do not call");
	assert_string_equal(entries_of(&call), "completed, completed, skipped");
	assert_string_equal(
		world_text("SELECT count(*) FROM dnc_numbers WHERE number = '%s'",
			call.number),
		"1");
}

static void who_called_us_and_is_called_again_is_left_to_that_call(void **state)
{
	struct db_claimed call = ended("no_answer");
	int64_t back = called_back(&call);

	(void)state;
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld;"
			 "UPDATE agent_sessions SET state = 'ready', hold_until = NULL",
		(long long)call.entry_id);
	call = world_call(db, call.campaign_id);
	assert_int_equal(say(back, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(entries_of(&call), "dialing");
	(void)world_event(db, call.call_id, "completed", 5);
	assert_string_equal(entries_of(&call), "completed");
}

static void what_is_said_while_the_entry_is_held_is_done_a_moment_later(void **state)
{
	struct db_claimed call = ended("no_answer");
	int64_t back = called_back(&call);
	struct db_call_disposition said;
	struct db *other = db_connect();
	int64_t *told = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(
		db_run(other, "SELECT 1 FROM queue_entries WHERE id = $1 FOR UPDATE",
			ARGS(arg_int(call.entry_id)), NULL),
		0);
	assert_int_equal(say(back, "Not interested"), DB_DISPOSE_DONE);
	assert_int_equal(db_call_disposition_get(db, back, &said), 0);
	assert_false(said.applied);
	db_rollback(other);
	db_close(&other);
	assert_int_equal(db_callback_sweep(db, &told, &count), 0);
	free(told);
	assert_string_equal(entries_of(&call), "completed");
	assert_int_equal(db_call_disposition_get(db, back, &said), 0);
	assert_true(said.applied);
}

/* ---- an entry that a callback has ---- */

/* Somebody promised the contact of the call to call back in so many hours. */
static int64_t promised(const struct db_claimed *call, int hours)
{
	int64_t id = 0;

	assert_int_equal(
		db_callback_create(db,
			&(struct db_callback){.campaign_id = call->campaign_id,
				.contact_id = call->contact_id,
				.due_ms = clock_wall_ms() + (int64_t)hours * 3600000},
			&id),
		0);
	return id;
}

static const char *promise_is(int64_t id)
{
	return world_text("SELECT state FROM callbacks WHERE id = %lld", (long long)id);
}

static void a_callback_is_dialled_at_its_time_whatever_a_call_before_it_was(void **state)
{
	struct db_claimed call = ended("no_answer");
	int64_t id = promised(&call, 2), back;

	(void)state;
	assert_string_equal(entries_of(&call), "pending 2");
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(entries_of(&call), "pending 2");
	assert_int_equal(db_callback_cancel(db, id), 0);
	assert_string_equal(entries_of(&call), "pending 24");
	id = promised(&call, 2);
	say_nothing_much(call.call_id);
	assert_string_equal(entries_of(&call), "pending 2");
	assert_int_equal(db_callback_cancel(db, id), 0);
	assert_string_equal(entries_of(&call), "skipped");
	id = promised(&call, 2);
	back = called_back(&call);
	assert_int_equal(say(back, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(entries_of(&call), "skipped, pending 2");
	assert_string_equal(promise_is(id), "pending");
	change(back, "Not interested");
	assert_string_equal(entries_of(&call), "skipped, completed");
	assert_string_equal(promise_is(id), "cancelled");
}

static void what_the_callbacks_own_call_was_follows_it(void **state)
{
	struct db_claimed call = world_call(db, world_campaign(1, 1));
	int64_t id = promised(&call, 0);

	(void)state;
	(void)world_event(db, call.call_id, "no_answer", 5);
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL");
	call = world_call(db, call.campaign_id);
	world_tell(db, call.call_id, "unsent");
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	assert_string_equal(entries_of(&call), "pending 0");
	assert_string_equal(promise_is(id), "pending");
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld;"
			 "UPDATE agent_sessions SET state = 'ready', hold_until = NULL",
		(long long)call.entry_id);
	call = world_call(db, call.campaign_id);
	(void)world_event(db, call.call_id, "answered", 2);
	assert_int_equal(say(call.call_id, "Interested"), DB_DISPOSE_DONE);
	(void)world_event(db, call.call_id, "completed", 5);
	assert_string_equal(promise_is(id), "done");
	assert_string_equal(entries_of(&call), "pending 24");
}

static void definitions_are_kept_and_used_ones_stay(void **state)
{
	struct db_disposition s = {.name = "Spoke to a child",
				      .category = "neutral",
				      .position = 5,
				      .active = true,
				      .retry_after_s = 60},
			      row, *rows = NULL;
	struct db_claimed call = ended("completed");
	int64_t id = 0;
	size_t count = 0;
	bool kept = false;

	(void)state;
	s.campaigns[0] = call.campaign_id;
	s.campaign_count = 1;
	assert_int_equal(db_disposition_save(db, &s, &id), 0);
	assert_int_equal(db_disposition_get(db, id, &row), 0);
	assert_int_equal(row.retry_after_s, 60);
	assert_int_equal(row.campaigns[0], call.campaign_id);
	assert_int_equal(db_disposition_save(db, &s, &(int64_t){0}), -EEXIST);
	row.dnc = true;
	assert_int_equal(db_disposition_save(db, &row, &id), -EINVAL);
	row.dnc = false;
	row.campaigns[0] = 999999;
	assert_int_equal(db_disposition_save(db, &row, &id), -ENOENT);
	assert_int_equal(db_disposition_list(db, call.campaign_id, 0, &rows, &count), 0);
	assert_int_equal(rows[0].id, id);
	free(rows);
	assert_int_equal(db_disposition_list(db, 999999, 0, &rows, &count), 0);
	assert_int_not_equal(rows[0].id, id);
	free(rows);
	assert_int_equal(say(call.call_id, "Spoke to a child"), DB_DISPOSE_DONE);
	assert_int_equal(db_disposition_remove(db, id, &kept), 0);
	assert_true(kept);
	assert_int_equal(db_disposition_get(db, id, &row), 0);
	assert_false(row.active);
	s.name[0] = 's';
	assert_int_equal(db_disposition_save(db, &s, &id), 0);
	assert_int_equal(db_disposition_remove(db, id, &kept), 0);
	assert_false(kept);
	assert_int_equal(db_disposition_remove(db, id, &kept), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retry_puts_the_contact_back_for_later),
		cmocka_unit_test(a_final_one_ends_what_the_outcome_would_try_again),
		cmocka_unit_test(said_during_the_call_it_takes_effect_with_its_end),
		cmocka_unit_test(it_is_said_once_and_only_staff_changes_it),
		cmocka_unit_test(a_later_call_of_the_contact_is_not_touched),
		cmocka_unit_test(do_not_call_is_kept_for_good),
		cmocka_unit_test(a_callback_is_promised_with_it),
		cmocka_unit_test(what_a_disposition_needs_must_be_there),
		cmocka_unit_test(it_ends_the_wrap_up_of_its_own_call_only),
		cmocka_unit_test(what_is_said_of_who_called_us_is_said_of_the_contact),
		cmocka_unit_test(who_called_us_and_is_called_again_is_left_to_that_call),
		cmocka_unit_test(
			what_is_said_while_the_entry_is_held_is_done_a_moment_later),
		cmocka_unit_test(
			a_callback_is_dialled_at_its_time_whatever_a_call_before_it_was),
		cmocka_unit_test(what_the_callbacks_own_call_was_follows_it),
		cmocka_unit_test(definitions_are_kept_and_used_ones_stay),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
