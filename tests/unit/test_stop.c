/* test_stop.c: which signals ask a program to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/stop.h"

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

static void each_asks_but_a_hangup_that_is_ignored(void **state)
{
	sigset_t set;

	(void)state;
	for (size_t ignored = 0; ignored < 3; ignored++) {
		assert_true(signal(signals[ignored], SIG_IGN) != SIG_ERR);
		stop_signals(&set);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(sigismember(&set, signals[i]),
				signals[i] != SIGHUP || ignored != i);
		assert_true(signal(signals[ignored], SIG_DFL) != SIG_ERR);
	}
}

static void one_that_is_held_back_is_seen(void **state)
{
	sigset_t set;

	(void)state;
	stop_signals(&set);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		int sig;

		assert_false(stop_asked());
		assert_int_equal(raise(signals[i]), 0);
		assert_true(stop_asked());
		assert_int_equal(sigwait(&set, &sig), 0);
		assert_int_equal(sig, signals[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_asks_but_a_hangup_that_is_ignored),
		cmocka_unit_test(one_that_is_held_back_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
