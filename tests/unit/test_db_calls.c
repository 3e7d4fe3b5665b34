/* test_db_calls.c: the life of a call by its events, in any order, and what its end lets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/callbacks.h"
#include "db/sessions.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BASE_MS 4000000000000 /* after the call was placed */

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

/* What is left of a call and of all that it held, without its ids. */
static const char *snapshot(int64_t call_id)
{
	return world_text(
		"SELECT concat_ws(' ', c.state, c.outcome, extract(epoch FROM c.ringing_at),"
		" extract(epoch FROM c.answered_at), extract(epoch FROM c.bridged_at),"
		" extract(epoch FROM c.ended_at), c.duration_s, c.error_code, c.error_text,"
		" c.action, c.deadline_at IS NULL, s.state, s.call_id, s.hold_until IS NULL,"
		" q.state, q.outcome, q.attempts, q.dials, x.locked_by, x.last_outcome,"
		" x.attempts, (SELECT count(*) FROM call_events e WHERE e.call_id = c.id))"
		" FROM calls c JOIN agent_sessions s ON s.id = c.agent_session_id"
		" JOIN queue_entries q ON q.id = c.entry_id JOIN contacts x ON x.id = c.contact_id"
		" WHERE c.id = %lld",
		(long long)call_id);
}

static void free_agent(int64_t session_id)
{
	(void)world_text("UPDATE agent_sessions SET state = 'ready', hold_until = NULL"
			 " WHERE id = %lld AND call_id IS NULL",
		(long long)session_id);
}

static size_t apply(const struct db_call_event *events, size_t count,
	struct db_call_change *ret_first)
{
	struct db_call_change *changes = NULL;
	size_t changed = 0;

	assert_int_equal(db_call_events_apply(db, events, count, &changes, &changed), 0);
	if (changed > 0 && ret_first)
		*ret_first = changes[0];
	free(changes);
	return changed;
}

static const char *state_of(int64_t call_id)
{
	return world_text("SELECT state FROM calls WHERE id = %lld", (long long)call_id);
}

/* ---- the table ---- */

static void every_event_in_every_state_does_what_the_table_says(void **state)
{
	static const char *const states[] = {
		"placing", "ambiguous", "queued", "ringing", "answered", "bridged"};
	static const char *const events[] = {"accepted", "refused", "unsent", "lost",
		"initiated", "ringing", "answered", "joined", "left", "completed", "busy",
		"no_answer", "failed", "canceled", "hangup", "slow", "expired",
		"nonsense"};
	int64_t campaign = world_campaign(1, COUNT(states) * COUNT(events));

	(void)state;
	(void)world_text("UPDATE campaigns SET wrap_up_s = 0 WHERE id = %lld",
		(long long)campaign);
	for (size_t i = 0; i < COUNT(states) * COUNT(events); i++) {
		const char *was = states[i / COUNT(events)],
			   *event = events[i % COUNT(events)];
		int64_t call = world_call(db, campaign).call_id;

		(void)world_text("UPDATE calls SET state = '%s' WHERE id = %lld", was,
			(long long)call);
		world_tell(db, call, event);
		assert_string_equal(
			world_text(
				"SELECT concat_ws(' ', state, outcome, action) FROM calls"
				" WHERE id = %lld",
				(long long)call),
			world_text(
				"SELECT concat_ws(' ', COALESCE(t.next, '%s'), t.outcome,"
				" t.action) FROM (SELECT) one LEFT JOIN call_transition t"
				" ON t.state = '%s' AND t.event = '%s'",
				was, was, event));
		assert_string_equal(
			world_text("SELECT state = 'ended' OR deadline_at > now()"
				   " FROM calls WHERE id = %lld",
				(long long)call),
			"t");
		world_tell(db, call, "failed");
		assert_string_equal(
			world_text(
				"SELECT concat_ws(' ', s.state, s.call_id, q.state,"
				" x.locked_by) FROM calls c"
				" JOIN agent_sessions s ON s.id = c.agent_session_id"
				" JOIN queue_entries q ON q.id = c.entry_id"
				" JOIN contacts x ON x.id = c.contact_id WHERE c.id = %lld",
				(long long)call),
			strcmp(world_text("SELECT outcome FROM calls WHERE id = %lld",
				       (long long)call),
				"completed") == 0
				? "ready completed"
				: "ready pending");
	}
}

/* ---- order ---- */

