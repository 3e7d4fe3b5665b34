/* test_numbering.c: dialer/numbering.h. */
#include "dialer/numbering.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dialer/number.h"
#include "unit/cmocka_all.h"

struct vector {
	const char *number, *country;
	enum numbering_kind kind;
	bool possible;
	const char *
		national; /* as typed at home; "" when the library does not read it back */
	const char *zones;
};

static const struct vector vectors[] = {
#include "unit/numbering_vectors.inc"
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void zones_text(const struct numbering *found, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < found->zone_count; i++) {
		len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : " ",
			found->zones[i]);
		assert_true(len < size);
	}
}

static void numbers_are_judged_as_libphonenumber_judges_them(void **state)
{
	struct numbering found;

	(void)state;
	assert_true(VECTORS > 1000);
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		bool valid = v->kind != NUMBERING_UNKNOWN;

		assert_int_equal(numbering_lookup(v->number, &found), 0);
		if (found.valid != valid || found.possible != v->possible ||
			(valid && found.kind != v->kind) ||
			(valid && strcmp(found.country, v->country) != 0))
			fail_msg("%s: kind %d possible %d country %s, not %d %d %s",
				v->number, (int)found.kind, found.possible, found.country,
				(int)v->kind, v->possible, v->country);
	}
}

static void zones_are_those_of_libphonenumber(void **state)
{
	struct numbering found;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		if (vectors[i].kind == NUMBERING_UNKNOWN)
			continue;
		assert_int_equal(numbering_lookup(vectors[i].number, &found), 0);
		zones_text(&found, text, sizeof(text));
		if (strcmp(text, vectors[i].zones) != 0)
			fail_msg("%s: %s, not %s", vectors[i].number, text,
				vectors[i].zones);
	}
}

static void what_is_typed_at_home_becomes_the_number(void **state)
{
	char number[NUMBER_SIZE] = "";
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];

		if (v->national[0] == '\0')
			continue;
		count++;
		if (number_normalise(v->national, v->country, number) < 0 ||
			strcmp(number, v->number) != 0)
			fail_msg("%s in %s: %s, not %s", v->national, v->country, number,
				v->number);
	}
	assert_true(count > 500);
}

static void a_number_without_its_plus_is_known_by_its_code(void **state)
{
	char number[NUMBER_SIZE];

	(void)state;
	assert_int_equal(number_normalise("447400123456", "GB", number), 0);
	assert_string_equal(number, "+447400123456");
	assert_int_equal(number_normalise("14155552671", "US", number), 0);
	assert_string_equal(number, "+14155552671");
}

static void the_newest_area_codes_are_known(void **state)
{
	/* What data of 2022 took for invalid. */
	static const struct {
		const char *number, *zone;
	} cases[] = {
		{"+19835550123", "America/Denver"},
		{"+13245550123", "America/New_York"},
		{"+16865550123", "America/New_York"},
		{"+16455550123", "America/New_York"},
		{"+17305550123", "America/Chicago"},
	};
	struct numbering found;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(numbering_lookup(cases[i].number, &found), 0);
		assert_true(found.valid);
		assert_string_equal(found.country, "US");
		assert_int_equal(found.zone_count, 1);
		assert_string_equal(found.zones[0], cases[i].zone);
	}
}

static void a_number_that_does_not_tell_its_zone_has_all_of_them(void **state)
{
	struct numbering found;

	(void)state;
	assert_int_equal(numbering_lookup("+12085550123", &found), 0); /* Idaho */
	assert_int_equal(found.zone_count, 2);
	assert_string_equal(found.zones[0], "America/Boise");
	assert_string_equal(found.zones[1], "America/Los_Angeles");
	assert_int_equal(numbering_lookup("+15550100001", &found), 0); /* nowhere */
	assert_false(found.valid);
	assert_true(found.possible);
	assert_int_equal(found.kind, NUMBERING_UNASSIGNED);
	assert_true(found.zone_count > 20);
	assert_string_equal(found.calling_code, "1");
}

static void what_no_plan_knows_is_impossible(void **state)
{
	struct numbering found = {.country = "old"};

	(void)state;
	assert_int_equal(numbering_lookup("4155552671", &found), -EINVAL);
	assert_int_equal(numbering_lookup("+1415", &found), -EINVAL);
	assert_string_equal(found.country, "old");
	assert_int_equal(numbering_lookup("+9991234567", &found), 0);
	assert_false(found.possible);
	assert_string_equal(found.country, "");
	assert_string_equal(found.calling_code, "");
	assert_int_equal(found.zone_count, 0);
	assert_int_equal(numbering_lookup("+441234", &found), -EINVAL);
	assert_int_equal(numbering_lookup("+44123456", &found), 0);
	assert_false(found.possible);
	assert_string_equal(found.calling_code, "44");
}

static void a_number_of_no_country_has_none(void **state)
{
	struct numbering found;

	(void)state;
	assert_int_equal(numbering_lookup("+80012345678", &found), 0);
	assert_true(found.valid);
	assert_int_equal(found.kind, NUMBERING_TOLL_FREE);
	assert_string_equal(found.country, "");
}

static void countries_are_named_by_letters_or_code(void **state)
{
	(void)state;
	assert_string_equal(numbering_country("gb"), "GB");
	assert_string_equal(numbering_country("44"), "GB");
	assert_string_equal(numbering_country("1"), "US");
	assert_string_equal(numbering_country("CA"), "CA");
	assert_null(numbering_country("UK"));
	assert_null(numbering_country(""));
	assert_null(numbering_country("800"));
	assert_null(numbering_country("999"));
	assert_null(numbering_country("4"));
	assert_null(numbering_country("1868"));
	assert_null(numbering_country("+44"));
	assert_string_equal(numbering_calling_code("TT"), "1");
	assert_string_equal(numbering_area("TT"), "868");
	assert_string_equal(numbering_area("US"), "");
	assert_string_equal(numbering_calling_code("XX"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_judged_as_libphonenumber_judges_them),
		cmocka_unit_test(zones_are_those_of_libphonenumber),
		cmocka_unit_test(what_is_typed_at_home_becomes_the_number),
		cmocka_unit_test(a_number_without_its_plus_is_known_by_its_code),
		cmocka_unit_test(the_newest_area_codes_are_known),
		cmocka_unit_test(a_number_that_does_not_tell_its_zone_has_all_of_them),
		cmocka_unit_test(what_no_plan_knows_is_impossible),
		cmocka_unit_test(a_number_of_no_country_has_none),
		cmocka_unit_test(countries_are_named_by_letters_or_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
