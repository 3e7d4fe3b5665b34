/* test_http_range.c: which bytes a Range header asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "http/server.h"

static void asks_for(const char *range, size_t first, size_t len)
{
	size_t got_first = 0, got_len = 0;

	assert_int_equal(http_range_parse(range, 1000, &got_first, &got_len), 0);
	assert_int_equal(got_first, first);
	assert_int_equal(got_len, len);
}

static void test_a_range_is_cut_at_the_end(void **state)
{
	(void)state;
	asks_for("bytes=0-0", 0, 1);
	asks_for("bytes=100-199", 100, 100);
	asks_for("bytes=100-", 100, 900);
	asks_for("bytes=-100", 900, 100);
	asks_for("bytes=-5000", 0, 1000);
	asks_for("bytes=999-5000", 999, 1);
}

static void test_what_is_no_single_range_is_ignored(void **state)
{
	static const char *const ignored[] = {"", "bytes", "bytes=", "bytes=-",
		"lines=1-2", "bytes=1", "bytes=a-b", "bytes=1-2,5-6", "bytes=5-4",
		"bytes=1-2x", "bytes=99999999999999999999999-"};
	size_t first = 7, len = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		assert_int_equal(
			http_range_parse(ignored[i], 1000, &first, &len), -ENOENT);
	assert_int_equal(first, 7);
}

static void test_a_range_beyond_the_end_cannot_be_met(void **state)
{
	size_t first, len;

	(void)state;
	assert_int_equal(http_range_parse("bytes=1000-", 1000, &first, &len), -ERANGE);
	assert_int_equal(http_range_parse("bytes=-0", 1000, &first, &len), -ERANGE);
	assert_int_equal(http_range_parse("bytes=0-", 0, &first, &len), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_range_is_cut_at_the_end),
		cmocka_unit_test(test_what_is_no_single_range_is_ignored),
		cmocka_unit_test(test_a_range_beyond_the_end_cannot_be_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
