/* test_db_claim_rules.c: the claim's rules, one by one: what runs, who is free, what is due. */
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
#include "db/exec.h"
#include "db/queue.h"
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

static enum db_claim_result result_of(const struct db_claim *claim)
{
	struct db_claimed claimed;

	assert_int_equal(db_call_claim(db, claim, &claimed), 0);
	return claimed.result;
}

/* The n-th row of a campaign; from 0. */
static int64_t nth(const char *table, int64_t campaign, unsigned n)
{
	return strtoll(world_text("SELECT id FROM %s WHERE campaign_id = %lld"
				  " ORDER BY id OFFSET %u LIMIT 1",
			       table, (long long)campaign, n),
		NULL, 10);
}

/* A person's wish for the campaign's first entry. */
static struct db_claim by_hand(int64_t campaign)
{
	struct db_claim claim = world_claim(campaign);

	claim.manual = true;
	claim.entry_id = nth("queue_entries", campaign, 0);
	return claim;
}

static void set_campaign(int64_t campaign, const char *what)
{
	(void)world_text(
		"UPDATE campaigns SET %s WHERE id = %lld", what, (long long)campaign);
}

static void set_session(int64_t session, const char *what)
{
	(void)world_text(
		"UPDATE agent_sessions SET %s WHERE id = %lld", what, (long long)session);
}

/* ---- what runs ---- */

static void what_does_not_dial_by_itself_is_dialled_by_hand_only(void **state)
{
	static const char *const off[] = {"auto_dial = false", "dial_method = 'manual'",
		"dial_method = 'preview'", "state = 'draft'"};

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		int64_t campaign = world_campaign(1, 1);
		struct db_claim claim = world_claim(campaign), hand = by_hand(campaign);

		set_campaign(campaign, off[i]);
		assert_int_equal(result_of(&claim), DB_CLAIM_STOPPED);
		assert_int_equal(result_of(&hand), DB_CLAIM_CALL);
	}
}

/* Whether nobody else could change the campaign just now. */
static struct db_claim_verdict look_at_lock(void *arg, const struct db_claim_facts *facts)
{
	bool *held = arg;

	*held = strcmp(world_text(
			       "SELECT count(*) FROM (SELECT 1 FROM campaigns WHERE id ="
			       " (SELECT campaign_id FROM queue_entries WHERE id = %lld)"
			       " FOR NO KEY UPDATE SKIP LOCKED) free",
			       (long long)facts->entry_id),
			"0") == 0;
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void who_stops_a_campaign_waits_for_the_claim_that_is_under_way(void **state)
{
	struct db_claim claim = world_claim(world_campaign(1, 1));
	bool held = false;

	(void)state;
	claim.verdict = look_at_lock;
	claim.arg = &held;
	assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
	assert_true(held);
}

/* ---- who is free ---- */

static void who_pauses_or_writes_down_the_last_call_is_had_only_by_name(void **state)
{
	static const char *const busy[] = {"state = 'paused', wants_ready = false",
		"state = 'wrap_up', hold_until = now() + interval '1 hour'"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int64_t campaign = world_campaign(1, 1);
		struct db_claim claim = by_hand(campaign);

		set_session(nth("agent_sessions", campaign, 0), busy[i]);
		assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
		claim.session_id = nth("agent_sessions", campaign, 0);
		claim.manual = false;
		assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
		claim.manual = true;
		assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
	}
}

static void who_is_kept_for_somebodys_call_is_had_only_by_name(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	int64_t session = nth("agent_sessions", campaign, 0), id = 0;
	struct db_claim claim = world_claim(campaign), hand = by_hand(campaign);
	struct db_claimed c;
	struct db_reserved got;

	(void)state;
	c = world_call(db, campaign);
	(void)world_event(db, c.call_id, "no_answer", 0);
	assert_int_equal(db_agent_session_keep(db, session, 60000), 0);
	hand.entry_id = nth("queue_entries", campaign, 1);
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
	assert_int_equal(result_of(&hand), DB_CLAIM_NO_AGENT);
	assert_int_equal(db_call_inbound(db, "CAkept", c.number, "+15550000001", NODE,
				 INSTALL, &id),
		0);
	assert_int_equal(db_call_reserve(db, id, "CAkept", INSTALL, &got), 0);
	assert_true(got.session_id == 0);
	claim.session_id = session; /* auto-dial knows no names */
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
	hand.session_id = session;
	assert_int_equal(db_call_claim(db, &hand, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	(void)world_event(db, c.call_id, "no_answer", 0);
	/* It was kept for this one call. */
	assert_int_equal(db_call_reserve(db, id, "CAkept", INSTALL, &got), 0);
	assert_true(got.session_id == session);
}

static void who_is_kept_too_long_is_anybodys(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t campaign = world_campaign(1, 1);
		int64_t session = nth("agent_sessions", campaign, 0);
		struct db_claim claim = world_claim(campaign);

		assert_int_equal(db_agent_session_keep(db, session, 60000), 0);
		assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
		if (i == 0)
			set_session(session, "kept_until = now() - interval '1 ms'");
		else
			assert_int_equal(db_agent_session_keep(db, session, 0), 0);
		assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
	}
	assert_int_equal(db_agent_session_keep(db, -1, 60000), -ENOENT);
}

static void who_cannot_be_reached_gets_no_call(void **state)
{
	static const char *const down[] = {"phone_up = false", "twilio_up = false"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int64_t campaign = world_campaign(1, 1);
		struct db_claim claim = world_claim(campaign), hand = by_hand(campaign);

		set_session(nth("agent_sessions", campaign, 0), down[i]);
		assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
		assert_int_equal(result_of(&hand), DB_CLAIM_NO_AGENT);
	}
}

static void agents_of_a_node_that_is_not_seen_get_no_call(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	struct db_claim claim = world_claim(campaign);

	(void)state;
	set_session(nth("agent_sessions", campaign, 0), "node_id = '" OTHER_NODE "'");
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
	(void)world_text("INSERT INTO nodes (id, seen_at) VALUES ('" OTHER_NODE "',"
			 " now() - interval '11 seconds')");
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
	(void)world_text("UPDATE nodes SET seen_at = now() WHERE id = '" OTHER_NODE "'");
	/* By name it is dialled by itself only where its phone is. */
	claim.session_id = nth("agent_sessions", campaign, 0);
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_AGENT);
	claim.session_id = 0;
	assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
	(void)world_text("DELETE FROM nodes WHERE id = '" OTHER_NODE "'");
}

static void the_agent_who_waited_longest_is_next(void **state)
{
	int64_t campaign = world_campaign(3, 3);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char since[64];

		(void)snprintf(since, sizeof(since),
			"state_since = now() - interval '%u minutes'", 10 + (i + 1) % 3);
		set_session(nth("agent_sessions", campaign, i), since);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_call(db, campaign).session_id,
			nth("agent_sessions", campaign, (4 - i) % 3));
}

