/*
 * hours.h: the hours of the week in which calls may be made, and when they next begin. Pure.
 *
 * As text: "mon 09:00-12:00,13:00-20:00; sat 10:00-14:00". A window that ends before it begins
 * goes on past midnight and belongs to the day on which it begins; 24:00 is the day's end.
 */
#ifndef OMNIVOX_DIALER_HOURS_H
#define OMNIVOX_DIALER_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dialer/zone.h"

#define HOURS_WINDOWS_MAX 28 /* four a day */
#define HOURS_TEXT_SIZE 512  /* holds any of them as text */
#define HOURS_WEEK_MIN (7 * 24 * 60)

struct hours_window {
	int from, length; /* minutes; from Monday 00:00 */
};

struct hours {
	size_t count; /* 0: at any time */
	struct hours_window windows[HOURS_WINDOWS_MAX];
};

extern const char *const hours_days[7]; /* "mon" to "sun" */

/* Adds a window: day 0 to 6, minutes of the day, `to` up to 24 h. -EINVAL, -E2BIG. */
int hours_add(struct hours *hours, int day, int from, int to);

/* "" gives hours without windows. -EINVAL, -E2BIG. */
int hours_parse(const char *text, struct hours *ret_hours);
/* The text that hours_parse() reads; by day and time. */
void hours_text(const struct hours *hours, char ret_text[HOURS_TEXT_SIZE]);

/*
 * Whether it is inside the hours in all of these zones (at least one). *ret_next: the first
 * instant, `at_s` itself when it is inside, from which it is so; 0: not within three weeks.
 * Instants are seconds since 1970. An hour that clocks leave out opens when they have jumped;
 * one that they have twice is open twice.
 */
bool hours_open(const struct hours *hours, const struct zone *const *zones, size_t count,
	int64_t at_s, int64_t *ret_next);

#endif
