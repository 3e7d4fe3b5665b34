/* test_db_leg_renewal.c: agents' legs that Twilio would soon end, and what their agents notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

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

/* Renews what is older than an hour; how many, and the session of the first. */
static size_t renew(const char *node, struct db_agent_session *s)
{
	struct db_agent_session *sessions = NULL;
	size_t count = 0;

	assert_int_equal(
		db_agent_legs_renew(db, node, 3600000, 10, &sessions, &count), 0);
	if (count > 0)
		*s = sessions[0];
	free(sessions);
	return count;
}

static void age(const struct db_agent_leg *leg, const char *by)
{
	(void)world_text("UPDATE call_legs SET created_at = created_at - interval '%s',"
			 " joined_at = joined_at - interval '%s' WHERE id = %lld",
		by, by, (long long)leg->id);
}

static void an_old_leg_is_renewed_and_its_agent_stays_what_it_was(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	(void)world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAold1", &s), 0);
	age(&leg, "50 minutes");
	assert_int_equal(renew(NODE, &s), 0);
	age(&leg, "11 minutes");
	assert_int_equal(renew(OTHER_NODE, &s), 0);
	assert_int_equal(renew(NODE, &s), 1);
	assert_true(s.leg_renew && s.leg_id == leg.id && !s.leg_left);
	assert_true(!s.phone_up && !s.twilio_up && s.wants_ready);
	assert_string_equal(s.state, "paused");
	assert_int_equal(renew(NODE, &s), 0);
	/* That it had joined, told again, gives it no call. */
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAold1", &s), 0);
	assert_string_equal(s.state, "paused");
	/* We ended it, though Twilio calls that hung up. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_true(s.wants_ready && s.leg_left);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAold2", &s), 0);
	assert_false(s.leg_renew);
	assert_string_equal(s.state, "ready");
	/* Now the agent's own end is one again. */
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_SIGN_OUT);
}

static void a_pause_and_a_wrap_up_outlive_their_leg(void **state)
{
	static const char *const states[] = {"paused", "wrap_up"};
	struct db_agent_session s;
	struct db_agent_leg leg;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)world_agent(db, "sip", true, &s);
		assert_int_equal(db_agent_leg_new(db, s.id, INSTALL, states[i], &leg), 0);
		assert_int_equal(db_agent_leg_joined(db, leg.label, states[i], &s), 0);
		(void)world_text(
			"UPDATE agent_sessions SET state = '%s', wants_ready = %s,"
			" pause_reason = 'lunch' WHERE id = %lld",
			states[i], i == 0 ? "false" : "true", (long long)s.id);
		age(&leg, "2 hours");
		assert_int_equal(renew(NODE, &s), 1);
		assert_true(s.leg_renew && s.phone_up && !s.twilio_up);
		assert_string_equal(s.state, states[i]);
		assert_string_equal(s.pause_reason, "lunch");
		assert_int_equal(db_agent_leg_lost(db, s.id, leg.id, &s), 0);
		assert_int_equal(db_agent_leg_new(db, s.id, INSTALL,
					 world_text("SELECT 'next' || %zu", i), &leg),
			0);
		assert_int_equal(db_agent_leg_joined(db, leg.label, leg.label, &s), 0);
		assert_true(s.twilio_up && !s.leg_renew);
		assert_string_equal(s.state, states[i]);
	}
}

static void a_leg_in_a_call_is_left_and_its_limit_is_no_hang_up(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;
	int64_t campaign;

	(void)state;
	campaign = world_agent(db, "phone", true, &s);
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CAlimit", &s), 0);
	c = world_call(db, campaign);
	age(&leg, "4 hours");
	assert_int_equal(renew(NODE, &s), 0);
	(void)world_event(db, c.call_id, "answered", 0);
	assert_int_equal(renew(NODE, &s), 0);
	assert_int_equal(
		world_leg_end(db, leg.id, DB_LEG_HUNG_UP, &s), DB_LEG_AFTER_NOTHING);
	assert_string_equal(s.state, "on_call");
	leg = world_ring(db, &s);
	assert_string_equal(leg.conference, c.conference);
}

/* It is hung up soon anyway, and nobody rings the next one before there is a call. */
static void a_leg_that_was_rung_for_one_call_is_not_renewed(void **state)
{
	struct db_agent_session s;
	struct db_agent_leg leg;
	struct db_claimed c;

	(void)state;
	c = world_call(db, world_agent(db, "phone", false, &s));
	leg = world_ring(db, &s);
	assert_int_equal(db_agent_leg_joined(db, leg.label, "CArung", &s), 0);
	world_tell(db, c.call_id, "agent_joined");
	(void)world_event(db, c.call_id, "busy", 0);
	age(&leg, "2 hours");
	assert_int_equal(db_agent_session_get(db, s.id, &s), 0);
	assert_true(s.twilio_up && s.call_id == 0);
	assert_int_equal(renew(NODE, &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_leg_is_renewed_and_its_agent_stays_what_it_was),
		cmocka_unit_test(a_pause_and_a_wrap_up_outlive_their_leg),
		cmocka_unit_test(a_leg_that_was_rung_for_one_call_is_not_renewed),
		cmocka_unit_test(a_leg_in_a_call_is_left_and_its_limit_is_no_hang_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
