/* retry.c: the default rules of retry. See retry.h. */
#include "dialer/retry.h"

#include <string.h>

const struct retry_rule retry_rules[RETRY_KINDS] = {
	{"busy", 600, 5},
	{"no_answer", 3600, 5},
	{"failed", 3600, 2},
	/* A day of rest after a machine (Ofcom, persistent misuse policy). */
	{"machine", 86400, 2},
	/* Withdrawn before anybody answered: Twilio had queued it, or somebody hung up. */
	{"canceled", 120, 5},
	/* Nobody spoke to the person: 72 hours of rest (the same). */
	{"abandoned", 259200, 1},
	/* Nobody knows what became of it; perhaps it rang. */
	{"unknown", 3600, 2},
};

int retry_place(const char *outcome)
{
	for (int i = 0; i < RETRY_KINDS; i++)
		if (strcmp(retry_rules[i].outcome, outcome) == 0)
			return i;
	return -1;
}
