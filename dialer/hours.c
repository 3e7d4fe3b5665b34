/* hours.c: the hours of the week in which calls may be made. See hours.h. */
#include "dialer/hours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_MIN 1440
#define HORIZON_S (21 * 86400)

const char *const hours_days[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

int hours_add(struct hours *hours, int day, int from, int to)
{
	int length = to > from ? to - from : to - from + DAY_MIN;

	if (day < 0 || day > 6 || from < 0 || from >= DAY_MIN || to < 0 || to > DAY_MIN ||
		from == to)
		return -EINVAL;
	if (hours->count == HOURS_WINDOWS_MAX)
		return -E2BIG;
	hours->windows[hours->count++] =
		(struct hours_window){.from = day * DAY_MIN + from, .length = length};
	return 0;
}

/* ---- text ---- */

static int read_minute(const char **text, int *ret_minute)
{
	const char *t = *text;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9')
			return -EINVAL;
	*ret_minute =
		((t[0] - '0') * 10 + t[1] - '0') * 60 + (t[3] - '0') * 10 + t[4] - '0';
	if (t[3] > '5')
		return -EINVAL;
	*text = t + 5;
	return 0;
}

static int read_day(const char **text, int *ret_day)
{
	for (int day = 0; day < 7; day++)
		if (strncmp(*text, hours_days[day], 3) == 0 && (*text)[3] == ' ') {
			*text += 4;
			*ret_day = day;
			return 0;
		}
	return -EINVAL;
}

int hours_parse(const char *text, struct hours *ret_hours)
{
	struct hours hours = {.count = 0};
	int day = 0, from, to, err;

	while (*text != '\0') {
		if (read_day(&text, &day) < 0)
			return -EINVAL;
		do {
			if (read_minute(&text, &from) < 0 || *text++ != '-' ||
				read_minute(&text, &to) < 0)
				return -EINVAL;
			err = hours_add(&hours, day, from, to);
			if (err < 0)
				return err;
		} while (*text == ',' && text++);
		if (*text == ';' && text[1] == ' ')
			text += 2;
		else if (*text != '\0')
			return -EINVAL;
	}
	*ret_hours = hours;
	return 0;
}

/* The windows of one day, in their order. */
static void day_text(const struct hours *hours, int day, char *text, size_t size)
{
	bool first = true;

	for (int minute = day * DAY_MIN; minute < (day + 1) * DAY_MIN; minute++)
		for (size_t i = 0; i < hours->count; i++) {
			const struct hours_window *w = &hours->windows[i];
			int from = minute % DAY_MIN, to = from + w->length;

			if (w->from != minute)
				continue;
			if (to > DAY_MIN)
				to -= DAY_MIN;
			(void)snprintf(text + strlen(text), size - strlen(text),
				"%s%02d:%02d-%02d:%02d", first ? "" : ",", from / 60,
				from % 60, to / 60, to % 60);
			first = false;
		}
}

void hours_text(const struct hours *hours, char ret_text[HOURS_TEXT_SIZE])
{
	ret_text[0] = '\0';
	for (int day = 0; day < 7; day++) {
		char one[HOURS_TEXT_SIZE] = "";

		day_text(hours, day, one, sizeof(one));
		if (one[0] != '\0')
			(void)snprintf(ret_text + strlen(ret_text),
				HOURS_TEXT_SIZE - strlen(ret_text), "%s%s %s",
				ret_text[0] != '\0' ? "; " : "", hours_days[day], one);
	}
}

/* ---- the question ---- */

/* Seconds until some window is open on clocks that do not change: 0 when one is. */
static int64_t until_open(const struct hours *hours, int64_t local_s)
{
	/* 1970 began on a Thursday, three days after a Monday. */
	int64_t week_s = (int64_t)HOURS_WEEK_MIN * 60;
	int64_t now = ((local_s + 3 * 86400) % week_s + week_s) % week_s, best = week_s;

	for (size_t i = 0; i < hours->count; i++) {
		int64_t from = (int64_t)hours->windows[i].from * 60;
		int64_t since = (now - from + week_s) % week_s;
		int64_t wait = since < (int64_t)hours->windows[i].length * 60
				       ? 0
				       : week_s - since;

		if (wait < best)
			best = wait;
	}
	return best;
}

/* The first instant from `at_s` on at which it is open in this zone; beyond `end`: any. */
static int64_t next_open(
	const struct hours *hours, const struct zone *zone, int64_t at_s, int64_t end)
{
	while (at_s < end) {
		int64_t until, wait;
		int32_t offset = zone_offset(zone, at_s, &until);

		wait = until_open(hours, at_s + offset);
		if (wait == 0 || at_s + wait < until)
			return at_s + wait;
		at_s = until; /* the clocks change first: ask again then */
	}
	return end;
}

bool hours_open(const struct hours *hours, const struct zone *const *zones, size_t count,
	int64_t at_s, int64_t *ret_next)
{
	int64_t end = at_s + HORIZON_S, now = at_s;
	size_t agreed = 0;

	*ret_next = at_s;
	if (hours->count == 0)
		return true;
	/* Each zone moves the instant on until all agree. */
	for (size_t i = 0; agreed < count; i = (i + 1) % count) {
		int64_t next = next_open(hours, zones[i], now, end);

		if (next >= end) {
			*ret_next = 0;
			return false;
		}
		agreed = next == now ? agreed + 1 : 1;
		now = next;
	}
	*ret_next = now;
	return now == at_s;
}
