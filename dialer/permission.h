/*
 * permission.h: the one question asked before every dial, on every path. Pure: no clock, no I/O.
 *
 * The verdict, the rule that spoke and the version of the rules are stored with the call.
 */
#ifndef OMNIVOX_DIALER_PERMISSION_H
#define OMNIVOX_DIALER_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

enum dial_mode { DIAL_MANUAL, DIAL_AUTO, DIAL_MODES };

/* What is known of the contact and the number at the moment of dispatch. */
struct dial_facts {
	const char *number;
	unsigned attempts; /* made so far for this entry */
	bool number_busy;  /* an open call to this number exists */
	bool locked;       /* somebody else holds the contact */
	int64_t run_at_ms; /* not before; wall */
};

struct dial_rules {
	bool campaign_active;
	unsigned max_attempts;
};

struct dial_verdict {
	bool allowed;
	bool later;         /* refused now, but the entry stays pending */
	const char *rule;   /* stable id: "number.invalid"; static storage */
	const char *reason; /* a sentence for people; static storage */
	int version;        /* of the rule table */
};

/*
 * The first rule that is broken speaks; those that time does not mend come first. DIAL_MANUAL: a
 * person asks for this very contact, so neither the campaign's state nor the hour of the next
 * attempt binds. When nothing is broken the rule is "allowed".
 */
struct dial_verdict may_dial(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, int64_t now_ms);

#endif
