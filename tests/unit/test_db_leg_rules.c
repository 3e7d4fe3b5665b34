/*
 * test_db_leg_rules.c: who is rung, whose a leg is, how many are renewed at once, and what a call
 * waits for whose agent is rung first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/controls.h"
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

static void assert_not_rung(const struct db_agent_session *s)
{
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	assert_int_equal(world_try_ring(db, s, &leg, &wait_ms), -ENOENT);
	assert_string_equal(
		world_text("SELECT count(*) FROM call_legs WHERE agent_session_id = %lld",
			(long long)s->id),
		"0");
}

static void who_has_no_call_is_rung_only_when_nailed(void **state)
{
	struct db_agent_session s;
	int64_t campaign;

	(void)state;
	campaign = world_agent(db, "phone", false, &s);
	assert_not_rung(&s);
	(void)world_call(db, campaign);
	assert_true(world_ring(db, &s).id > 0);
}

static void who_has_signed_out_is_not_rung(void **state)
{
	struct db_agent_session s;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	(void)world_text("UPDATE agent_sessions SET state = 'offline', ended_at = now()"
			 " WHERE id = %lld",
		(long long)s.id);
	assert_not_rung(&s);
}

static void nobody_gets_the_leg_of_another(void **state)
{
	struct db_agent_session one, two;
	struct db_agent_leg leg, other;

	(void)state;
	(void)world_agent(db, "browser", true, &one);
	(void)world_agent(db, "browser", true, &two);
	assert_int_equal(db_agent_leg_own(db, one.user_id, "CAmine", INSTALL, &leg), 0);
	assert_int_equal(
		db_agent_leg_own(db, two.user_id, "CAmine", INSTALL, &other), -ENOENT);
	assert_string_equal(world_text("SELECT agent_session_id = %lld FROM call_legs"
				       " WHERE provider_sid = 'CAmine'",
				    (long long)one.id),
		"t");
}

static size_t renew(int max)
{
	struct db_agent_session *sessions = NULL;
	size_t count = 0;

	assert_int_equal(
		db_agent_legs_renew(db, NODE, 3600000, max, &sessions, &count), 0);
	free(sessions);
	return count;
}

static void legs_of_one_morning_are_not_all_renewed_at_once(void **state)
{
	struct db_agent_session s;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct db_agent_leg leg;

		(void)world_agent(db, "phone", true, &s);
		leg = world_ring(db, &s);
		assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
		(void)world_text(
			"UPDATE call_legs SET created_at = now() - interval '2 hours'"
			" WHERE id = %lld",
			(long long)leg.id);
	}
	assert_int_equal(renew(2), 2);
	assert_int_equal(renew(2), 1);
	assert_int_equal(renew(2), 0);
}

/* While nothing is dialled: see the account's stops. */
static void nobody_is_rung_to_wait_while_the_account_is_stopped(void **state)
{
	struct db_agent_session nailed, rung;
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	(void)state;
	(void)world_agent(db, "phone", true, &nailed);
	(void)world_call(db, world_agent(db, "phone", false, &rung));
	(void)world_text(
		"INSERT INTO twilio_stops (scope, key, kind, code, reason, detail)"
		" VALUES ('account', '', 'setup', 20006, '', '')");
	assert_int_equal(world_try_ring(db, &nailed, &leg, &wait_ms), -EBUSY);
	assert_in_range(wait_ms, 1000, 10000);
	assert_true(world_ring(db, &rung).id > 0); /* what it is told ends its call */
	(void)world_text("UPDATE twilio_stops SET ended_at = now(), ended_by = 'x'");
	assert_true(world_ring(db, &nailed).id > 0);
}

