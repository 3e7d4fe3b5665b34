/* test_hours.c: dialer/zone.h and dialer/hours.h: clocks that change, and hours by them. */
#include "dialer/hours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "unit/cmocka_all.h"

/* A zone by its rule alone. */
static struct zone zone_of(const char *rule)
{
	struct zone zone = {.has_rule = true};

	assert_int_equal(zone_rule_parse(rule, &zone.rule), 0);
	return zone;
}

#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define LONDON "GMT0BST,M3.5.0/1,M10.5.0"
#define KOLKATA "IST-5:30"
#define SYDNEY "AEST-10AEDT,M10.1.0,M4.1.0/3"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
#define NUUK "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"

static int64_t utc(const char *text)
{
	struct tm tm = {0};

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon,
				 &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec),
		6);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

static int offset(const char *rule, const char *at)
{
	struct zone zone = zone_of(rule);
	int64_t until;

	return zone_offset(&zone, utc(at), &until) / 60;
}

static void clocks_change_on_the_days_of_the_rule(void **state)
{
	(void)state;
	assert_int_equal(offset(NEW_YORK, "2026-03-08 06:59:59"), -300);
	assert_int_equal(offset(NEW_YORK, "2026-03-08 07:00:00"), -240);
	assert_int_equal(offset(NEW_YORK, "2026-11-01 05:59:59"), -240);
	assert_int_equal(offset(NEW_YORK, "2026-11-01 06:00:00"), -300);
	assert_int_equal(offset(LONDON, "2026-03-29 00:59:59"), 0);
	assert_int_equal(offset(LONDON, "2026-03-29 01:00:00"), 60);
	assert_int_equal(offset(LONDON, "2028-10-29 01:00:00"), 0);
	assert_int_equal(offset(KOLKATA, "2026-07-01 00:00:00"), 330);
	/* In the south, summer spans the year's end. */
	assert_int_equal(offset(SYDNEY, "2026-01-01 00:00:00"), 660);
	assert_int_equal(offset(SYDNEY, "2026-04-04 15:59:59"), 660);
	assert_int_equal(offset(SYDNEY, "2026-04-04 16:00:00"), 600);
	assert_int_equal(offset(SYDNEY, "2026-12-31 23:59:59"), 660);
	/* Half an hour of summer time. */
	assert_int_equal(offset(LORD_HOWE, "2026-07-01 00:00:00"), 630);
	assert_int_equal(offset(LORD_HOWE, "2026-12-01 00:00:00"), 660);
	/* An hour before the day begins. */
	assert_int_equal(offset(NUUK, "2026-03-29 00:59:59"), -120);
	assert_int_equal(offset(NUUK, "2026-03-29 01:00:00"), -60);
	/* By days of the year. */
	assert_int_equal(offset("AAA0BBB,J60/0,J61/0", "2028-03-01 12:00:00"), 60);
	assert_int_equal(offset("AAA0BBB,J60/0,J61/0", "2028-02-29 12:00:00"), 0);
	assert_int_equal(offset("AAA0BBB,59/0,60/0", "2028-02-29 12:00:00"), 60);
}

static void an_offset_says_until_when_it_holds(void **state)
{
	static const int64_t at[] = {1000, 2000};
	static const int32_t offsets[] = {3600, 7200};
	struct zone zone = {.first_s = 60, .count = 2, .at = at, .offset_s = offsets};
	struct zone york = zone_of(NEW_YORK);
	int64_t until;

	(void)state;
	assert_int_equal(zone_offset(&zone, 999, &until), 60);
	assert_int_equal(until, 1000);
	assert_int_equal(zone_offset(&zone, 1000, &until), 3600);
	assert_int_equal(until, 2000);
	assert_int_equal(zone_offset(&zone, 5000, &until), 7200);
	assert_true(until == INT64_MAX);
	(void)zone_offset(&york, utc("2026-06-01 00:00:00"), &until);
	assert_true(until == utc("2026-11-01 06:00:00"));
	(void)zone_offset(&york, utc("2026-12-01 00:00:00"), &until);
	assert_true(until == utc("2027-03-14 07:00:00"));
}