/* The webhooks of a good call: two sources, each in an order of its own. */
static const struct {
	const char *source, *event;
	int sequence;
} good_call[] = {{"call", "initiated", 0}, {"call", "ringing", 1},
	{"call", "answered", 2}, {"conference", "joined", 2}, {"conference", "left", 5},
	{"call", "completed", 3}};
enum { EVENTS = COUNT(good_call) };

static void fill(
	struct db_call_event *e, int64_t call_id, size_t i, char sids[2][DB_SID_SIZE])
{
	(void)snprintf(sids[0], DB_SID_SIZE, "CA%032lld", (long long)call_id);
	(void)snprintf(sids[1], DB_SID_SIZE, "CF%032lld", (long long)call_id);
	*e = (struct db_call_event){.call_id = call_id,
		.source = good_call[i].source,
		.source_sid = good_call[i].source[1] == 'a' ? sids[0] : sids[1],
		.sequence = good_call[i].sequence,
		.event = good_call[i].event,
		.at_ms = BASE_MS + (int64_t)i * 1000,
		.leg_sid = sids[0],
		.duration_s = i == EVENTS - 1 ? 7 : -1};
}

/* The n-th of the 720 orders of six things. */
static void order(unsigned nth, size_t ret_order[EVENTS])
{
	size_t left[EVENTS], count = EVENTS;

	for (size_t i = 0; i < EVENTS; i++)
		left[i] = i;
	for (size_t i = 0; i < EVENTS; i++) {
		size_t at = nth % count;

		nth /= (unsigned)count;
		ret_order[i] = left[at];
		left[at] = left[--count];
	}
}

/* One order told to a new call, one by one or all at once; then the agent is free again. */
static const char *told(int64_t campaign, unsigned nth, bool at_once)
{
	struct db_claimed claimed = world_call(db, campaign);
	struct db_call_event events[EVENTS];
	char sids[2][DB_SID_SIZE];
	const char *left;
	size_t at[EVENTS];

	order(nth, at);
	for (size_t i = 0; i < EVENTS; i++) {
		fill(&events[i], claimed.call_id, at[i], sids);
		if (!at_once)
			(void)apply(&events[i], 1, NULL);
	}
	if (at_once)
		assert_int_equal(apply(events, EVENTS, NULL), 1);
	left = snapshot(claimed.call_id);
	free_agent(claimed.session_id);
	return left;
}

static void any_order_of_webhooks_ends_the_same(void **state)
{
	int64_t campaign = world_campaign(1, 721 + 720 / 6);
	char expected[512];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "%s", told(campaign, 0, false));
	assert_non_null(strstr(expected, "ended completed"));
	assert_non_null(strstr(expected, "wrap_up"));
	for (unsigned nth = 0; nth < 720; nth++) {
		assert_string_equal(told(campaign, nth, false), expected);
		if (nth % 6 == 0)
			assert_string_equal(told(campaign, nth, true), expected);
	}
}

static void a_repeated_webhook_changes_nothing(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	char sids[2][DB_SID_SIZE], before[512];
	struct db_call_event events[2 * EVENTS];

	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		fill(&events[2 * i], claimed.call_id, i, sids);
		fill(&events[2 * i + 1], claimed.call_id, i, sids);
		/* Twice already in the batch that first tells it. */
		assert_int_equal(apply(&events[2 * i], 1 + i % 2, NULL),
			strcmp(good_call[i].event, "left") != 0);
		(void)snprintf(before, sizeof(before), "%s", snapshot(claimed.call_id));
		for (size_t j = 0; j <= i; j++)
			assert_int_equal(apply(&events[2 * j], 2, NULL), 0);
		assert_string_equal(snapshot(claimed.call_id), before);
	}
	free_agent(claimed.session_id);
}

static void a_webhook_of_another_leg_changes_nothing(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	struct db_call_event e;
	char sids[2][DB_SID_SIZE], before[512];

	(void)state;
	(void)world_event(db, claimed.call_id, "initiated", 0);
	(void)snprintf(before, sizeof(before), "%s", snapshot(claimed.call_id));
	fill(&e, claimed.call_id, EVENTS - 1, sids);
	e.leg_sid = e.source_sid = "CAffffffffffffffffffffffffffffffff";
	assert_int_equal(apply(&e, 1, NULL), 0);
	e.call_id = 0x7fffffff;
	assert_int_equal(apply(&e, 1, NULL), 0);
	assert_string_equal(snapshot(claimed.call_id), before);
}

