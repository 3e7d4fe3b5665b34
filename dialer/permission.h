/*
 * permission.h: the one question asked before every dial, on every path. Pure: no clock, no I/O.
 *
 * The verdict, the rule that spoke and the version of the rules are stored with the call.
 */
#ifndef OMNIVOX_DIALER_PERMISSION_H
#define OMNIVOX_DIALER_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "dialer/hours.h"

enum dial_mode { DIAL_MANUAL, DIAL_AUTO, DIAL_MODES };
enum dial_dnc { DIAL_DNC_NONE, DIAL_DNC_CAMPAIGN, DIAL_DNC_ALL };

/* What is known at the moment of dispatch. Instants are milliseconds since 1970. */
struct dial_facts {
	/* Of the contact and its number. */
	const char *number;
	unsigned attempts;    /* made so far for this entry */
	bool number_busy;     /* an open call to this number exists */
	bool locked;          /* somebody else holds the contact */
	bool list_inactive;   /* the contact's list is not to be dialled */
	bool country_stopped; /* the account may not call there */
	enum dial_dnc dnc;
	int64_t run_at_ms; /* not before */
	/* The attempts that 24 hours allow, of all campaigns, are made until then; 0: not so. */
	int64_t attempts_free_ms;
	/* Where it may be; all must be inside the hours. None: nobody can say what time it is. */
	const struct zone *const *zones;
	size_t zone_count;
	/* Of the campaign. */
	unsigned calls_today, minutes_today,
		minutes_ever; /* minutes: of calls that ended */
	unsigned
		minutes_open; /* of those under way: one at least, also while it only rings */
	int64_t day_ends_ms;
	bool cli_usable; /* the account has the number that would be shown */
};

/* Limits: 0 is none. */
struct dial_rules {
	bool campaign_active;
	unsigned max_attempts;
	struct hours hours;
	unsigned calls_day, minutes_day;
	double cost_day, cost, cost_per_minute;
};

struct dial_verdict {
	bool allowed;
	bool later; /* refused now, but the entry stays pending */
	bool whole; /* all of the campaign's contacts are refused for the same reason */
	int64_t next_ms; /* the first moment at which it may be otherwise; 0: nobody knows */
	const char *rule; /* stable id: "number.invalid"; static storage */
	const char *code; /* the reason by which contacts are counted: "hours"; static */
	const char *reason; /* a sentence for people; static storage */
	int version;        /* of the rule table */
};

/*
 * The first rule that is broken speaks; those that time does not mend come first, then those of
 * the whole campaign. DIAL_MANUAL: a person asks for this very contact, so neither the
 * campaign's state nor its list's nor the hour of the next attempt binds; all the rest does. When
 * nothing is broken the rule is "allowed".
 */
struct dial_verdict may_dial(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, int64_t now_ms);

#endif
