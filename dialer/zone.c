/* zone.c: what a zone's clocks say. See zone.h. */
#include "dialer/zone.h"

#include <errno.h>
#include <stdlib.h>

#define DAY_S 86400

/* ---- the footer ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "EST" or "<-03>": at least three letters, or anything but > in brackets. */
static int skip_name(const char **text)
{
	const char *c = *text;

	if (*c == '<') {
		while (*c != '\0' && *c != '>')
			c++;
		if (*c != '>' || c - *text < 4)
			return -EINVAL;
		c++;
	} else {
		while (is_letter(*c))
			c++;
		if (c - *text < 3)
			return -EINVAL;
	}
	*text = c;
	return 0;
}

static int read_number(const char **text, int most, int *ret_value)
{
	int value = 0;

	if (!is_digit(**text))
		return -EINVAL;
	for (; is_digit(**text); (*text)++) {
		value = value * 10 + (**text - '0');
		if (value > most)
			return -EINVAL;
	}
	*ret_value = value;
	return 0;
}

/* [+-]h[:m[:s]] in seconds. */
static int read_time(const char **text, int most_hours, int32_t *ret_s)
{
	int sign = **text == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (**text == '-' || **text == '+')
		(*text)++;
	if (read_number(text, most_hours, &hours) < 0)
		return -EINVAL;
	if (**text == ':') {
		(*text)++;
		if (read_number(text, 59, &minutes) < 0)
			return -EINVAL;
	}
	if (**text == ':') {
		(*text)++;
		if (read_number(text, 59, &seconds) < 0)
			return -EINVAL;
	}
	*ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
	return 0;
}

static int expect(const char **text, char c)
{
	if (**text != c)
		return -EINVAL;
	(*text)++;
	return 0;
}

/* ",M3.2.0/2" and its like. */
static int read_change(const char **text, struct zone_change *change)
{
	if (expect(text, ',') < 0)
		return -EINVAL;
	change->second = 2 * 3600;
	if (**text == 'M') {
		change->kind = *(*text)++;
		if (read_number(text, 12, &change->month) < 0 || change->month < 1 ||
			expect(text, '.') < 0 ||
			read_number(text, 5, &change->week) < 0 || change->week < 1 ||
			expect(text, '.') < 0 || read_number(text, 6, &change->day) < 0)
			return -EINVAL;
	} else {
		change->kind = '0';
		if (**text == 'J')
			change->kind = *(*text)++;
		if (read_number(text, 365, &change->day) < 0 ||
			(change->kind == 'J' && change->day < 1))
			return -EINVAL;
	}
	if (**text != '/')
		return 0;
	(*text)++;
	return read_time(text, 167, &change->second);
}

int zone_rule_parse(const char *text, struct zone_rule *ret_rule)
{
	struct zone_rule rule = {0};

	if (skip_name(&text) < 0 || read_time(&text, 24, &rule.standard_s) < 0)
		return -EINVAL;
	rule.standard_s = -rule.standard_s; /* POSIX counts west */
	if (*text != '\0') {
		rule.has_summer = true;
		rule.summer_s = rule.standard_s + 3600;
		if (skip_name(&text) < 0)
			return -EINVAL;
		if (*text != ',') {
			if (read_time(&text, 24, &rule.summer_s) < 0)
				return -EINVAL;
			rule.summer_s = -rule.summer_s;
		}
		if (read_change(&text, &rule.begins) < 0 ||
			read_change(&text, &rule.ends) < 0 || *text != '\0')
			return -EINVAL;
	}
	*ret_rule = rule;
	return 0;
}

/* ---- the calendar ---- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to 1 January of a year, before or after it. */
static int64_t days_to_year(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t year_of(int64_t days)
{
	int64_t year = 1970 + days / 366; /* not too late */

	while (days_to_year(year + 1) <= days)
		year++;
	while (days_to_year(year) > days)
		year--;
	return year;
}

/* The day of a change, counted from 1970. */
static int64_t day_of_change(const struct zone_change *change, int64_t year)
{
	static const int starts[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t first = days_to_year(year), weekday;
	int leap = is_leap(year), length, day;

	if (change->kind == '0')
		return first + change->day;
	if (change->kind == 'J')
		return first + change->day - 1 + (leap && change->day > 59);
	first += starts[change->month - 1] + (leap && change->month > 2);
	length = starts[change->month] - starts[change->month - 1] +
		 (leap && change->month == 2);
	weekday = ((first + 4) % 7 + 7) % 7; /* 1970 began on a Thursday */
	day = (int)((change->day - weekday + 7) % 7) + (change->week - 1) * 7;
	while (day >= length)
		day -= 7; /* week 5 is the last one */
	return first + day;
}

/* ---- offsets ---- */

/* The instants at which summer begins and ends in a year. */
static void summer_of(const struct zone_rule *rule, int64_t year, int64_t *ret_begins,
	int64_t *ret_ends)
{
	*ret_begins = day_of_change(&rule->begins, year) * DAY_S + rule->begins.second -
		      rule->standard_s;
	*ret_ends = day_of_change(&rule->ends, year) * DAY_S + rule->ends.second -
		    rule->summer_s;
}

static int32_t rule_offset(const struct zone_rule *rule, int64_t at_s, int64_t *ret_until)
{
	int64_t days = at_s / DAY_S - (at_s % DAY_S < 0), year = year_of(days);
	int32_t offset = rule->standard_s;
	int64_t newest = INT64_MIN;

	*ret_until = INT64_MAX;
	if (!rule->has_summer)
		return offset;
	/* The newest change before it decides; the southern summer spans two years. */
	for (int64_t y = year - 1; y <= year + 1; y++) {
		int64_t change[2];

		summer_of(rule, y, &change[0], &change[1]);
		for (int i = 0; i < 2; i++) {
			if (change[i] > at_s) {
				if (change[i] < *ret_until)
					*ret_until = change[i];
			} else if (change[i] >= newest) {
				newest = change[i];
				offset = i == 0 ? rule->summer_s : rule->standard_s;
			}
		}
	}
	return offset;
}

int32_t zone_offset(const struct zone *zone, int64_t at_s, int64_t *ret_until)
{
	size_t lo = 0, hi = zone->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (zone->at[mid] <= at_s)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == zone->count && zone->has_rule)
		return rule_offset(&zone->rule, at_s, ret_until);
	*ret_until = lo < zone->count ? zone->at[lo] : INT64_MAX;
	return lo == 0 ? zone->first_s : zone->offset_s[lo - 1];
}
