/* test_db_recordings.c: the life of a recording, whatever order its news come in. */
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
#include "db/recordings.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

#define RE "RE00000000000000000000000000000001"

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

/* A bridged call whose campaign records; nothing else is due. */
static int64_t bridged(const char *announcement)
{
	int64_t campaign = world_campaign(1, 1), call;

	(void)world_text("UPDATE recordings SET due_at = NULL");
	(void)world_text("UPDATE recordings SET provider_sid = NULL");
	(void)world_text("UPDATE campaigns SET record = true, announcement_text = '%s'"
			 " WHERE id = %lld",
		announcement, (long long)campaign);
	call = world_call(db, campaign).call_id;
	(void)world_event(db, call, "answered", 1);
	(void)world_event(db, call, "joined", 2);
	return call;
}

static int64_t id_of(int64_t call)
{
	struct db_recording row;

	assert_int_equal(db_recording_of_call(db, call, &row), 0);
	return row.id;
}

static const char *state_of(int64_t id)
{
	return world_text("SELECT state FROM recordings WHERE id = %lld", (long long)id);
}

/* What is due is one thing; its name, "" when nothing is. */
static const char *due(void)
{
	static char op[DB_WORD_SIZE];
	struct db_recording_due *rows = NULL;
	size_t count = 0;

	assert_int_equal(db_recording_due(db, NODE, 10, &rows, &count), 0);
	assert_true(count <= 1);
	(void)snprintf(op, sizeof(op), "%s", count == 0 ? "" : rows[0].op);
	free(rows);
	return op;
}

static const char *due_at_last(int64_t id)
{
	(void)world_text("UPDATE recordings SET due_at = now() WHERE id = %lld"
			 " AND due_at IS NOT NULL",
		(long long)id);
	return due();
}

/* What Twilio's answer says without naming a recording. */
static void told(int64_t id, const char *status)
{
	bool changed = false;

	assert_int_equal(db_recording_apply(db,
				 &(struct db_recording_news){.id = id,
					 .status = status,
					 .certain = true,
					 .duration_s = -1,
					 .text = ""},
				 &changed),
		0);
}

static bool hears(int64_t id, const char *status, bool certain)
{
	struct db_recording_news news = {.id = id,
		.status = status,
		.certain = certain,
		.duration_s = strcmp(status, "completed") == 0 ? 7 : -1,
		.text = ""};
	bool changed = false;

	(void)snprintf(news.sid, sizeof(news.sid), "%s", RE);
	assert_int_equal(db_recording_apply(db, &news, &changed), 0);
	return changed;
}

static void a_bridged_call_wants_one_recording_however_often_it_is_told(void **state)
{
	int64_t call = bridged(""), id = id_of(call);

	(void)state;
	(void)world_event(db, call, "joined", 2);
	(void)world_event(db, call, "left", 3);
	assert_int_equal(db_number("SELECT count(*) FROM recordings"), 1);
	assert_string_equal(state_of(id), "wanted");
	assert_string_equal(due(), "create");
	assert_string_equal(state_of(id), "starting");
	assert_string_equal(due(), "");
	assert_string_equal(
		world_text("SELECT round(extract(epoch FROM due_at - now()) / 10)"
			   " FROM recordings WHERE id = %lld",
			(long long)id),
		"6");
}

static void what_nobody_answered_is_looked_for_before_it_is_asked_again(void **state)
{
	int64_t id = id_of(bridged(""));

	(void)state;
	assert_string_equal(due(), "create");
	assert_string_equal(due_at_last(id), "find");
	told(id, "missing");
	assert_string_equal(state_of(id), "wanted");
	assert_string_equal(due(), "create");
	told(id, "lost");
	assert_string_equal(state_of(id), "starting");
	assert_string_equal(due_at_last(id), "find");
	assert_true(hears(id, "in-progress", true));
	assert_string_equal(state_of(id), "recording");
	assert_string_equal(due(), "");
}

static void after_five_requests_it_is_given_up(void **state)
{
	int64_t id = id_of(bridged(""));
	unsigned creates = 0;

	(void)state;
	for (int i = 0; i < 20 && strcmp(state_of(id), "failed") != 0; i++) {
		if (strcmp(due_at_last(id), "create") == 0)
			creates++;
		told(id, "missing");
	}
	assert_string_equal(state_of(id), "failed");
	assert_in_range(creates, 2, 5);
}

