/* retry.c: what becomes of a queue entry. See retry.h. */
#include "dialer/retry.h"

#include <stddef.h>
#include <string.h>

static bool is_final(const char *outcome)
{
	/* Spoken to a person, left to a machine, or never to be a person. */
	static const char *const words[] = {"completed", "machine", "fax"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(outcome, words[i]) == 0)
			return true;
	return false;
}

struct retry_verdict retry_after(
	const struct retry_rules *rules, const char *outcome, unsigned attempts)
{
	bool again = !is_final(outcome) && attempts < rules->max_attempts;

	return (struct retry_verdict){
		.again = again,
		.delay_s = again ? rules->delay_s : 0,
	};
}