/* ---- what is due ---- */

static void set_entry(int64_t entry, const char *what)
{
	(void)world_text(
		"UPDATE queue_entries SET %s WHERE id = %lld", what, (long long)entry);
}

static void what_is_not_due_waits_and_what_is_due_goes_by_priority_and_time(void **state)
{
	int64_t campaign = world_campaign(5, 5);
	static const char *const when[] = {
		"priority = 1, run_at = now() + interval '1 hour'",
		"priority = 3, run_at = now() - interval '9 minutes'",
		"priority = 2, run_at = now() + interval '1 hour'",
		"priority = 2, run_at = now() - interval '1 minute'",
		"priority = 2, run_at = now() - interval '2 minutes'"};
	static const unsigned order[] = {4, 3, 1};
	struct db_claim claim = world_claim(campaign);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		set_entry(nth("queue_entries", campaign, i), when[i]);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_call(db, campaign).entry_id,
			nth("queue_entries", campaign, order[i]));
	assert_int_equal(result_of(&claim), DB_CLAIM_NO_ENTRY);
}

static void what_is_kept_for_an_agent_is_not_dialled_before_its_time(void **state)
{
	int64_t campaign = world_campaign(2, 2);
	int64_t owner = strtoll(world_text("SELECT user_id FROM agent_sessions"
					   " WHERE id = %lld",
					(long long)nth("agent_sessions", campaign, 1)),
		NULL, 10);
	struct db_claimed c;

	(void)state;
	(void)world_text(
		"UPDATE queue_entries SET agent_id = %lld, run_at = now() + interval '1 hour',"
		" agent_until = now() + interval '2 hours' WHERE id = %lld",
		(long long)owner, (long long)nth("queue_entries", campaign, 0));
	set_session(nth("agent_sessions", campaign, 0),
		"state_since = now() - interval '1 hour'");
	/* Its owner is not preferred for it either. */
	c = world_call(db, campaign);
	assert_int_equal(c.session_id, nth("agent_sessions", campaign, 0));
	assert_int_equal(c.entry_id, nth("queue_entries", campaign, 1));
	assert_int_equal(result_of(&(struct db_claim){.campaign_id = campaign,
				 .node = NODE,
				 .install = INSTALL,
				 .deadline_ms = 20000,
				 .verdict = world_claim(campaign).verdict}),
		DB_CLAIM_NO_ENTRY);
}