static void what_is_no_rule_is_refused(void **state)
{
	static const char *const bad[] = {"", "E", "EST", "EST5EDT", "EST25", "EST5EDT,",
		"EST5EDT,M3.2.0", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
		"EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J5", "EST5EDT,366,5", "<+03-3",
		"<>3", "EST5EDT,M3.2.0,M11.1.0x", "EST5EDT,M3.2.0/168,M11.1.0",
		"EST5:60"};
	struct zone_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(zone_rule_parse(bad[i], &rule), -EINVAL);
}

static void hours_are_read_as_they_are_written(void **state)
{
	static const char *const texts[] = {"", "mon 09:00-17:00",
		"mon 09:00-12:00,13:00-20:30; sat 22:00-02:00; sun 00:00-24:00"};
	static const char *const bad[] = {"mon", "mon 9:00-17:00", "mon 09:00-17:60",
		"mon 09:00-25:00", "xxx 09:00-10:00", "mon 09:00-09:00",
		"mon 09:00-10:00;", "mon 09:00-10:00,", "mon 24:00-10:00",
		"mon 09:00 10:00"};
	char text[HOURS_TEXT_SIZE], all[HOURS_TEXT_SIZE] = "";
	struct hours hours;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(hours_parse(texts[i], &hours), 0);
		hours_text(&hours, text);
		assert_string_equal(text, texts[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hours_parse(bad[i], &hours), -EINVAL);
	hours = (struct hours){.count = 0};
	for (int i = 0; i < HOURS_WINDOWS_MAX; i++)
		assert_int_equal(
			hours_add(&hours, i % 7, 60 * (i / 7), 60 * (i / 7) + 30), 0);
	assert_int_equal(hours_add(&hours, 0, 600, 660), -E2BIG);
	hours_text(&hours, all);
	assert_int_equal(hours_parse(all, &hours), 0);
	assert_int_equal(hours.count, HOURS_WINDOWS_MAX);
}

/* Open at that moment? Else the moment it opens, as text. */
static const char *opens(const char *text, const char *rule, const char *at)
{
	static char answer[32];
	struct zone zone = zone_of(rule);
	const struct zone *zones[] = {&zone};
	struct hours hours;
	int64_t next;
	time_t when;

	assert_int_equal(hours_parse(text, &hours), 0);
	if (hours_open(&hours, zones, 1, utc(at), &next)) {
		assert_true(next == utc(at));
		return "open";
	}
	if (next == 0)
		return "never";
	when = (time_t)next;
	(void)strftime(answer, sizeof(answer), "%F %T", gmtime(&when));
	return answer;
}

#define OFFICE "mon 09:00-17:00; tue 09:00-17:00; fri 09:00-17:00"

static void it_opens_and_closes_on_the_minute(void **state)
{
	(void)state;
	/* 2026-11-30 is a Monday. */
	assert_string_equal(
		opens(OFFICE, "UTC0", "2026-11-30 08:59:59"), "2026-11-30 09:00:00");
	assert_string_equal(opens(OFFICE, "UTC0", "2026-11-30 09:00:00"), "open");
	assert_string_equal(opens(OFFICE, "UTC0", "2026-11-30 16:59:59"), "open");
	assert_string_equal(
		opens(OFFICE, "UTC0", "2026-11-30 17:00:00"), "2026-12-01 09:00:00");
	assert_string_equal(
		opens(OFFICE, "UTC0", "2026-12-01 17:00:00"), "2026-12-04 09:00:00");
	assert_string_equal(
		opens(OFFICE, "UTC0", "2026-12-05 00:00:00"), "2026-12-07 09:00:00");
	assert_string_equal(opens("", "UTC0", "2026-12-05 00:00:00"), "open");
	/* Half an hour off the hour. */
	assert_string_equal(
		opens(OFFICE, KOLKATA, "2026-11-30 03:29:59"), "2026-11-30 03:30:00");
}

static void a_window_past_midnight_belongs_to_the_day_it_begins(void **state)
{
	(void)state;
	assert_string_equal(
		opens("sun 22:00-02:00", "UTC0", "2026-11-30 01:59:59"), "open");
	assert_string_equal(opens("sun 22:00-02:00", "UTC0", "2026-11-30 02:00:00"),
		"2026-12-06 22:00:00");
	assert_string_equal(
		opens("mon 00:00-24:00", "UTC0", "2026-11-30 23:59:59"), "open");
	assert_string_equal(opens("mon 00:00-24:00", "UTC0", "2026-12-01 00:00:00"),
		"2026-12-07 00:00:00");
}

static void an_hour_that_is_left_out_opens_when_the_clocks_have_jumped(void **state)
{
	(void)state;
	/* 02:00 to 03:00 of Sunday, 8 March 2026 is not there in New York. */
	assert_string_equal(opens("sun 02:30-09:00", NEW_YORK, "2026-03-08 06:00:00"),
		"2026-03-08 07:00:00");
	assert_string_equal(opens("sun 02:00-03:00", NEW_YORK, "2026-03-08 06:00:00"),
		"2026-03-15 06:00:00");
	/* One hour earlier by the world's clock from then on. */
	assert_string_equal(opens("sat 09:00-10:00; mon 09:00-10:00", NEW_YORK,
				    "2026-03-07 15:00:00"),
		"2026-03-09 13:00:00");
}

static void an_hour_that_comes_twice_is_open_twice(void **state)
{
	(void)state;
	/* 01:00 to 02:00 of Sunday, 1 November 2026 comes twice in New York. */
	assert_string_equal(
		opens("sun 01:00-01:30", NEW_YORK, "2026-11-01 05:29:59"), "open");
	assert_string_equal(opens("sun 01:00-01:30", NEW_YORK, "2026-11-01 05:30:00"),
		"2026-11-01 06:00:00");
	assert_string_equal(opens("sun 01:00-01:30", NEW_YORK, "2026-11-01 06:30:00"),
		"2026-11-08 06:00:00");
}

static void several_zones_must_all_be_inside(void **state)
{
	struct zone york = zone_of(NEW_YORK), angeles = zone_of("PST8PDT,M3.2.0,M11.1.0");
	struct zone kolkata = zone_of(KOLKATA);
	const struct zone *us[] = {&york, &angeles};
	const struct zone *apart[] = {&york, &kolkata};
	struct hours hours;
	int64_t next;

	(void)state;
	assert_int_equal(hours_parse(OFFICE, &hours), 0);
	assert_false(hours_open(&hours, us, 2, utc("2026-11-30 14:30:00"), &next));
	assert_true(next == utc("2026-11-30 17:00:00")); /* 09:00 in the west */
	assert_true(hours_open(&hours, us, 2, next, &next));
	assert_false(hours_open(&hours, us, 2, utc("2026-11-30 22:00:00"), &next));
	assert_true(next == utc("2026-12-01 17:00:00"));
	/* Ten and a half hours apart: no office is open in both. */
	assert_false(hours_open(&hours, apart, 2, utc("2026-11-30 14:30:00"), &next));
	assert_true(next == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_change_on_the_days_of_the_rule),
		cmocka_unit_test(an_offset_says_until_when_it_holds),
		cmocka_unit_test(what_is_no_rule_is_refused),
		cmocka_unit_test(hours_are_read_as_they_are_written),
		cmocka_unit_test(it_opens_and_closes_on_the_minute),
		cmocka_unit_test(a_window_past_midnight_belongs_to_the_day_it_begins),
		cmocka_unit_test(
			an_hour_that_is_left_out_opens_when_the_clocks_have_jumped),
		cmocka_unit_test(an_hour_that_comes_twice_is_open_twice),
		cmocka_unit_test(several_zones_must_all_be_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
