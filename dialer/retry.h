/* retry.h: what becomes of a queue entry when its call has ended. Pure. */
#ifndef OMNIVOX_DIALER_RETRY_H
#define OMNIVOX_DIALER_RETRY_H

#include <stdbool.h>

struct retry_rules {
	unsigned max_attempts;
	unsigned delay_s;
};

struct retry_verdict {
	bool again;
	unsigned delay_s;
};

/*
 * `outcome`: a call outcome word; "completed", "machine" and "fax" are final at once, every
 * other, also one that is not known here, is tried again. `attempts` counts the call that ended.
 */
struct retry_verdict retry_after(
	const struct retry_rules *rules, const char *outcome, unsigned attempts);

#endif