static void what_was_kept_for_an_agent_is_anybodys_when_its_time_is_over(void **state)
{
	int64_t campaign = world_campaign(2, 1);
	struct db_claim claim = by_hand(campaign);

	(void)state;
	claim.session_id = nth("agent_sessions", campaign, 0);
	(void)world_text(
		"UPDATE queue_entries SET agent_until = now() + interval '1 hour',"
		" agent_id = (SELECT user_id FROM agent_sessions WHERE id = %lld)"
		" WHERE id = %lld",
		(long long)nth("agent_sessions", campaign, 1), (long long)claim.entry_id);
	assert_int_equal(result_of(&claim), DB_CLAIM_REFUSED);
	/* Before anybody has taken its owner off it. */
	(void)world_text("UPDATE queue_entries SET agent_until = now() - interval '1 s'"
			 " WHERE id = %lld",
		(long long)claim.entry_id);
	assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
}

/* ---- what is refused ---- */

static void a_number_that_somebody_else_looks_at_is_busy(void **state)
{
	static const char lock[] =
		"SELECT pg_advisory_%s(hashtextextended(c.phone, 7251664932))"
		" FROM contacts c JOIN queue_entries q ON q.contact_id = c.id"
		" WHERE q.id = %lld";
	struct db_claim claim = by_hand(world_campaign(1, 1));
	struct db_claimed c;

	(void)state;
	/* As the claim of another campaign does until its commit. */
	(void)world_text(lock, "lock", (long long)claim.entry_id);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(c.rule, "number.busy");
	(void)world_text(lock, "unlock", (long long)claim.entry_id);
	assert_int_equal(result_of(&claim), DB_CLAIM_CALL);
}

static struct db_claim_verdict as_told(void *arg, const struct db_claim_facts *facts)
{
	(void)facts;
	return *(struct db_claim_verdict *)arg;
}

/* What a refusal does to the entry, by hand or by itself. */
static const char *after_refusal(bool manual, struct db_claim_verdict verdict)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = manual ? by_hand(campaign) : world_claim(campaign);

	claim.verdict = as_told;
	claim.arg = &verdict;
	assert_int_equal(result_of(&claim), DB_CLAIM_REFUSED);
	return world_text(
		"SELECT concat_ws(' ', state, NULLIF(reason, ''), run_at > now())"
		" FROM queue_entries WHERE campaign_id = %lld",
		(long long)campaign);
}

static void a_refusal_that_is_not_the_entrys_leaves_it_alone(void **state)
{
	const struct db_claim_verdict never = {.rule = "n", .code = "dnc"},
				      later = {.later = true,
					      .rule = "l",
					      .code = "hours"},
				      whole = {.later = true,
					      .whole = true,
					      .rule = "w",
					      .code = "limit"};

	(void)state;
	assert_string_equal(after_refusal(false, whole), "pending f");
	assert_string_equal(after_refusal(true, whole), "pending f");
	assert_string_equal(after_refusal(false, later), "pending hours t");
	assert_string_equal(after_refusal(true, later), "pending f");
	assert_string_equal(after_refusal(false, never), "skipped dnc f");
	assert_string_equal(after_refusal(true, never), "skipped dnc f");
}

/* ---- what a call writes ---- */

static void a_call_is_counted_and_noted_where_people_look(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed c;

	(void)state;
	set_entry(nth("queue_entries", campaign, 0), "reason = 'retry', dials = 4");
	c = world_call(db, campaign);
	assert_int_equal(c.attempt, 5);
	assert_string_equal(
		world_text("SELECT concat_ws(' ', state, dials, attempts, reason = '',"
			   " dialed_at > now() - interval '1 minute')"
			   " FROM queue_entries WHERE id = %lld",
			(long long)c.entry_id),
		"dialing 5 1 t t");
	assert_string_equal(world_text("SELECT concat_ws(' ', locked_by = %lld, attempts,"
				       " last_attempt_at > now() - interval '1 minute')"
				       " FROM contacts WHERE id = %lld",
				    (long long)c.call_id, (long long)c.contact_id),
		"t 1 t");
	assert_string_equal(
		world_text(
			"SELECT concat_ws(' ', d.calls, c.mode, c.attempt, c.deadline_at"
			" BETWEEN c.placed_at + interval '19 s' AND c.placed_at"
			" + interval '21 s') FROM calls c JOIN campaign_days d"
			" USING (campaign_id, day) WHERE c.id = %lld",
			(long long)c.call_id),
		"1 auto 5 t");
}

static void who_is_rung_first_is_held_longer_and_has_a_turn_for_each_call(void **state)
{
	struct db_agent_session s;
	int64_t campaign = world_agent(db, "phone", false, &s);
	struct db_claimed c;

	(void)state;
	c = world_call(db, campaign);
	assert_true(c.ring_first);
	assert_string_equal(
		world_text("SELECT concat_ws(' ', s.turn = %d + 1, c.state,"
			   " c.conference = 'ovx-test-' || s.id || '-' || s.turn,"
			   " s.hold_until - s.state_since, c.deadline_at > c.placed_at"
			   "  + interval '59 s') FROM agent_sessions s"
			   " JOIN calls c ON c.id = s.call_id WHERE s.id = %lld",
			s.turn, (long long)s.id),
		"t claimed t 00:02:30 t");
}

