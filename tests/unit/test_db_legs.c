/*
 * test_db_legs.c: legs that Twilio rings for agents, calls whose agent is rung first, numbers that
 * are dialled by hand, customers who are there before their agent, and what is kept of all that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/calls.h"
#include "db/legs.h"
#include "db/pauses.h"
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

static struct db_claim_verdict yes(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	return (struct db_claim_verdict){
		.allowed = true, .rule = "ok", .code = "", .reason = "", .version = 1};
}

static struct db_claim_verdict no(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	return (struct db_claim_verdict){.later = true,
		.rule = "hours",
		.code = "",
		.reason = "Not at this hour.",
		.version = 1};
}

static struct db_claim_verdict never(void *arg, const struct db_claim_facts *facts)
{
	struct db_claim_verdict verdict = no(arg, facts);

	verdict.later = false;
	return verdict;
}

/* An event of our own: no leg of the customer is known. */
static void tell(int64_t call_id, const char *event)
{
	const struct db_call_event e = {.call_id = call_id,
		.source = "gateway",
		.source_sid = "self",
		.sequence = -1,
		.event = event,
		.duration_s = -1};
	struct db_call_change *changes = NULL;
	size_t count = 0;

	assert_int_equal(db_call_events_apply(db, &e, 1, &changes, &count), 0);
	free(changes);
}

static int go(int64_t call_id, db_verdict_fn *verdict, struct db_claimed *claimed)
{
	return db_call_go(db,
		&(struct db_go){.call_id = call_id,
			.node = NODE,
			.manual = verdict,
			.automatic = verdict},
		claimed);
}

/* ---- legs ---- */

static void a_nailed_phone_is_rung_once_and_is_both_legs(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg, again;
	int64_t wait_ms;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(world_try_ring(db, &s, &again, &wait_ms), -EALREADY);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_true(s.leg_id == leg.id && !s.leg_joined && !s.phone_up && !s.twilio_up);
	assert_int_equal(db_agent_leg_accepted(db, leg.id, "CAnail", &s), 0);
	assert_string_equal(s.leg_sid, "CAnail");
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAnail", &s), 0);
	assert_true(s.leg_joined && s.phone_up && s.twilio_up);
	assert_string_equal(s.state, "ready");
	/* The news again, and out of order. */
	assert_int_equal(db_agent_leg_accepted(db, leg.id, "CAnail", &s), 0);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAnail", &s), 0);
	assert_string_equal(s.state, "ready");
}

static void no_leg_is_made_without_a_rate_token(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	(void)db_text(
		"UPDATE account_rate SET tokens = 0, per_second = 1, filled_at = now()");
	assert_int_equal(world_try_ring(db, &s, &leg, &wait_ms), -EAGAIN);
	assert_in_range(wait_ms, 1, 1000);
	assert_string_equal(
		world_text("SELECT count(*) FROM call_legs WHERE agent_session_id = %lld",
			(long long)s.id),
		"0");
	(void)db_text("UPDATE account_rate SET tokens = 1000000, per_second = 1000000");
}

static void who_does_not_answer_or_hangs_up_must_say_ready(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.pause_reason, DB_REASON_UNANSWERED);
	assert_false(s.wants_ready);
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	/* The same end, told again, does not take Ready back. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_true(s.wants_ready);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAidle", &s), 0);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_SIGN_OUT);
	assert_string_equal(s.pause_reason, DB_REASON_HUNG_UP);
	assert_false(s.wants_ready);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
}

static void the_end_of_a_sip_phones_leg_is_not_told_here(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	enum db_leg_after after;
	int64_t wait_ms = 0;

	(void)state;
	(void)world_agent(db, "sip", true, &s);
	/* Nor does Twilio ring it. */
	assert_int_not_equal(world_try_ring(db, &s, &leg, &wait_ms), 0);
	assert_int_equal(db_agent_leg_new(db, s.id, INSTALL, "sip-token", &leg), 0);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAsip", &s), 0);
	assert_int_equal(
		db_agent_leg_ended(db, leg.id, "", NULL, DB_LEG_HUNG_UP, &after, &s),
		-ENOENT);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_true(s.phone_up && s.twilio_up && !s.leg_left);
}

