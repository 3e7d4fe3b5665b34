/* test_err.c: base/err.h. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void the_code_comes_back_and_the_sentence_is_kept(void **state)
{
	struct err err = {.text = ""};

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "%s is %d.", "x", 3), -EINVAL);
	assert_string_equal(err.text, "x is 3.");
}

static void nobody_needs_to_want_the_sentence(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EIO, "%s", "x"), -EIO);
}

static void a_sentence_may_quote_the_one_it_replaces(void **state)
{
	struct err err = {.text = "The disk is full."};

	(void)state;
	(void)err_set(&err, -EIO, "No start: %s", err.text);
	assert_string_equal(err.text, "No start: The disk is full.");
}

static void a_sentence_that_is_too_long_is_cut(void **state)
{
	struct err err = {.text = ""};
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)err_set(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void half_a_character_is_none(void **state)
{
	struct err err = {.text = ""};
	char big[2000] = "a"; /* characters of two bytes, at odd places */

	(void)state;
	(void)err_set(&err, -EIO, "No column \"%.3s\".", "a\xc3\xa9\xc3\xa9");
	assert_string_equal(err.text, "No column \"a\xc3\xa9\".");
	(void)err_set(&err, -EIO, "No column \"%.2s\".", "a\xc3\xa9\xc3\xa9");
	assert_string_equal(err.text, "No column \"a?\".");
	(void)err_set(&err, -EIO, "%s \xff", err.text);
	assert_string_equal(err.text, "No column \"a?\". ?");
	for (size_t i = 1; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xa9", 3);
	(void)err_set(&err, -EIO, "%s", big + 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(err.text + sizeof(err.text) - 4, "\xc3\xa9?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_back_and_the_sentence_is_kept),
		cmocka_unit_test(nobody_needs_to_want_the_sentence),
		cmocka_unit_test(a_sentence_may_quote_the_one_it_replaces),
		cmocka_unit_test(a_sentence_that_is_too_long_is_cut),
		cmocka_unit_test(half_a_character_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
