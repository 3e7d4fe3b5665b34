/* test_db_leg_rules.c: who is rung, whose a leg is, and how many are renewed at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
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

static void assert_not_rung(const struct db_agent_session *s)
{
	struct db_agent_leg leg;
	int64_t wait_ms = 0;

	assert_int_equal(
		db_agent_leg_ring(db, s->id, INSTALL, &leg, &wait_ms), -ENOENT);
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
	assert_int_equal(
		db_agent_leg_own(db, one.user_id, "CAmine", INSTALL, &leg), 0);
	assert_int_equal(
		db_agent_leg_own(db, two.user_id, "CAmine", INSTALL, &other), -ENOENT);
	assert_string_equal(
		world_text("SELECT agent_session_id = %lld FROM call_legs"
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
		(void)world_text("UPDATE call_legs SET created_at = now() - interval '2 hours'"
				 " WHERE id = %lld",
			(long long)leg.id);
	}
	assert_int_equal(renew(2), 2);
	assert_int_equal(renew(2), 1);
	assert_int_equal(renew(2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_call_is_rung_only_when_nailed),
		cmocka_unit_test(who_has_signed_out_is_not_rung),
		cmocka_unit_test(nobody_gets_the_leg_of_another),
		cmocka_unit_test(legs_of_one_morning_are_not_all_renewed_at_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
