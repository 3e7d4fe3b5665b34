/*
 * zone.h: a time zone as tables: what its clocks say at an instant. Pure; who reads the files
 * (gateway/zones.h) hands the tables in.
 *
 * Source: RFC 8536 (TZif) for the meaning of transitions and footer; POSIX.1-2017, 8.3, "TZ", for
 * the footer's rule, with the hours -167 to 167 that RFC 8536, 3.3.1, allows.
 */
#ifndef OMNIVOX_DIALER_ZONE_H
#define OMNIVOX_DIALER_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A day of the year and the second on which clocks change, in the time that ends then. */
struct zone_change {
	char kind; /* 'M' month, week, day; 'J' 1 to 365 without 29 February; '0' 0 to 365 */
	int month, week, day;
	int32_t second;
};

/* What holds after the last transition, for ever. */
struct zone_rule {
	int32_t standard_s, summer_s; /* east of Greenwich */
	bool has_summer;
	struct zone_change begins, ends; /* of summer */
};

struct zone {
	char name[48];
	int32_t first_s; /* before the first transition */
	size_t count;
	const int64_t *at;       /* transitions, seconds since 1970, rising */
	const int32_t *offset_s; /* from then on, seconds east of Greenwich */
	bool has_rule;           /* else the last offset stays */
	struct zone_rule rule;
};

/* The text of a footer, such as "EST5EDT,M3.2.0,M11.1.0". -EINVAL. */
int zone_rule_parse(const char *text, struct zone_rule *ret_rule);

/*
 * Seconds east of Greenwich at an instant (seconds since 1970). *ret_until: the first instant
 * after it at which they may differ; INT64_MAX: never again.
 */
int32_t zone_offset(const struct zone *zone, int64_t at_s, int64_t *ret_until);

#endif