static void an_agent_is_rung_from_its_campaigns_number(void **state)
{
	struct db_agent_session own, all;
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	(void)state;
	(void)world_text(
		"UPDATE campaigns SET caller_id = '+15550000002' WHERE id = %lld",
		(long long)world_agent(db, "phone", true, &own));
	assert_string_equal(world_ring(db, &own).caller_id, "+15550000002");
	(void)world_agent(db, "phone", true, &all);
	(void)world_text("UPDATE agent_sessions SET campaign_id = NULL, state = 'paused',"
			 " pause_reason = 'waiting for the phone' WHERE id = %lld",
		(long long)all.id);
	(void)world_text(
		"INSERT INTO twilio_stops (scope, key, kind, code, reason, detail)"
		" VALUES ('caller', '" WORLD_CALLER_ID "', 'caller', 21210, '', '')");
	assert_int_equal(world_try_ring(db, &all, &leg, &wait_ms), -EBUSY);
	assert_int_equal(world_held(db, &all), 0);
	assert_string_equal(all.pause_reason, DB_REASON_CALLER);
	assert_true(all.wants_ready);
	assert_int_equal(world_held(db, &all), -ENOENT); /* once */
	(void)world_text("UPDATE twilio_stops SET ended_at = now(), ended_by = 'x'");
	assert_string_equal(world_ring(db, &all).caller_id, WORLD_CALLER_ID);
	assert_int_equal(db_agent_session_get(db, all.id, &all), 0);
	assert_string_equal(all.pause_reason, "waiting for the phone");
}

/* It goes on: the customer is there, and the call is told why its agent is not. */
static void a_conversation_learns_that_its_agent_could_not_be_rung(void **state)
{
	enum db_leg_end how[] = {DB_LEG_UNSENT, DB_LEG_REFUSED};
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;

	(void)state;
	c = world_call(db, world_agent(db, "phone", false, &s));
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAaway", &s), 0);
	world_tell(db, c.call_id, "agent_joined");
	(void)world_event(db, c.call_id, "joined", 0);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_LOST, &s), DB_LEG_AFTER_NOTHING);
	for (size_t i = 0; i < 2; i++) {
		leg = world_ring(db, &s);
		assert_int_equal(
			world_leg_end(db, leg.id, how[i], &s), DB_LEG_AFTER_AWAY);
		assert_string_equal(s.call_state, "bridged");
		assert_string_equal(s.state, "on_call");
	}
}

/* ---- who is muted, on another leg ---- */

/* An agent of this kind who talks, on a leg that has joined. */
static struct db_claimed talking(
	const char *endpoint, struct db_agent_session *s, struct db_agent_leg *ret_leg)
{
	struct db_claimed c = world_call(db, world_agent(db, endpoint, true, s));

	*ret_leg = world_ring(db, s);
	assert_int_equal(db_agent_leg_joined(db, ret_leg->label, ret_leg->label, s), 0);
	(void)world_event(db, c.call_id, "joined", 0);
	return c;
}

static struct db_control mute(int64_t call_id, bool on)
{
	struct db_control_wish wish = {
		.call_id = call_id, .agent = true, .hold = -1, .muted = on};
	struct db_control control;

	assert_int_equal(db_control_wish(db, &wish, &control), 0);
	return control;
}

static void confirm(int64_t leg_id, bool muted)
{
	struct db_control control;

	assert_int_equal(db_control_confirm(db, leg_id, false, muted, &control), 0);
}

/* The leg that Twilio is to be told of now, or 0. */
static int64_t due_leg(void)
{
	struct db_control *rows = NULL;
	size_t count = 0;
	int64_t leg;

	assert_int_equal(db_control_due(db, 10, &rows, &count), 0);
	assert_in_range(count, 0, 1);
	leg = count == 1 ? rows[0].leg_id : 0;
	free(rows);
	return leg;
}

/* What people are told of the agent: one leg's, whatever legs there were. */
static void assert_told(int64_t call_id, bool muted, bool is_muted)
{
	struct db_control *rows = NULL;
	size_t count = 0;

	assert_int_equal(db_control_of_call(db, call_id, &rows, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].muted, muted);
	assert_int_equal(rows[0].is_muted, is_muted);
	free(rows);
}

