/* test_number.c: dialer/number.h. */
#include "dialer/number.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void e164_numbers_have_a_plus_and_seven_to_fifteen_digits(void **state)
{
	(void)state;
	assert_true(number_valid("+14155552671"));
	assert_true(number_valid("+2901234"));
	assert_true(number_valid("+123456789012345"));
	assert_false(number_valid(""));
	assert_false(number_valid("+"));
	assert_false(number_valid("14155552671"));
	assert_false(number_valid("+04155552671"));
	assert_false(number_valid("+123456"));
	assert_false(number_valid("+1234567890123456"));
	assert_false(number_valid("+1415555267a"));
	assert_false(number_valid("+1 4155552671"));
	assert_false(number_valid("++14155552671"));
}

struct typed {
	const char *text, *country, *expected;
};

static void check_all(const struct typed *cases, size_t count)
{
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
			number_normalise(cases[i].text, cases[i].country, number), 0);
		assert_string_equal(number, cases[i].expected);
		assert_true(number_valid(number));
	}
}

#define check(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void marks_between_digits_are_left_out(void **state)
{
	static const struct typed cases[] = {
		{"+1 (415) 555-2671", "44", "+14155552671"},
		{" +44.20/7946[0958]\t", "", "+442079460958"},
		{"+44 (0)20 7946 0958", NULL, "+442079460958"},
		{"+1\xc2\xa0"
		 "415\xe2\x80\x91"
		 "555\xe2\x80\x93"
		 "2671",
			"1", "+14155552671"},
		{"\xe2\x80\xaa+14155552671\xe2\x80\xac", "1", "+14155552671"},
	};

	(void)state;
	check(cases);
}

static void a_number_at_home_gets_its_country(void **state)
{
	static const struct typed cases[] = {
		{"(415) 555-2671", "1", "+14155552671"},
		{"1-415-555-2671", "1", "+14155552671"},
		{"020 7946 0958", "44", "+442079460958"},
		{"20 7946 0958", "44", "+442079460958"},
		{"8 (912) 345-67-89", "7", "+79123456789"},
		{"06 1 234 5678", "36", "+3612345678"},
	};

	(void)state;
	check(cases);
}

static void a_zero_that_is_of_the_number_is_kept(void **state)
{
	static const struct typed cases[] = {
		{"06 1234 5678", "39", "+390612345678"},
		{"07 01 02 03 04", "225", "+2250701020304"},
	};

	(void)state;
	check(cases);
}

static void the_prefix_for_abroad_is_a_plus(void **state)
{
	static const struct typed cases[] = {
		{"0044 20 7946 0958", "49", "+442079460958"},
		{"0044 20 7946 0958", "", "+442079460958"},
		{"011 44 20 7946 0958", "1", "+442079460958"},
		{"0044 20 7946 0958", "1", "+442079460958"},
		{"0011 1 415 555 2671", "61", "+14155552671"},
	};

	(void)state;
	check(cases);
}

static void what_would_have_to_be_guessed_is_refused(void **state)
{
	static const struct typed cases[] = {
		{"", "1", NULL},
		{"+", "1", NULL},
		{"unknown", "1", NULL},
		{"1-800-FLOWERS", "1", NULL},
		{"415 555 2671 x12", "1", NULL},
		{"555-2671", "1", NULL},
		{"015 555 2671", "1", NULL},
		{"415 555 26711", "1", NULL},
		{"4155552671", "", NULL},
		{"4155552671", NULL, NULL},
		{"+1+4155552671", "1", NULL},
		{"415+5552671", "1", NULL},
		{"+0415555267", "1", NULL},
		{"0049 0", "49", NULL},
		{"12345678901234", "44", NULL},
		{"1234567890123456789012345678901234567890", "44", NULL},
		{"+1234567890123456", "1", NULL},
		{"020 7946 0958; 020 7946 0959", "44", NULL},
		{"\xc2", "1", NULL},
	};
	char number[NUMBER_SIZE] = "old";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			number_normalise(cases[i].text, cases[i].country, number),
			-EINVAL);
	assert_string_equal(number, "old");
}

static void a_normalised_number_stays_as_it_is(void **state)
{
	static const struct typed cases[] = {
		{"+14155552671", "1", "+14155552671"},
		{"+390612345678", "1", "+390612345678"},
		{"+15550001234", "44", "+15550001234"},
	};

	(void)state;
	check(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e164_numbers_have_a_plus_and_seven_to_fifteen_digits),
		cmocka_unit_test(marks_between_digits_are_left_out),
		cmocka_unit_test(a_number_at_home_gets_its_country),
		cmocka_unit_test(a_zero_that_is_of_the_number_is_kept),
		cmocka_unit_test(the_prefix_for_abroad_is_a_plus),
		cmocka_unit_test(what_would_have_to_be_guessed_is_refused),
		cmocka_unit_test(a_normalised_number_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