/* in-progress and completed by webhook, in-progress by answer: all orders, with repetitions. */
static void any_order_of_news_gives_the_same_end(void **state)
{
	static const int orders[][4] = {{0, 1, 2, 0}, {0, 2, 1, 2}, {1, 0, 2, 1},
		{1, 2, 0, 0}, {2, 0, 1, 1}, {2, 1, 0, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		int64_t call = bridged(""), id = id_of(call);
		const char *end;

		assert_string_equal(due(), "create");
		for (size_t k = 0; k < 4; k++) {
			if (orders[i][k] == 0)
				(void)hears(id, "in-progress", false);
			else if (orders[i][k] == 1)
				(void)hears(id, "completed", false);
			else
				(void)hears(id, "in-progress", true);
		}
		end = world_text("SELECT concat_ws(' ', state, duration_s, provider_sid)"
				 " FROM recordings WHERE id = %lld",
			(long long)id);
		assert_string_equal(end, "completed 7 " RE);
	}
}

static void another_recordings_news_are_not_taken(void **state)
{
	int64_t id = id_of(bridged(""));
	struct db_recording_news news = {.id = id,
		.sid = "RE00000000000000000000000000000002",
		.status = "completed",
		.duration_s = -1,
		.text = ""};
	bool changed = true;

	(void)state;
	assert_string_equal(due(), "create");
	assert_true(hears(id, "in-progress", true));
	assert_int_equal(db_recording_apply(db, &news, &changed), 0);
	assert_false(changed);
	assert_string_equal(state_of(id), "recording");
	news.id = 999999;
	assert_int_equal(db_recording_apply(db, &news, &changed), 0);
	assert_false(changed);
}

static void a_pause_is_tried_until_twilio_says_so(void **state)
{
	int64_t call = bridged(""), id = id_of(call);
	struct db_recording row;

	(void)state;
	assert_int_equal(db_recording_pause(db, 999999, true, &row), -ENOENT);
	assert_string_equal(due(), "create");
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_true(hears(id, "in-progress", true));
	assert_string_equal(due(), "pause");
	assert_string_equal(due_at_last(id), "pause");
	assert_true(hears(id, "paused", true));
	assert_false(hears(id, "in-progress", false)); /* a webhook that comes late */
	assert_string_equal(state_of(id), "paused");
	assert_string_equal(due(), "");
	assert_int_equal(db_recording_pause(db, call, false, &row), 0);
	assert_string_equal(due(), "resume");
	told(id, "refused");
	assert_int_equal(db_recording_get(db, id, &row), 0);
	assert_true(row.pause_wanted);
	(void)world_event(db, call, "completed", 9);
	assert_int_equal(db_recording_pause(db, call, false, &row), -EINVAL);
}

static void a_pause_while_the_last_one_ends_is_not_taken_for_done(void **state)
{
	int64_t call = bridged(""), id = id_of(call);
	struct db_recording row;

	(void)state;
	assert_string_equal(due(), "create");
	assert_true(hears(id, "in-progress", true));
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_string_equal(due(), "pause");
	assert_true(hears(id, "paused", true));
	/* Both before Twilio was asked: it is paused as ever. */
	assert_int_equal(db_recording_pause(db, call, false, &row), 0);
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_string_equal(row.state, "paused");
	assert_int_equal(db_recording_pause(db, call, false, &row), 0);
	assert_string_equal(due(), "resume");
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_string_equal(row.state, "recording");
	assert_string_equal(due(), ""); /* not beside the other request */
	(void)hears(id, "in-progress", true);
	assert_string_equal(due(), "pause");
	assert_true(hears(id, "paused", true));
	/* The answer is lost. */
	assert_int_equal(db_recording_pause(db, call, false, &row), 0);
	assert_string_equal(due(), "resume");
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_string_equal(due_at_last(id), "pause");
	assert_true(hears(id, "paused", true));
	assert_string_equal(due(), "");
}

static void paused_before_it_began_nothing_is_recorded_until_it_goes_on(void **state)
{
	int64_t call = bridged(""), id = id_of(call);
	struct db_recording row;

	(void)state;
	assert_int_equal(db_recording_pause(db, call, true, &row), 0);
	assert_string_equal(due(), "wait");
	assert_string_equal(state_of(id), "wanted");
	assert_string_equal(due(), "");
	assert_int_equal(db_recording_pause(db, call, false, &row), 0);
	assert_string_equal(due(), "create");
}

static void nothing_is_recorded_before_it_was_announced(void **state)
{
	int64_t call = bridged("This call is recorded."), id = id_of(call), found = 0;
	int64_t session = strtoll(world_text("SELECT agent_session_id FROM calls"
					     " WHERE id = %lld",
					  (long long)call),
		NULL, 10);

	(void)state;
	assert_string_equal(due(), "announce");
	assert_string_equal(due_at_last(id), "announce");
	assert_int_equal(db_recording_announcing(db, session, 0, &found), 0);
	assert_int_equal(found, id);
	assert_int_equal(db_recording_announcing(db, session, id, &found), 0);
	/* Late news of the session's call before. */
	assert_int_equal(db_recording_announcing(db, session, id - 1, &found), -ENOENT);
	told(id, "announced");
	assert_string_equal(due(), "create");

	id = id_of(bridged("This call is recorded."));
	for (int i = 0; i < 3; i++)
		assert_string_equal(due_at_last(id), "announce");
	assert_string_equal(due_at_last(id), "give_up");
	assert_string_equal(state_of(id), "failed");
}

static int64_t due_in_s(int64_t id)
{
	return strtoll(world_text("SELECT round(extract(epoch FROM due_at - now()))"
				  " FROM recordings WHERE id = %lld",
			       (long long)id),
		NULL, 10);
}

static void an_announcement_is_not_begun_again_while_it_may_play(void **state)
{
	char text[401];
	int64_t id;

	(void)state;
	memset(text, 'x', 400);
	text[400] = '\0';
	id = id_of(bridged("Short."));
	assert_string_equal(due(), "announce");
	assert_in_range(due_in_s(id), 15, 21);
	id = id_of(bridged(text));
	assert_string_equal(due(), "announce");
	assert_in_range(due_in_s(id), 65, 70);
	told(id, "unsent"); /* nothing plays */
	assert_in_range(due_in_s(id), 15, 20);
	assert_string_equal(state_of(id), "announcing");
	/* A sound, whose length nobody knows. */
	(void)world_text(
		"UPDATE campaigns SET announcement_url = 'http://sound.test/a.wav'"
		" WHERE id = (SELECT campaign_id FROM recordings WHERE id = %lld)",
		(long long)id);
	assert_string_equal(due_at_last(id), "announce");
	assert_in_range(due_in_s(id), 290, 300);
}

static void a_call_that_ends_first_is_not_recorded(void **state)
{
	int64_t call = bridged(""), id = id_of(call);

	(void)state;
	(void)world_event(db, call, "completed", 9);
	assert_string_equal(state_of(id), "failed");
	assert_string_equal(due(), "");
}

static void a_recording_that_nobody_tells_of_is_asked_for(void **state)
{
	int64_t call = bridged(""), id = id_of(call);

	(void)state;
	assert_string_equal(due(), "create");
	assert_true(hears(id, "in-progress", true));
	(void)world_event(db, call, "completed", 9);
	assert_string_equal(due(), "");
	assert_string_equal(due_at_last(id), "fetch");
	assert_string_equal(due_at_last(id), "fetch");
	told(id, "gone");
	assert_string_equal(state_of(id), "absent");
}

static void what_is_kept_long_enough_is_deleted(void **state)
{
	int64_t call, id;

	(void)state;
	assert_int_equal(db_recording_keep(db, 90), 0);
	call = bridged("");
	id = id_of(call);
	assert_string_equal(due(), "create");
	assert_true(hears(id, "in-progress", true));
	assert_int_equal(db_recording_remove(db, id), -EBUSY);
	assert_true(hears(id, "completed", false));
	assert_string_equal(
		world_text("SELECT round(extract(epoch FROM due_at - now()) / 86400)"
			   " FROM recordings WHERE id = %lld",
			(long long)id),
		"90");
	assert_string_equal(due(), "");
	(void)world_text("UPDATE recordings SET delete_at = now(), due_at = now()"
			 " WHERE id = %lld",
		(long long)id);
	assert_string_equal(due(), "delete");
	assert_string_equal(due(), ""); /* tried again later, until it is gone */
	assert_string_equal(due_at_last(id), "delete");
	assert_true(hears(id, "deleted", true));
	assert_string_equal(state_of(id), "deleted");
	assert_int_equal(db_recording_remove(db, id), 0);
	assert_string_equal(due(), "");
	assert_int_equal(db_recording_remove(db, 999999), -ENOENT);
	assert_int_equal(db_recording_keep(db, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_bridged_call_wants_one_recording_however_often_it_is_told),
		cmocka_unit_test(
			what_nobody_answered_is_looked_for_before_it_is_asked_again),
		cmocka_unit_test(after_five_requests_it_is_given_up),
		cmocka_unit_test(any_order_of_news_gives_the_same_end),
		cmocka_unit_test(another_recordings_news_are_not_taken),
		cmocka_unit_test(a_pause_is_tried_until_twilio_says_so),
		cmocka_unit_test(a_pause_while_the_last_one_ends_is_not_taken_for_done),
		cmocka_unit_test(
			paused_before_it_began_nothing_is_recorded_until_it_goes_on),
		cmocka_unit_test(nothing_is_recorded_before_it_was_announced),
		cmocka_unit_test(an_announcement_is_not_begun_again_while_it_may_play),
		cmocka_unit_test(a_call_that_ends_first_is_not_recorded),
		cmocka_unit_test(a_recording_that_nobody_tells_of_is_asked_for),
		cmocka_unit_test(what_is_kept_long_enough_is_deleted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
