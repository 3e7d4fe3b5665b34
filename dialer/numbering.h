/*
 * numbering.h: what a telephone number tells: its country, whether its numbering plan knows it,
 * and the time zones in which it may ring. Pure, any thread, no allocation; every text is static.
 *
 * The tables are Google's libphonenumber's (dialer/gen/). Plans change every month: a number
 * that is possible but not valid may be one that was given out since.
 */
#ifndef OMNIVOX_DIALER_NUMBERING_H
#define OMNIVOX_DIALER_NUMBERING_H

#include <stdbool.h>
#include <stddef.h>

enum numbering_kind {
	NUMBERING_UNKNOWN, /* no number of its plan begins and ends like this */
	NUMBERING_UNASSIGNED, /* it could be one, but its range is given to nobody we know of */
	NUMBERING_FIXED,
	NUMBERING_MOBILE,
	NUMBERING_FIXED_OR_MOBILE, /* the plan does not tell (North America) */
	NUMBERING_TOLL_FREE,
	NUMBERING_PREMIUM,
	NUMBERING_SHARED_COST,
	NUMBERING_VOIP,
	NUMBERING_PERSONAL,
	NUMBERING_PAGER,
	NUMBERING_UAN, /* a company's, the same from everywhere */
	NUMBERING_VOICEMAIL,
};

struct numbering {
	const char *country; /* ISO 3166 alpha-2; "" unknown, or of no country (+800) */
	const char *calling_code; /* "44"; "" when there is no such code */
	enum numbering_kind kind;
	bool possible; /* has a length that its plan knows */
	bool valid;    /* in a range that is given out */
	/*
	 * IANA names. Several when the number does not tell in which it is: whoever cares for
	 * the hour must find it right in all of them. 0: nothing is known.
	 */
	const char *const *zones;
	size_t zone_count;
};

/* `e164` as number_valid() takes it; -EINVAL otherwise, and *ret is left alone. */
int numbering_lookup(const char *e164, struct numbering *ret);

/* "GB" or "44" to "GB" (the main country of the code), any case; NULL: there is none. */
const char *numbering_country(const char *iso_or_code);

/* The two prefixes of a country below: which it dials before numbers at home and abroad. */
enum numbering_prefix { NUMBERING_TRUNK, NUMBERING_ABROAD };

/*
 * How many digits at the start of `digits` can be such a prefix, being more than `after`;
 * 0: no more. Called with the last answer until it is 0. `iso` from numbering_country().
 */
size_t numbering_prefix(
	const char *iso, enum numbering_prefix which, const char *digits, size_t after);

/* The calling code of `iso`, and what goes before its local numbers of a few digits, or "". */
const char *numbering_calling_code(const char *iso);
const char *numbering_area(const char *iso);

#endif
