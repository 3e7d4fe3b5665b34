/* clock.c: the two clocks. See clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec ts = {0};

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

const char *clock_text(int64_t wall_ms, char buf[CLOCK_TEXT_SIZE])
{
	int64_t ms = wall_ms % 1000;
	time_t seconds;
	struct tm tm = {0};
	char whole[24];

	if (ms < 0)
		ms += 1000;
	seconds = (time_t)((wall_ms - ms) / 1000);
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf, CLOCK_TEXT_SIZE, "%.19s.%03dZ", whole, (int)ms);
	return buf;
}
