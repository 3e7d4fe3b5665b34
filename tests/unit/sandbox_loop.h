/* sandbox_loop.h: runs libre's loop until something is true, or says that it never was. */
#ifndef OMNIVOX_TESTS_SANDBOX_LOOP_H
#define OMNIVOX_TESTS_SANDBOX_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "sandbox/libre.h"

struct sandbox_wait {
	struct tmr tmr;
	bool (*is_true)(void *arg);
	void *arg;
	int64_t deadline_ms;
	bool happened;
};

static void sandbox_wait_look(void *arg)
{
	struct sandbox_wait *wait = arg;

	wait->happened = wait->is_true(wait->arg);
	if (wait->happened || clock_mono_ms() > wait->deadline_ms)
		re_cancel();
	else
		tmr_start(&wait->tmr, 1, sandbox_wait_look, wait);
}

static inline bool sandbox_run_until(
	bool (*is_true)(void *arg), void *arg, int64_t limit_ms)
{
	struct sandbox_wait wait = {.is_true = is_true,
		.arg = arg,
		.deadline_ms = clock_mono_ms() + limit_ms};

	tmr_start(&wait.tmr, 0, sandbox_wait_look, &wait);
	(void)re_main(NULL);
	tmr_cancel(&wait.tmr);
	return wait.happened;
}

#endif
