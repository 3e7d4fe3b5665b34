/* test_zones.c: gateway/zones.h against the system's own reading of the same files. */
#include "gateway/zones.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

static void every_zone_says_what_libc_says(void **state)
{
	static const char *const names[] = {"America/New_York", "Europe/London",
		"Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca",
		"America/Nuuk", "Pacific/Chatham", "America/Argentina/Salta", "Asia/Gaza",
		"UTC"};
	struct zones *zones = NULL;
	struct err err;

	(void)state;
	assert_int_equal(zones_load(ZONES_DIR, &zones, &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct zone *zone = zones_find(zones, names[i]);

		assert_non_null(zone);
		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		/* Every 6 hours and a bit from 2022 to 2060. */
		for (int64_t at = 1640995200; at < 2840140800; at += 21613) {
			time_t when = (time_t)at;
			struct tm tm;
			int64_t until;

			assert_non_null(localtime_r(&when, &tm));
			assert_int_equal(zone_offset(zone, at, &until), tm.tm_gmtoff);
			assert_true(until > at);
		}
	}
	assert_null(zones_find(zones, "Europe/Atlantis"));
	assert_null(zones_find(zones, ""));
	assert_null(zones_find(zones, "../../etc/passwd"));
	assert_null(zones_find(zones, "America"));
	assert_null(zones_find(zones, "localtime"));
	assert_null(zones_find(zones, "posixrules"));
	assert_null(zones_find(zones, "posix/UTC"));
	zones_free(&zones);
	assert_int_equal(zones_load("/nonexistent", &zones, &err), -ENOENT);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	unsigned char data[8192], broken[8192];
	struct zone zone;
	ssize_t size;
	int fd = open(ZONES_DIR "/America/New_York", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	size = read(fd, data, sizeof(data));
	(void)close(fd);
	assert_in_range(size, 100, sizeof(data) - 1);
	for (ssize_t cut = 0; cut < size; cut++)
		assert_int_equal(zones_parse("x", data, (size_t)cut, &zone), -EINVAL);
	/* One byte wrong anywhere: refused or read, never more. */
	for (ssize_t at = 0; at < size; at++) {
		memcpy(broken, data, (size_t)size);
		broken[at] ^= 0xff;
		if (zones_parse("x", broken, (size_t)size, &zone) == 0)
			zones_free_one(&zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_zone_says_what_libc_says),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