static void who_is_muted_is_muted_on_the_leg_that_comes_next(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c = talking("phone", &s, &leg);

	(void)state;
	confirm(mute(c.call_id, true).leg_id, true);
	assert_told(c.call_id, true, true);
	for (int i = 0; i < 2; i++) {
		(void)world_leg_end(db, leg.id, DB_LEG_LOST, &s);
		assert_told(c.call_id, true, false);
		leg = world_ring(db, &s);
		assert_told(c.call_id, true, false);
		assert_int_equal(due_leg(), 0); /* not there yet */
		assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
		assert_told(c.call_id, true, false);
		assert_int_equal(due_leg(), leg.id);
		confirm(leg.id, true);
		/* Told again, it is no news. */
		assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
		assert_int_equal(due_leg(), 0);
		assert_told(c.call_id, true, true);
	}
	confirm(mute(c.call_id, false).leg_id, false);
	assert_told(c.call_id, false, false);
	(void)world_leg_end(db, leg.id, DB_LEG_LOST, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
	assert_int_equal(due_leg(), 0);
	assert_told(c.call_id, false, false);
}

static void a_mute_that_came_too_late_for_its_leg_is_done_on_the_next(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg, next;
	struct db_claimed c = talking("browser", &s, &leg);

	(void)state;
	/* The page was loaded anew, and the old leg is still there. */
	assert_int_equal(
		db_agent_leg_own(db, s.user_id, "CAreloaded", INSTALL, &next), 0);
	assert_int_equal(mute(c.call_id, true).leg_id, leg.id);
	confirm(leg.id, true);
	assert_told(c.call_id, true, false);
	assert_int_equal(db_agent_leg_joined(db, next.label, "CAreloaded", &s), 0);
	assert_told(c.call_id, true, false);
	assert_int_equal(due_leg(), next.id);
	confirm(next.id, true);
	assert_told(c.call_id, true, true);
}

static void a_leg_that_is_gone_is_not_told_to_twilio(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c = talking("phone", &s, &leg);

	(void)state;
	(void)mute(c.call_id, true);
	(void)world_leg_end(db, leg.id, DB_LEG_LOST, &s);
	(void)world_text("UPDATE leg_controls SET due_at = now() WHERE leg_id = %lld",
		(long long)leg.id);
	assert_int_equal(due_leg(), 0);
	assert_told(c.call_id, true, false);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
	assert_int_equal(due_leg(), leg.id);
	(void)world_event(db, c.call_id, "completed", 1);
	assert_int_equal(due_leg(), leg.id);
	confirm(leg.id, false);
	assert_told(c.call_id, false, false);
}

static void no_leg_is_muted_for_a_call_that_is_over(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c = talking("phone", &s, &leg);

	(void)state;
	confirm(mute(c.call_id, true).leg_id, true);
	(void)world_leg_end(db, leg.id, DB_LEG_LOST, &s);
	(void)world_event(db, c.call_id, "completed", 1);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
	assert_int_equal(due_leg(), 0);
	assert_told(c.call_id, false, false);
}

struct press {
	int64_t session_id;
	struct db_agent_session row;
	int rc;
};

static void *press_ready(void *arg)
{
	struct press *press = arg;
	struct db *own = db_connect();

	press->rc = db_agent_session_ready(own, press->session_id, &press->row);
	db_close(&own);
	return NULL;
}

/* Ready waits for the row while the leg ends: the newer row must not show the leg of before. */
static void ready_at_the_moment_of_the_legs_end_shows_the_end(void **state)
{
	struct press press = {.rc = 1};
	struct db_agent_session s;
	struct db_agent_leg leg;
	pthread_t thread;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	press.session_id = s.id;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "UPDATE call_legs SET left_at = now() WHERE id = $1",
				 ARGS(arg_int(leg.id)), NULL),
		0);
	assert_int_equal(
		db_run(db, "UPDATE agent_sessions SET twilio_up = false WHERE id = $1",
			ARGS(arg_int(s.id)), NULL),
		0);
	assert_int_equal(pthread_create(&thread, NULL, press_ready, &press), 0);
	while (db_number(
		       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") ==
		0)
		(void)usleep(1000);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(press.rc, 0);
	assert_true(press.row.leg_left);
}

