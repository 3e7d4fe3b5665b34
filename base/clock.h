/* clock.h: the two clocks, and the one way to print a time. Any thread. */
#ifndef OMNIVOX_BASE_CLOCK_H
#define OMNIVOX_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_SIZE 32

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: for waits and intervals */
int64_t clock_mono_us(void); /* the same in microseconds: for what is measured */
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z: for people and records */

/* RFC 3339 in UTC with milliseconds: "2026-01-02T03:04:05.678Z". Returns buf. */
const char *clock_text(int64_t wall_ms, char buf[CLOCK_TEXT_SIZE]);

/*
 * RFC 3339, section 5.6, of the years 1970 to 9999: "2026-01-02T03:04:05Z",
 * "2026-01-02T03:04:05.678+02:00". Digits beyond milliseconds are dropped. -EINVAL otherwise.
 */
int clock_parse(const char *text, int64_t *ret_wall_ms);

#endif
