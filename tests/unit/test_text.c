/* test_text.c: base/text.h. */
#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void a_text_that_fits_is_copied_with_its_nul(void **state)
{
	char dst[5];

	(void)state;
	assert_int_equal(text_copy(dst, sizeof(dst), "four"), 0);
	assert_string_equal(dst, "four");
}

static void a_text_that_is_too_long_leaves_nothing(void **state)
{
	char dst[5] = "old";

	(void)state;
	assert_int_equal(text_copy(dst, sizeof(dst), "fives"), -ENAMETOOLONG);
	assert_string_equal(dst, "");
	assert_int_equal(text_copy(dst, 0, ""), -ENAMETOOLONG);
}

static void a_number_is_read_only_when_all_of_the_text_is_one(void **state)
{
	static const char *const broken[] = {
		"", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "--1"};
	int64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(text_int(broken[i], -10, 10, &value), -EINVAL);
	assert_int_equal(value, 7);
	assert_int_equal(text_int("-10", -10, 10, &value), 0);
	assert_int_equal(value, -10);
	assert_int_equal(text_int("9223372036854775807", 0, INT64_MAX, &value), 0);
	assert_true(value == INT64_MAX);
}

static void a_number_outside_its_range_is_told_apart_from_nonsense(void **state)
{
	int64_t value = 7;

	(void)state;
	assert_int_equal(text_int("11", -10, 10, &value), -ERANGE);
	assert_int_equal(text_int("-11", -10, 10, &value), -ERANGE);
	assert_int_equal(
		text_int("9223372036854775808", INT64_MIN, INT64_MAX, &value), -ERANGE);
	assert_int_equal(value, 7);
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(text_chars(""), 0);
	assert_int_equal(text_chars("abc"), 3);
	assert_int_equal(text_chars("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"), 4);
}

static void bytes_become_lower_case_hex(void **state)
{
	char dst[9];

	(void)state;
	assert_string_equal(text_hex(dst, "\x00\x0f\xa5\xff", 4), "000fa5ff");
	assert_string_equal(text_hex(dst, "", 0), "");
}

static void random_text_is_hex_of_the_asked_length_and_differs_each_time(void **state)
{
	char a[2 * 40 + 1], b[2 * 40 + 1];

	(void)state;
	assert_ptr_equal(text_random(a, 40), a);
	(void)text_random(b, 40);
	assert_int_equal(strspn(a, "0123456789abcdef"), 80);
	assert_int_equal(strlen(a), 80);
	assert_string_not_equal(a, b);
	assert_string_equal(text_random(a, 0), "");
}

static void secrets_are_compared_over_their_whole_length(void **state)
{
	(void)state;
	assert_false(text_differs("secret", "secret", 6));
	assert_true(text_differs("secret", "Secret", 6));
	assert_true(text_differs("secret", "secreT", 6));
	assert_false(text_differs("a", "b", 0));
}

static void what_is_no_character_becomes_a_question_mark(void **state)
{
	static const char *const texts[][2] = {
		{"", ""},
		{"plain \x01\x7f", "plain \x01\x7f"},
		{"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80",
			"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"},
		{"\xef\xbf\xbf\xf4\x8f\xbf\xbf", "\xef\xbf\xbf\xf4\x8f\xbf\xbf"},
		{"a\xc3", "a?"},
		{"\xe4\xb8", "??"},
		{"\xf0\x9f\x98x", "???x"},
		{"\x80\xbf\xfe\xff", "????"},
		{"\xc0\x80\xc1\xbf", "????"},
		{"\xe0\x9f\xbf", "???"},
		{"\xed\xa0\x80", "???"},
		{"\xf0\x8f\xbf\xbf", "????"},
		{"\xf4\x90\x80\x80", "????"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)text_copy(text, sizeof(text), texts[i][0]);
		text_mend(text);
		assert_string_equal(text, texts[i][1]);
	}
}

static void a_text_of_white_space_alone_is_blank(void **state)
{
	(void)state;
	assert_true(text_blank(""));
	assert_true(text_blank(" \t\r\n"));
	assert_false(text_blank(" . "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_that_fits_is_copied_with_its_nul),
		cmocka_unit_test(a_text_that_is_too_long_leaves_nothing),
		cmocka_unit_test(a_number_is_read_only_when_all_of_the_text_is_one),
		cmocka_unit_test(a_number_outside_its_range_is_told_apart_from_nonsense),
		cmocka_unit_test(a_text_of_white_space_alone_is_blank),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(what_is_no_character_becomes_a_question_mark),
		cmocka_unit_test(bytes_become_lower_case_hex),
		cmocka_unit_test(
			random_text_is_hex_of_the_asked_length_and_differs_each_time),
		cmocka_unit_test(secrets_are_compared_over_their_whole_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