/* ---- the agent is there: may the customer be dialled? ---- */

/* What the verdict was told of at last. */
static struct db_claim_facts known;

static struct db_claim_verdict look(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	known = *facts;
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static struct db_claim_verdict closed(void *arg, const struct db_claim_facts *facts)
{
	(void)arg, (void)facts;
	return (struct db_claim_verdict){
		.later = true, .rule = "hours.closed", .code = "hours"};
}

static enum db_claim_result go(int64_t call_id, db_verdict_fn *verdict)
{
	struct db_claimed claimed;

	assert_int_equal(db_call_go(db,
				 &(struct db_go){.call_id = call_id,
					 .node = NODE,
					 .manual = verdict,
					 .automatic = verdict},
				 &claimed),
		0);
	return claimed.result;
}

static void its_own_call_takes_nothing_of_what_may_be_used(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;

	(void)state;
	c = world_call(db, world_agent(db, "phone", false, &s));
	(void)world_text("UPDATE campaigns SET max_calls_day = 1, max_minutes_day = 1,"
			 " max_cost_day = 1, max_cost = 1, cost_per_minute = 1"
			 " WHERE id = %lld",
		(long long)c.campaign_id);
	assert_int_equal(db_facts_read(db, c.campaign_id, c.entry_id, &known), 0);
	assert_true(known.minutes_today == 0 && known.minutes_ever == 0);
	assert_int_equal(known.minutes_open, 1);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAown", &s), 0);
	assert_int_equal(go(c.call_id, look), DB_CLAIM_CALL);
	assert_true(known.attempts == 0 && known.calls_today == 0);
	assert_int_equal(known.minutes_open, 0);
}

static const char *entry_of(const struct db_claimed *c)
{
	return world_text("SELECT concat_ws(' ', state, attempts, reason)"
			  " FROM queue_entries WHERE id = %lld",
		(long long)c->entry_id);
}

static void what_the_rules_refuse_when_the_agent_is_there_says_why(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;

	(void)state;
	c = world_call(db, world_agent(db, "phone", false, &s));
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAwhy", &s), 0);
	assert_int_equal(go(c.call_id, closed), DB_CLAIM_REFUSED);
	world_tell(db, c.call_id, "unsent");
	assert_string_equal(entry_of(&c), "pending 0 hours");
	/* Allowed after all, it is the request to Twilio that did not leave. */
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld",
		(long long)c.entry_id);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	c = world_call(db, c.campaign_id);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAwhy2", &s), 0);
	assert_int_equal(go(c.call_id, closed), DB_CLAIM_REFUSED);
	assert_int_equal(go(c.call_id, look), DB_CLAIM_CALL);
	world_tell(db, c.call_id, "unsent");
	assert_string_equal(entry_of(&c), "pending 0 unsent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_call_is_rung_only_when_nailed),
		cmocka_unit_test(who_has_signed_out_is_not_rung),
		cmocka_unit_test(nobody_gets_the_leg_of_another),
		cmocka_unit_test(legs_of_one_morning_are_not_all_renewed_at_once),
		cmocka_unit_test(nobody_is_rung_to_wait_while_the_account_is_stopped),
		cmocka_unit_test(an_agent_is_rung_from_its_campaigns_number),
		cmocka_unit_test(a_conversation_learns_that_its_agent_could_not_be_rung),
		cmocka_unit_test(who_is_muted_is_muted_on_the_leg_that_comes_next),
		cmocka_unit_test(
			a_mute_that_came_too_late_for_its_leg_is_done_on_the_next),
		cmocka_unit_test(a_leg_that_is_gone_is_not_told_to_twilio),
		cmocka_unit_test(no_leg_is_muted_for_a_call_that_is_over),
		cmocka_unit_test(ready_at_the_moment_of_the_legs_end_shows_the_end),
		cmocka_unit_test(its_own_call_takes_nothing_of_what_may_be_used),
		cmocka_unit_test(what_the_rules_refuse_when_the_agent_is_there_says_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
