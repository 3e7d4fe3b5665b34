/* clock.c: the two clocks. See clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* ".678" as milliseconds; 0 when there is none. Returns where it ends, NULL when it is broken. */
static const char *parse_fraction(const char *at, int *ret_ms)
{
	size_t digits;
	int ms = 0;

	*ret_ms = 0;
	if (*at != '.')
		return at;
	at++;
	digits = strspn(at, "0123456789");
	if (digits == 0)
		return NULL;
	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < digits ? at[i] - '0' : 0);
	*ret_ms = ms;
	return at + digits;
}

/* "Z" or "+02:00" as seconds east; -EINVAL. */
static int parse_zone(const char *at, int *ret_east_s)
{
	int hours = 0, minutes = 0, end = 0;

	*ret_east_s = 0;
	if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0)
		return 0;
	if ((*at != '+' && *at != '-') || strspn(at + 1, "0123456789:") != 5 ||
		sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 5 ||
		at[6] != '\0' || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_east_s = (hours * 3600 + minutes * 60) * (*at == '-' ? -1 : 1);
	return 0;
}

int clock_parse(const char *text, int64_t *ret_wall_ms)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	struct tm tm = {0}, back;
	const char *rest;
	time_t seconds;
	int ms, east_s;

	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		char c = text[i] == 't' ? 'T' : text[i];

		if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
			return -EINVAL;
	}
	if (sscanf(text, "%4d-%2d-%2d%*1c%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
		    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6 ||
		tm.tm_year < 1970 || tm.tm_sec > 59)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	rest = parse_fraction(text + sizeof(shape) - 1, &ms);
	if (rest == NULL || parse_zone(rest, &east_s) < 0)
		return -EINVAL;
	/* timegm() makes a day of March of the 30th of February: it must come back the same. */
	back = tm;
	seconds = timegm(&back);
	if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon ||
		back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min)
		return -EINVAL;
	*ret_wall_ms = ((int64_t)seconds - east_s) * 1000 + ms;
	return 0;
}