static void a_batch_moves_many_calls_and_one_sid_names_one_leg(void **state)
{
	int64_t campaign = world_campaign(2, 2);
	struct db_claimed one = world_call(db, campaign), two = world_call(db, campaign);
	struct db_call_event events[4];
	char sids[4][2][DB_SID_SIZE];
	bool known[2];

	(void)state;
	fill(&events[0], one.call_id, 1, sids[0]);
	fill(&events[1], two.call_id, 1, sids[1]);
	fill(&events[2], one.call_id, 2, sids[2]);
	fill(&events[3], two.call_id, 2, sids[3]);
	events[1].leg_sid = events[0].leg_sid; /* cannot be: not the second's */
	assert_int_equal(apply(events, 4, NULL), 1);
	assert_string_equal(state_of(one.call_id), "answered");
	assert_string_equal(state_of(two.call_id), "placing");
	assert_int_equal(
		db_sids_known(db, (const char *[]){sids[0][0], "CAnobody"}, 2, known), 0);
	assert_true(known[0] && !known[1]);
}

static void a_first_sid_names_its_leg_beside_legs_that_have_theirs(void **state)
{
	int64_t campaign = world_campaign(3, 3);
	struct db_claimed calls[3];
	struct db_call_event events[3];
	char sids[3][2][DB_SID_SIZE];
	bool known[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		calls[i] = world_call(db, campaign);
	/* Whichever stands first in the tables or in the batch: the one in the middle is new. */
	(void)world_event(db, calls[0].call_id, "initiated", 0);
	(void)world_event(db, calls[2].call_id, "initiated", 0);
	for (size_t i = 0; i < 3; i++)
		fill(&events[i], calls[i].call_id, 1, sids[i]);
	assert_int_equal(apply(events, 3, NULL), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(state_of(calls[i].call_id), "ringing");
	assert_int_equal(
		db_sids_known(db, (const char *[]){sids[0][0], sids[1][0], sids[2][0]}, 3,
			known),
		0);
	assert_true(known[0] && known[1] && known[2]);
	/* And now it has one: another's news is not its own. */
	fill(&events[0], calls[1].call_id, 2, sids[0]);
	events[0].leg_sid = events[0].source_sid = "CAfffffffffffffffffffffffffffffffe";
	assert_int_equal(apply(events, 1, NULL), 0);
	assert_string_equal(state_of(calls[1].call_id), "ringing");
}

/* ---- what is out of the ordinary ---- */

static void a_call_that_lives_after_it_was_given_up_is_hung_up(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	struct db_call_change change = {0};
	struct db_call_event e;
	char sids[2][DB_SID_SIZE];

	(void)state;
	assert_string_equal(world_text("SELECT was_ambiguous FROM calls WHERE id = %lld",
				    (long long)claimed.call_id),
		"f");
	world_tell(db, claimed.call_id, "lost");
	assert_string_equal(
		world_text("SELECT count(*) FROM calls WHERE campaign_id = %lld"
			   " AND was_ambiguous",
			(long long)campaign),
		"1");
	world_tell(db, claimed.call_id, "expired");
	assert_string_equal(
		world_text("SELECT outcome || state FROM calls WHERE id = %lld",
			(long long)claimed.call_id),
		"unknownended");
	fill(&e, claimed.call_id, 2, sids);
	assert_int_equal(apply(&e, 1, &change), 1);
	assert_string_equal(change.action, "hangup");
	assert_string_equal(change.leg_sid, sids[0]);
	assert_string_equal(change.state, "ended");
	assert_int_equal(db_call_action_done(db, claimed.call_id), 0);
	assert_int_equal(db_call_action_done(db, claimed.call_id), -ENOENT);
	fill(&e, claimed.call_id, 5, sids);
	assert_int_equal(apply(&e, 1, NULL), 0);
	fill(&e, claimed.call_id, 1, sids); /* older than its end: nobody to hang up */
	assert_int_equal(apply(&e, 1, NULL), 0);
	assert_string_equal(world_text("SELECT action FROM calls WHERE id = %lld",
				    (long long)claimed.call_id),
		"");
}

static void a_hangup_before_the_sid_is_known_waits_for_it(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	struct db_call_change change = {0};
	struct db_call_event e = world_gateway_event(claimed.call_id, "hangup");

	(void)state;
	assert_int_equal(apply(&e, 1, &change), 1);
	assert_string_equal(change.action, "hangup");
	assert_string_equal(change.leg_sid, "");
	assert_int_equal(world_event(db, claimed.call_id, "initiated", 0), 1);
	assert_int_equal(world_event(db, claimed.call_id, "ringing", 1), 1);
	assert_int_equal(world_event(db, claimed.call_id, "canceled", 2), 1);
	assert_string_equal(world_text("SELECT action FROM calls WHERE id = %lld",
				    (long long)claimed.call_id),
		"");
}

static void a_call_that_never_left_is_no_attempt(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);

	(void)state;
	world_tell(db, claimed.call_id, "unsent");
	assert_string_equal(
		world_text(
			"SELECT concat_ws(' ', q.state, q.outcome, q.attempts, q.dials,"
			" q.run_at < now() + interval '6 s', x.attempts, x.last_outcome)"
			" FROM queue_entries q JOIN contacts x ON x.id = q.contact_id"
			" WHERE q.id = %lld",
			(long long)claimed.entry_id),
		"pending 0 1 t 0");
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld",
		(long long)claimed.entry_id);
	free_agent(claimed.session_id);
	assert_int_equal(world_call(db, campaign).attempt, 2);
}