static void news_of_another_sid_is_not_the_legs(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	enum db_leg_after after;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_accepted(db, leg.id, "CAmine", &s), 0);
	/* The first SID stays. */
	assert_int_equal(db_agent_leg_accepted(db, leg.id, "CAother", &s), 0);
	assert_string_equal(s.leg_sid, "CAmine");
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAother", &s), 0);
	assert_false(s.leg_joined || s.twilio_up);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAmine", &s), 0);
	assert_true(s.leg_joined && s.twilio_up);
	assert_int_equal(db_agent_leg_left(db, leg.label, "CAother", &s), 0);
	assert_true(s.twilio_up && !s.leg_left);
	assert_int_equal(db_agent_leg_ended(
				 db, 0, leg.label, "CAother", DB_LEG_HUNG_UP, &after, &s),
		-ENOENT);
	assert_int_equal(
		db_agent_leg_ended(db, 0, leg.label, "CAmine", DB_LEG_LOST, &after, &s),
		0);
	assert_true(s.leg_left && !s.twilio_up);
	/* What joined before is told late: it has left. */
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAmine", &s), 0);
	assert_false(s.twilio_up);
}

static void who_hangs_up_after_a_call_stays_signed_in_to_note_it_down(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAwrap", &s), 0);
	(void)world_text("UPDATE agent_sessions SET state = 'wrap_up' WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.state, "wrap_up");
}

static void who_has_signed_out_is_not_signed_out_by_the_end_of_the_leg(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAgone", &s), 0);
	assert_int_equal(db_agent_session_end(db, s.id), 0);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.state, "offline");
}

static void a_lost_leg_is_replaced_in_the_conference_of_its_call(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg, next;
	struct db_claimed c;
	int64_t campaign;

	(void)state;
	campaign = world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAlost", &s), 0);
	c = world_call(db, campaign);
	assert_string_equal(c.conference, leg.conference);
	(void)world_event(db, c.call_id, "answered", 0);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_LOST, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.state, "on_call");
	assert_true(s.wants_ready);
	next = world_ring(db, &s);
	assert_string_equal(next.conference, c.conference);
	assert_int_equal(db_agent_leg_joined(db, next.label, "CAnext", &s), 0);
	/* The agent's own end is the customer's, too; the old leg's is nobody's. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_int_equal(
		world_leg_end(db, next.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_HANGUP);
	assert_int_equal(
		world_leg_end(db, next.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_HANGUP);
}

static void a_browser_keeps_the_leg_that_it_made_by_its_sid(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg, again;

	(void)state;
	(void)world_agent(db, "browser", true, &s);
	assert_int_equal(db_agent_leg_own(db, s.user_id, "CAown", INSTALL, &leg), 0);
	assert_int_equal(db_agent_leg_own(db, s.user_id, "CAown", INSTALL, &again), 0);
	assert_true(leg.id == again.id);
	assert_string_equal(leg.conference, again.conference);
	assert_int_equal(db_agent_leg_own(db, 999999, "CAx", INSTALL, &again), -ENOENT);
	(void)world_agent(db, "phone", true, &s);
	assert_int_equal(db_agent_leg_own(db, s.user_id, "CAy", INSTALL, &again), -EPERM);
}

/* ---- rung first ---- */