static void who_has_made_the_calls_leg_itself_is_waited_for_in_its_conference(
	void **state)
{
	static const bool nailed[] = {true, false};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct db_agent_session s;
		int64_t campaign = world_agent(db, "browser", nailed[i], &s);
		struct db_claim claim = by_hand(campaign);
		struct db_claimed c;

		claim.session_id = s.id;
		claim.own_leg = true;
		assert_int_equal(db_call_claim(db, &claim, &c), 0);
		assert_true(c.result == DB_CLAIM_CALL && c.ring_first);
		assert_string_equal(
			world_text("SELECT concat_ws(' ', c.state, s.turn = %d)"
				   " FROM calls c JOIN agent_sessions s"
				   " ON s.call_id = c.id WHERE c.id = %lld",
				s.turn, (long long)c.call_id),
			"claimed t");
	}
}

/* ---- what is in somebody else's transaction ---- */

static struct db_claim_verdict not_now(void *arg, const struct db_claim_facts *facts)
{
	(void)arg, (void)facts;
	return (struct db_claim_verdict){.later = true, .rule = "no", .code = "hours"};
}

static void who_has_the_first_priority_does_not_hold_up_the_next(void **state)
{
	int64_t campaign = world_campaign(2, 4), entry = 0;
	struct db_claim claim = world_claim(campaign);
	struct db_preview preview = {
		.campaign_id = campaign, .hold_s = 600, .verdict = claim.verdict};
	struct db *other = db_connect();
	struct db_claimed c;
	size_t refused = 0;

	(void)state;
	preview.user_id = strtoll(world_text("SELECT user_id FROM agent_sessions"
					     " WHERE campaign_id = %lld LIMIT 1",
					  (long long)campaign),
		NULL, 10);
	set_entry(nth("queue_entries", campaign, 0), "priority = 1");
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(db_run(other,
				 "SELECT 1 FROM queue_entries WHERE campaign_id = $1"
				 " AND priority = 1 FOR UPDATE",
				 ARGS(arg_int(campaign)), NULL),
		0);
	assert_int_equal(
		world_call(db, campaign).entry_id, nth("queue_entries", campaign, 1));
	assert_int_equal(db_entry_preview(db, &preview, &entry), 0);
	assert_int_equal(entry, nth("queue_entries", campaign, 2));
	assert_int_equal(db_queue_postpone(db, campaign, 10, not_now, NULL, &refused), 0);
	assert_int_equal(refused, 1);
	/* Nothing else is due: that is another matter than nothing at all. */
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_NO_ENTRY);
	assert_true(c.locked && c.next_ms > 0);
	db_rollback(other);
	db_close(&other);
	assert_int_equal(
		world_call(db, campaign).entry_id, nth("queue_entries", campaign, 0));
}

static void what_is_not_due_yet_is_nobodys(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	set_entry(
		nth("queue_entries", campaign, 0), "run_at = now() + interval '1 hour'");
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_NO_ENTRY);
	assert_false(c.locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_dial_by_itself_is_dialled_by_hand_only),
		cmocka_unit_test(
			who_stops_a_campaign_waits_for_the_claim_that_is_under_way),
		cmocka_unit_test(
			who_pauses_or_writes_down_the_last_call_is_had_only_by_name),
		cmocka_unit_test(who_is_kept_for_somebodys_call_is_had_only_by_name),
		cmocka_unit_test(who_is_kept_too_long_is_anybodys),
		cmocka_unit_test(who_cannot_be_reached_gets_no_call),
		cmocka_unit_test(agents_of_a_node_that_is_not_seen_get_no_call),
		cmocka_unit_test(the_agent_who_waited_longest_is_next),
		cmocka_unit_test(
			what_is_not_due_waits_and_what_is_due_goes_by_priority_and_time),
		cmocka_unit_test(
			what_is_kept_for_an_agent_is_not_dialled_before_its_time),
		cmocka_unit_test(
			what_was_kept_for_an_agent_is_anybodys_when_its_time_is_over),
		cmocka_unit_test(a_number_that_somebody_else_looks_at_is_busy),
		cmocka_unit_test(a_refusal_that_is_not_the_entrys_leaves_it_alone),
		cmocka_unit_test(a_call_is_counted_and_noted_where_people_look),
		cmocka_unit_test(
			who_is_rung_first_is_held_longer_and_has_a_turn_for_each_call),
		cmocka_unit_test(
			who_has_made_the_calls_leg_itself_is_waited_for_in_its_conference),
		cmocka_unit_test(who_has_the_first_priority_does_not_hold_up_the_next),
		cmocka_unit_test(what_is_not_due_yet_is_nobodys),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