/* Applies the words of Twilio's answers, told at these times. */
static void told_by_rest(int64_t call_id, const char *event, int64_t at_ms)
{
	char sid[DB_SID_SIZE];

	(void)snprintf(sid, sizeof(sid), "CA%032lld", (long long)call_id);
	(void)apply(&(struct db_call_event){.call_id = call_id,
			    .source = "rest",
			    .source_sid = sid,
			    .sequence = -1,
			    .event = event,
			    .at_ms = at_ms,
			    .leg_sid = sid,
			    .duration_s = -1},
		1, NULL);
}

static const char *kept(int64_t entry_id, int64_t call_id)
{
	return world_text(
		"SELECT concat_ws(' ', q.state, q.reason, q.attempts, x.attempts, b.state,"
		" c.counts) FROM queue_entries q JOIN contacts x ON x.id = q.contact_id"
		" JOIN callbacks b ON b.entry_id = q.id, calls c"
		" WHERE q.id = %lld AND c.id = %lld",
		(long long)entry_id, (long long)call_id);
}

/* It has one attempt left, and somebody is promised a call. */
static struct db_claimed last_attempt(void)
{
	int64_t campaign = world_campaign(1, 1), id = 0;

	(void)world_text("UPDATE queue_entries SET attempts = 2 WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_callback_create(db,
				 &(struct db_callback){.campaign_id = campaign,
					 .contact_id = atoll(world_text(
						 "SELECT contact_id FROM queue_entries"
						 " WHERE campaign_id = %lld",
						 (long long)campaign)),
					 .due_ms = clock_wall_ms() - 1000,
					 .grace_s = 600},
				 &id),
		0);
	return world_call(db, campaign);
}

static void a_call_cancelled_in_twilios_queue_is_no_attempt(void **state)
{
	struct db_claimed claimed = last_attempt();

	(void)state;
	told_by_rest(claimed.call_id, "accepted", BASE_MS);
	told_by_rest(claimed.call_id, "slow", BASE_MS);
	told_by_rest(claimed.call_id, "canceled", BASE_MS + 50);
	assert_string_equal(
		kept(claimed.entry_id, claimed.call_id), "pending unsent 2 0 pending f");
}

static void a_cancelled_call_that_may_have_rung_is_an_attempt(void **state)
{
	struct db_claimed dialled = last_attempt(), late = last_attempt();

	(void)state;
	told_by_rest(dialled.call_id, "accepted", BASE_MS);
	told_by_rest(dialled.call_id, "slow", BASE_MS);
	(void)world_event(db, dialled.call_id, "initiated", 0);
	told_by_rest(dialled.call_id, "canceled", BASE_MS + 50);
	assert_string_equal(
		kept(dialled.entry_id, dialled.call_id), "completed  3 1 done t");
	told_by_rest(late.call_id, "accepted", BASE_MS);
	told_by_rest(late.call_id, "slow", BASE_MS + 3500);
	told_by_rest(late.call_id, "canceled", BASE_MS + 3600);
	assert_string_equal(kept(late.entry_id, late.call_id), "completed  3 1 done t");
}

