/* stop.c: see stop.h. */
#include "base/stop.h"

#include <stddef.h>

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

void stop_signals(sigset_t *ret_set)
{
	struct sigaction hup;

	(void)sigemptyset(ret_set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaddset(ret_set, signals[i]);
	/* One that is ignored would come all the same once it is blocked. */
	if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler == SIG_IGN)
		(void)sigdelset(ret_set, SIGHUP);
}

bool stop_asked(void)
{
	sigset_t pending;

	(void)sigemptyset(&pending);
	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigismember(&pending, signals[i]) == 1)
			return true;
	return false;
}