static void a_call_whose_agent_is_rung_first_waits_for_it(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c, went;
	struct db_call call;
	int64_t campaign;

	(void)state;
	campaign = world_agent(db, "phone", false, &s);
	c = world_call(db, campaign);
	assert_true(c.ring_first);
	assert_int_equal(db_call_get(db, c.call_id, &call), 0);
	assert_string_equal(call.state, "claimed");
	leg = world_ring(db, &s);
	assert_string_equal(leg.conference, c.conference);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAfirst", &s), 0);
	assert_int_equal(go(c.call_id, yes, &went), 0);
	assert_int_equal(went.result, DB_CLAIM_CALL);
	assert_string_equal(went.number, c.number);
	assert_string_equal(went.label, c.label);
	assert_int_equal(went.attempt, c.attempt);
	assert_int_equal(db_call_get(db, c.call_id, &call), 0);
	assert_string_equal(call.state, "placing");
	/* Once. */
	assert_int_equal(go(c.call_id, yes, &went), -ENOENT);
	/* The leg of this call must be gone before the next one. */
	(void)world_event(db, c.call_id, "busy", 0);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "ready");
	assert_int_equal(db_call_claim(db,
				 &(struct db_claim){.campaign_id = campaign,
					 .node = NODE,
					 .install = INSTALL,
					 .deadline_ms = 20000,
					 .verdict = yes},
				 &went),
		0);
	assert_int_equal(went.result, DB_CLAIM_NO_AGENT);
	/* It was rung for one call, and nobody signs out by its end. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.state, "ready");
	c = world_call(db, campaign);
	assert_string_not_equal(c.conference, leg.conference);
	/* The end of the last call's leg, told once more, is not this call's. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
}

static void who_is_rung_first_and_not_there_costs_no_attempt(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;
	int64_t campaign;

	(void)state;
	campaign = world_agent(db, "phone", false, &s);
	c = world_call(db, campaign);
	leg = world_ring(db, &s);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_MISSING);
	tell(c.call_id, "agent_missing");
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "paused");
	assert_string_equal(s.pause_reason, "did not answer");
	assert_false(s.wants_ready);
	assert_string_equal(
		world_text("SELECT state || attempts FROM queue_entries WHERE id = %lld",
			(long long)c.entry_id),
		"pending0");
	assert_string_equal(
		world_text("SELECT count(*) FROM contacts WHERE locked_by = %lld",
			(long long)c.call_id),
		"0");
}

static void a_request_that_did_not_leave_is_not_the_agents_fault(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	(void)world_call(db, world_agent(db, "phone", false, &s));
	leg = world_ring(db, &s);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_UNSENT, &s), DB_LEG_AFTER_UNSENT);
	assert_true(s.wants_ready);
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_UNSENT, &s), DB_LEG_AFTER_NOTHING);
	assert_true(s.wants_ready);
	/* A number that Twilio does not call is not rung again by itself. */
	leg = world_ring(db, &s);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_REFUSED, &s), DB_LEG_AFTER_NOTHING);
	assert_false(s.wants_ready);
	assert_string_equal(s.pause_reason, DB_REASON_REFUSED);
}

static void permission_is_asked_again_when_the_agent_is_there(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c, went;
	struct db_call call;

	(void)state;
	c = world_call(db, world_agent(db, "phone", false, &s));
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAask", &s), 0);
	assert_int_equal(go(c.call_id, no, &went), 0);
	assert_int_equal(went.result, DB_CLAIM_REFUSED);
	assert_string_equal(went.reason, "Not at this hour.");
	assert_int_equal(db_call_get(db, c.call_id, &call), 0);
	assert_string_equal(call.state, "claimed");
	(void)world_text("UPDATE campaigns SET state = 'paused' WHERE id = %lld",
		(long long)c.campaign_id);
	assert_int_equal(go(c.call_id, yes, &went), 0);
	assert_int_equal(went.result, DB_CLAIM_STOPPED);
}

/* ---- dialled by hand ---- */

