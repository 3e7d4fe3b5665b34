/* test_log.c: base/log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/captured.h"
#include "unit/cmocka_all.h"

#define TIME_LEN 24 /* "2026-01-02T03:04:05.678Z" */

static char out[16384];

static void a_line_has_time_level_module_call_and_text(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	captured_start();
	log_info("call", 42, "answered agent=%d", 7);
	log_error("db", 0, "gone");
	captured_stop(out, sizeof(out));
	assert_int_equal(out[4], '-');
	assert_int_equal(out[TIME_LEN - 1], 'Z');
	assert_memory_equal(out + TIME_LEN, " info  call call=42 answered agent=7\n", 37);
	assert_string_equal(out + TIME_LEN + 37 + TIME_LEN, " error db gone\n");
}

static void a_json_line_is_one_object(void **state)
{
	static const char expected[] =
		"\",\"level\":\"warn\",\"module\":\"call\",\"call_id\":\"42\","
		"\"msg\":\"he said \\\"\\\\o/\\\"\"}\n";

	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	captured_start();
	log_warn("call", 42, "he said \"%s\"", "\\o/");
	captured_stop(out, sizeof(out));
	assert_memory_equal(out, "{\"ts\":\"", 7);
	assert_string_equal(out + 7 + TIME_LEN, expected);
}

static void what_a_stranger_sends_cannot_forge_a_line_or_move_the_cursor(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	captured_start();
	log_info("sip", 0, "ua=%s", "x\n2026\r\x1b[2J\x7f\xc2\x9b\xff\xc3\xa9");
	captured_stop(out, sizeof(out));
	assert_string_equal(out + TIME_LEN, " info  sip ua=x?2026??[2J???\xc3\xa9\n");
}

static void the_key_value_words_of_a_json_line_are_fields(void **state)
{
	static const char expected[] =
		"\",\"level\":\"info\",\"module\":\"call\",\"call_id\":\"7\","
		"\"fields\":{\"agent\":\"3\",\"why\":\"a=\\\"b\\\"\"},"
		"\"msg\":\"ringing -> ended = agent=4\"}\n";

	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	captured_start();
	log_info("call", 7, "ringing -> ended agent=3 = agent=4 why=%s", "a=\"b\"");
	captured_stop(out, sizeof(out));
	assert_string_equal(out + 7 + TIME_LEN, expected);
}

static void a_json_line_has_at_most_sixteen_fields(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	captured_start();
	log_info("m", 0,
		"a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1 l=1 m=1 n=1 o=1 p=1 q=1");
	captured_stop(out, sizeof(out));
	assert_non_null(strstr(out, "\"p\":\"1\"},\"msg\":\"q=1\"}\n"));
}

static void a_json_line_is_utf8_whatever_it_quotes(void **state)
{
	static const struct {
		const char *given, *written;
	} cases[] = {
		{"\n\x01\x7f\xc2\x9b", "\\u000a\\u0001\\u007f\\u009b"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc2\xa0",
			"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc2\xa0"},
		{"\xc3", "\\ufffd"},                                  /* ends early */
		{"\xe2\x82", "\\ufffd\\ufffd"},                       /* ends early */
		{"\xc0\xaf", "\\ufffd\\ufffd"},                       /* too long */
		{"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"},            /* too long */
		{"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},            /* a surrogate */
		{"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* beyond */
	};
	char expected[128];

	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		captured_start();
		log_info("m", 0, "%s", cases[i].given);
		captured_stop(out, sizeof(out));
		(void)snprintf(expected, sizeof(expected), "\"msg\":\"%s\"}\n",
			cases[i].written);
		assert_non_null(strstr(out, "\"msg\":"));
		assert_string_equal(strstr(out, "\"msg\":"), expected);
	}
}

static void a_long_text_is_cut_and_still_one_line(void **state)
{
	static char big[5000];

	(void)state;
	memset(big, '\x01', sizeof(big) - 1); /* six bytes each when escaped */
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	captured_start();
	log_info("m", INT64_MIN, "%s", big);
	captured_stop(out, sizeof(out));
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
	assert_memory_equal(out + strlen(out) - 3, "\"}\n", 3);
}

static void only_lines_up_to_the_level_are_written(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	captured_start();
	log_info("m", 0, "no");
	log_debug("m", 0, "no");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("m", 0, "yes");
	captured_stop(out, sizeof(out));
	assert_string_equal(out + TIME_LEN, " debug m yes\n");
}

static void logging_leaves_errno_alone(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	captured_start();
	errno = EBUSY;
	log_info("m", 0, "x");
	assert_int_equal(errno, EBUSY);
	captured_stop(out, sizeof(out));
}

static void levels_are_read_from_their_words(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Debug", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void numbers_are_masked(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(log_mask("+14155552671", buf, sizeof(buf)), "+1415***2671");
	assert_string_equal(log_mask("+1415552", buf, sizeof(buf)), "***");
	assert_string_equal(log_mask("", buf, sizeof(buf)), "***");
	assert_string_equal(log_mask("+14155552671", buf, 8), "+1415**");
}

static void what_strangers_cause_is_written_once_a_second_with_the_number_of_the_rest(
	void **state)
{
	struct log_seldom line = {0};
	unsigned unwritten = 99;

	(void)state;
	assert_true(log_seldom(&line, 5000, &unwritten));
	assert_int_equal(unwritten, 0);
	for (int i = 0; i < 1999; i++)
		assert_false(log_seldom(&line, 5000 + i / 2, &unwritten));
	assert_true(log_seldom(&line, 6000, &unwritten));
	assert_int_equal(unwritten, 1999);
	assert_false(log_seldom(&line, 6999, &unwritten));
	assert_true(log_seldom(&line, 90000, &unwritten));
	assert_int_equal(unwritten, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_module_call_and_text),
		cmocka_unit_test(a_json_line_is_one_object),
		cmocka_unit_test(the_key_value_words_of_a_json_line_are_fields),
		cmocka_unit_test(a_json_line_has_at_most_sixteen_fields),
		cmocka_unit_test(
			what_a_stranger_sends_cannot_forge_a_line_or_move_the_cursor),
		cmocka_unit_test(a_json_line_is_utf8_whatever_it_quotes),
		cmocka_unit_test(a_long_text_is_cut_and_still_one_line),
		cmocka_unit_test(only_lines_up_to_the_level_are_written),
		cmocka_unit_test(logging_leaves_errno_alone),
		cmocka_unit_test(levels_are_read_from_their_words),
		cmocka_unit_test(numbers_are_masked),
		cmocka_unit_test(
			what_strangers_cause_is_written_once_a_second_with_the_number_of_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
