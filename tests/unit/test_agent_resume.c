/* test_agent_resume.c: sessions that a restarted worker takes up and that are over at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/timers.h"
#include "db/dialogs.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/gateway.h"

/* Signed out, and the leg that Twilio rang is gone: nothing is left of it. */
static struct db_agent_session over(int64_t id)
{
	return (struct db_agent_session){.id = id,
		.state = "offline",
		.endpoint = "phone",
		.endpoint_number = "+15551230000",
		.nailed = true,
		.leg_id = 1,
		.leg_left = true};
}

static void an_agent_that_ended_while_it_was_resumed_is_not_looked_at(void **state)
{
	struct db_agent_session rows[] = {over(1), over(2), over(3)};
	struct gateway gw = {.agents = NULL};

	(void)state;
	assert_int_equal(timers_new(0, &gw.timers), 0);
	assert_int_equal(agents_new(&gw, &gw.agents), 0);
	assert_int_equal(agents_resume(&gw, rows, 3, NULL, 0), 0);
	assert_int_equal(agents_resume(&gw, rows, 3, NULL, 0), 0);
	agents_free(&gw.agents);
	timers_free(&gw.timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_agent_that_ended_while_it_was_resumed_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