static int dial(int64_t campaign, int64_t session, const char *number,
	const char *correlation, db_verdict_fn *verdict, struct db_claimed *c)
{
	const struct db_dial wish = {
		.number = number, .name = "Zoe", .correlation = correlation};

	return db_call_claim(db,
		&(struct db_claim){.campaign_id = campaign,
			.dial = &wish,
			.session_id = session,
			.manual = true,
			.node = NODE,
			.install = INSTALL,
			.deadline_ms = 20000,
			.verdict = verdict},
		c);
}

static void a_dialled_number_becomes_a_contact_only_when_it_is_called(void **state)
{
	static const char count[] =
		"SELECT count(*) FROM contacts WHERE phone = '+14155559001'";
	struct db_agent_session s;
	struct db_claimed c;
	int64_t campaign = world_agent(db, "phone", true, &s), id = 0;

	(void)state;
	assert_int_equal(dial(campaign, s.id, "+14155559001", "corr-0001", no, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(world_text(count), "0");
	assert_int_equal(dial(campaign, s.id, "+14155559001", "corr-0001", never, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(world_text(count), "0");
	assert_int_equal(dial(campaign, s.id, "+14155559001", "corr-0001", yes, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	assert_string_equal(world_text(count), "1");
	assert_int_equal(db_call_by_correlation(db, "corr-0001", &id), 0);
	assert_true(id == c.call_id);
	(void)world_event(db, c.call_id, "busy", 0);
	(void)world_text(
		"UPDATE queue_entries SET run_at = now() + interval '1 day' WHERE id = %lld",
		(long long)c.entry_id);
	assert_int_equal(
		dial(campaign, s.id, "+14155559001", "corr-0001", yes, &c), -EEXIST);
	assert_int_equal(dial(campaign, s.id, "+14155559001", "corr-0002", yes, &c), 0);
	assert_string_equal(world_text(count), "1");
}

/* ---- customers first ---- */

static void a_customer_who_calls_gets_the_agent_that_is_free_once(void **state)
{
	struct db_agent_session s;
	struct db_reserved one, again, other;
	struct db_claimed c;
	struct db_call call;
	int64_t campaign = world_agent(db, "phone", true, &s), id = 0, same = 0;
	char number[DB_NUMBER_SIZE];

	(void)state;
	c = world_call(db, campaign);
	(void)snprintf(number, sizeof(number), "%s", c.number);
	assert_int_equal(
		db_call_inbound(db, "CAin1", number, "+15550000001", NODE, INSTALL, &id),
		-ENOENT); /* a call with it is open */
	(void)world_event(db, c.call_id, "busy", 0);
	assert_int_equal(
		db_call_inbound(db, "CAin1", number, "+15550000001", NODE, INSTALL, &id),
		0);
	assert_int_equal(db_call_inbound(db, "CAin1", number, "+15550000001", NODE,
				 INSTALL, &same),
		0);
	assert_true(id == same);
	assert_int_equal(db_call_inbound(db, "CAin2", "+14155559999", "+15550000001",
				 NODE, INSTALL, &same),
		-ENOENT); /* never called */
	assert_int_equal(db_call_reserve(db, id, "CAin1", INSTALL, &one), 0);
	assert_true(one.session_id == s.id);
	assert_int_equal(db_call_reserve(db, id, "CAin1", INSTALL, &again), 0);
	assert_string_equal(one.conference, again.conference);
	assert_int_equal(db_call_reserve(db, id, "CAin9", INSTALL, &other), -ENOENT);
	assert_int_equal(db_call_get(db, id, &call), 0);
	assert_string_equal(call.mode, "inbound");
	assert_true(call.contact_id == c.contact_id && call.session_id == s.id);
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_string_equal(s.state, "reserved");
}

static void who_finds_no_agent_may_come_again_and_is_told_when_it_is_over(void **state)
{
	struct db_agent_session s;
	struct db_reserved r;
	struct db_claimed c;
	int64_t campaign = world_agent(db, "phone", true, &s), id = 0;

	(void)state;
	c = world_call(db, campaign);
	(void)world_event(db, c.call_id, "busy", 0);
	(void)world_text("UPDATE agent_sessions SET state = 'paused' WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(db_call_inbound(db, "CAin3", c.number, "+15550000001", NODE,
				 INSTALL, &id),
		0);
	assert_int_equal(db_call_reserve(db, id, "CAin3", INSTALL, &r), 0);
	assert_true(r.session_id == 0);
	(void)world_text("UPDATE agent_sessions SET state = 'ready' WHERE id = %lld",
		(long long)s.id);
	assert_int_equal(db_call_reserve(db, id, "CAin3", INSTALL, &r), 0);
	assert_true(r.session_id == s.id);
}

/* ---- history ---- */

static void every_state_is_kept_with_its_reason_and_every_pause_ends(void **state)
{
	const struct db_pause_wish lunch = {"break", "lunch", "Back at one."};
	struct db_agent_session s;
	struct db_agent_state *states = NULL;
	struct db_pause *pauses = NULL;
	size_t count = 0;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	assert_int_equal(db_agent_session_pause(db, s.id, &lunch, &s), 0);
	assert_int_equal(db_agent_session_pause(db, s.id, &lunch, &s), 0); /* one pause */
	assert_int_equal(db_agent_session_ready(db, s.id, &s), 0);
	assert_int_equal(db_agent_session_end(db, s.id), 0);
	assert_int_equal(db_agent_state_page(db,
				 &(struct db_history){.user_id = s.user_id, .limit = 3},
				 &states, &count),
		0);
	assert_true(count >= 3);
	assert_string_equal(states[0].state, "offline");
	assert_string_equal(states[1].state, "ready");
	assert_string_equal(states[1].reason, "waiting for a call");
	assert_string_equal(states[2].reason, "lunch");
	assert_true(states[2].until_ms == states[1].at_ms && states[0].until_ms == 0);
	assert_int_equal(
		db_pause_page(db, &(struct db_history){.user_id = s.user_id, .limit = 1},
			&pauses, &count),
		0);
	assert_string_equal(pauses[0].type, "break");
	assert_string_equal(pauses[0].comment, "Back at one.");
	assert_true(pauses[0].ended_ms != 0);
	assert_string_equal(
		world_text("SELECT count(*) FROM pause_events WHERE user_id = %lld"
			   " AND reason = 'lunch'",
			(long long)s.user_id),
		"1");
	free(states);
	free(pauses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nailed_phone_is_rung_once_and_is_both_legs),
		cmocka_unit_test(no_leg_is_made_without_a_rate_token),
		cmocka_unit_test(who_does_not_answer_or_hangs_up_must_say_ready),
		cmocka_unit_test(the_end_of_a_sip_phones_leg_is_not_told_here),
		cmocka_unit_test(news_of_another_sid_is_not_the_legs),
		cmocka_unit_test(
			who_hangs_up_after_a_call_stays_signed_in_to_note_it_down),
		cmocka_unit_test(
			who_has_signed_out_is_not_signed_out_by_the_end_of_the_leg),
		cmocka_unit_test(a_lost_leg_is_replaced_in_the_conference_of_its_call),
		cmocka_unit_test(a_browser_keeps_the_leg_that_it_made_by_its_sid),
		cmocka_unit_test(a_call_whose_agent_is_rung_first_waits_for_it),
		cmocka_unit_test(who_is_rung_first_and_not_there_costs_no_attempt),
		cmocka_unit_test(a_request_that_did_not_leave_is_not_the_agents_fault),
		cmocka_unit_test(permission_is_asked_again_when_the_agent_is_there),
		cmocka_unit_test(
			a_dialled_number_becomes_a_contact_only_when_it_is_called),
		cmocka_unit_test(a_customer_who_calls_gets_the_agent_that_is_free_once),
		cmocka_unit_test(
			who_finds_no_agent_may_come_again_and_is_told_when_it_is_over),
		cmocka_unit_test(
			every_state_is_kept_with_its_reason_and_every_pause_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