static void attempts_run_out(void **state)
{
	int64_t campaign = world_campaign(1, 1);

	(void)state;
	for (int i = 1; i <= 3; i++) {
		struct db_claimed claimed = world_call(db, campaign);

		world_tell(db, claimed.call_id, "busy");
		assert_string_equal(
			world_text("SELECT concat_ws(' ', state, outcome, attempts,"
				   " run_at > now() + interval '59 minutes')"
				   " FROM queue_entries WHERE id = %lld",
				(long long)claimed.entry_id),
			i == 1   ? "pending busy 1 t"
			: i == 2 ? "pending busy 2 t"
				 : "completed busy 3 t");
		(void)world_text(
			"UPDATE queue_entries SET run_at = now() WHERE id = %lld",
			(long long)claimed.entry_id);
	}
}

static void an_agent_whose_phone_is_away_does_not_become_ready(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	struct db_agent_session session;

	(void)state;
	assert_int_equal(
		db_agent_session_phone(db, claimed.session_id, false, NULL, &session), 0);
	assert_string_equal(session.state, "reserved");
	world_tell(db, claimed.call_id, "busy");
	assert_int_equal(db_agent_session_get(db, claimed.session_id, &session), 0);
	assert_string_equal(session.state, "paused");
	assert_string_equal(session.pause_reason, "waiting for the phone");
	assert_int_equal(
		db_agent_session_phone(db, claimed.session_id, true, NULL, &session), 0);
	assert_string_equal(session.state, "ready");
}

static void an_end_whose_answer_was_never_told_still_has_its_time(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed claimed = world_call(db, campaign);
	struct db_call_event e;
	struct db_call call;
	char sids[2][DB_SID_SIZE];

	(void)state;
	fill(&e, claimed.call_id, EVENTS - 1, sids);
	(void)apply(&e, 1, NULL);
	assert_int_equal(db_call_get(db, claimed.call_id, &call), 0);
	assert_true(call.ended_ms == e.at_ms && call.answered_ms == e.at_ms - 7000);
}

/* ---- many at once ---- */

struct many {
	int64_t ids[20];
	bool backwards;
	int rc;
};

static void *tell_all(void *arg)
{
	struct many *many = arg;
	struct db *own = NULL;
	struct db_call_event events[20];
	char sids[20][2][DB_SID_SIZE];

	many->rc = db_open(db_cluster_url, 10000, &own);
	for (size_t i = 0; i < EVENTS && many->rc == 0; i++) {
		struct db_call_change *changes = NULL;
		size_t count;

		for (size_t j = 0; j < 20; j++)
			fill(&events[j], many->ids[many->backwards ? 19 - j : j], i,
				sids[j]);
		many->rc = db_call_events_apply(own, events, 20, &changes, &count);
		free(changes);
	}
	db_close(&own);
	return NULL;
}

static void two_nodes_told_the_same_at_once_agree(void **state)
{
	int64_t campaign = world_campaign(20, 20);
	struct many many[2] = {{.rc = -1}, {.backwards = true, .rc = -1}};
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 20; i++)
		many[0].ids[i] = many[1].ids[i] = world_call(db, campaign).call_id;
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, tell_all, &many[i]), 0);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(many[0].rc, 0);
	assert_int_equal(many[1].rc, 0);
	for (int i = 1; i < 20; i++)
		assert_string_equal(snapshot(many[0].ids[i]), snapshot(many[0].ids[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_every_state_does_what_the_table_says),
		cmocka_unit_test(any_order_of_webhooks_ends_the_same),
		cmocka_unit_test(a_repeated_webhook_changes_nothing),
		cmocka_unit_test(a_webhook_of_another_leg_changes_nothing),
		cmocka_unit_test(a_batch_moves_many_calls_and_one_sid_names_one_leg),
		cmocka_unit_test(a_first_sid_names_its_leg_beside_legs_that_have_theirs),
		cmocka_unit_test(a_call_that_lives_after_it_was_given_up_is_hung_up),
		cmocka_unit_test(a_hangup_before_the_sid_is_known_waits_for_it),
		cmocka_unit_test(a_call_that_never_left_is_no_attempt),
		cmocka_unit_test(a_call_cancelled_in_twilios_queue_is_no_attempt),
		cmocka_unit_test(a_cancelled_call_that_may_have_rung_is_an_attempt),
		cmocka_unit_test(attempts_run_out),
		cmocka_unit_test(an_agent_whose_phone_is_away_does_not_become_ready),
		cmocka_unit_test(an_end_whose_answer_was_never_told_still_has_its_time),
		cmocka_unit_test(two_nodes_told_the_same_at_once_agree),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
