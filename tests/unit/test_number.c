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
		if (number_normalise(cases[i].text, cases[i].country, number) < 0)
			fail_msg("%s is refused", cases[i].text);
		assert_string_equal(number, cases[i].expected);
		assert_true(number_valid(number));
	}
}

#define check(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void marks_between_digits_are_left_out(void **state)
{
	static const struct typed cases[] = {
		{"+1 (415) 555-2671", "GB", "+14155552671"},
		{" +44.20/7946[0958]\t", "", "+442079460958"},
		{"+44 (0)20 7946 0958", NULL, "+442079460958"},
		{"+1\xc2\xa0"
		 "415\xe2\x80\x91"
		 "555\xe2\x80\x93"
		 "2671",
			"1", "+14155552671"},
		{"\xe2\x80\xaa+14155552671\xe2\x80\xac", "US", "+14155552671"},
	};

	(void)state;
	check(cases);
}

static void a_number_at_home_gets_its_country(void **state)
{
	static const struct typed cases[] = {
		{"(415) 555-2671", "US", "+14155552671"},
		{"1-415-555-2671", "US", "+14155552671"},
		{"020 7946 0958", "GB", "+442079460958"},
		{"20 7946 0958", "GB", "+442079460958"},
		{"8 (912) 345-67-89", "RU", "+79123456789"},
		{"06 1 234 5678", "HU", "+3612345678"},
	};

	(void)state;
	check(cases);
}

static void a_zero_that_is_of_the_number_is_kept(void **state)
{
	static const struct typed cases[] = {
		{"06 1234 5678", "IT", "+390612345678"},
		{"07 01 02 03 04", "CI", "+2250701020304"},
	};

	(void)state;
	check(cases);
}

static void a_zero_in_brackets_is_left_out_only_where_it_may_be(void **state)
{
	static const struct typed cases[] = {
		{"+44 (0)20 7946 0958", "", "+442079460958"},
		{"+39 (0)6 1234 5678", "", "+390612345678"},
		{"+44 020 7946 0958", "", "+442079460958"},
	};

	(void)state;
	check(cases);
}

static void digits_of_other_scripts_are_digits(void **state)
{
	static const struct typed cases[] = {
		{"\xef\xbc\x8b\xef\xbc\x98\xef\xbc\x91 90 1234 5678", "",
			"+819012345678"},
		{"\xd9\xa0\xd9\xa5\xd9\xa0 123 4567", "SA", "+966501234567"},
		{"\xdb\xb0\xdb\xb9\xdb\xb1\xdb\xb2 345 6789", "IR", "+989123456789"},
		{"'+14155552671", "", "+14155552671"},
		{"\xe2\x80\x8b+1415\xc2\xad"
		 "5552671\xef\xbb\xbf",
			"", "+14155552671"},
	};

	(void)state;
	check(cases);
}

static void what_a_country_dials_differently_at_home_is_known(void **state)
{
	static const struct typed cases[] = {
		{"011 15 2345-6789", "AR", "+5491123456789"},
		{"0 15 11 91234-5678", "BR", "+5511912345678"},
		{"0014 1 415 555 2671", "BR", "+14155552671"},
		{"8 10 44 20 7946 0958", "RU", "+442079460958"},
		{"8 800 555 35 35", "RU", "+78005553535"},
		{"721234", "GG", "+441481721234"},
		{"622 4321", "TT", "+18686224321"},
		{"1 868 622 4321", "TT", "+18686224321"},
	};

	(void)state;
	check(cases);
}

static void the_prefix_for_abroad_is_a_plus(void **state)
{
	static const struct typed cases[] = {
		{"0044 20 7946 0958", "DE", "+442079460958"},
		{"0044 20 7946 0958", "", "+442079460958"},
		{"011 44 20 7946 0958", "US", "+442079460958"},
		{"0044 20 7946 0958", "US", "+442079460958"},
		{"0011 1 415 555 2671", "AU", "+14155552671"},
	};

	(void)state;
	check(cases);
}

static void what_would_have_to_be_guessed_is_refused(void **state)
{
	static const struct typed cases[] = {
		{"", "US", NULL},
		{"+", "US", NULL},
		{"unknown", "US", NULL},
		{"1-800-FLOWERS", "US", NULL},
		{"415 555 2671 x12", "US", NULL},
		{"555-2671", "US", NULL},
		{"015 555 2671", "US", NULL},
		{"415 555 26711", "US", NULL},
		{"4155552671", "", NULL},
		{"4155552671", NULL, NULL},
		{"+1+4155552671", "US", NULL},
		{"415+5552671", "US", NULL},
		{"+0415555267", "US", NULL},
		{"0049 0", "DE", NULL},
		{"12345678901234", "GB", NULL},
		{"1234567890123456789012345678901234567890", "GB", NULL},
		{"+1234567890123456", "US", NULL},
		{"020 7946 0958; 020 7946 0959", "GB", NULL},
		{"\xc2", "US", NULL},
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
		{"+14155552671", "US", "+14155552671"},
		{"+390612345678", "US", "+390612345678"},
		{"+15550001234", "GB", "+15550001234"},
	};

	(void)state;
	check(cases);
}

/* 1831 hides the caller in Australia, but is no prefix of the Cocos Islands, which share +61. */
static void what_another_country_of_the_code_reads_otherwise_is_read_once(void **state)
{
	char number[NUMBER_SIZE], again[NUMBER_SIZE];

	(void)state;
	assert_int_equal(number_normalise("0183116359", "CC", number), 0);
	assert_int_equal(number_normalise(number, "CC", again), 0);
	assert_string_equal(number, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e164_numbers_have_a_plus_and_seven_to_fifteen_digits),
		cmocka_unit_test(marks_between_digits_are_left_out),
		cmocka_unit_test(a_number_at_home_gets_its_country),
		cmocka_unit_test(a_zero_that_is_of_the_number_is_kept),
		cmocka_unit_test(a_zero_in_brackets_is_left_out_only_where_it_may_be),
		cmocka_unit_test(digits_of_other_scripts_are_digits),
		cmocka_unit_test(what_a_country_dials_differently_at_home_is_known),
		cmocka_unit_test(the_prefix_for_abroad_is_a_plus),
		cmocka_unit_test(what_would_have_to_be_guessed_is_refused),
		cmocka_unit_test(a_normalised_number_stays_as_it_is),
		cmocka_unit_test(
			what_another_country_of_the_code_reads_otherwise_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
