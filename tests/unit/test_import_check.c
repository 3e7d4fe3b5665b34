/* test_import_check.c: gateway/import_columns.h, import_check.h, import_seen.h. */
#include "gateway/import_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/contacts.h"
#include "gateway/import_seen.h"
#include "gateway/zones.h"
#include "unit/cmocka_all.h"

static struct import_columns columns; /* large, so not on the stack */
static struct import_row row;
static struct err problem;

static int add_column(const char *name, const char *mapping)
{
	json_t *map = mapping == NULL ? NULL : json_loads(mapping, 0, NULL);
	int rc = import_columns_add(&columns, name, map, &problem);

	json_decref(map);
	return rc;
}

static void expect_targets(const char *names, const char *expected)
{
	char copy[256], text[256] = "", *save = NULL;

	memset(&columns, 0, sizeof(columns));
	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strtok_r(copy, ",", &save); name != NULL;
		name = strtok_r(NULL, ",", &save))
		assert_int_equal(add_column(name, NULL), 0);
	for (size_t i = 0; i < columns.count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			i == 0 ? "" : ",", import_target_name(columns.targets[i]));
	assert_string_equal(text, expected);
}

static void columns_are_known_by_what_people_call_them(void **state)
{
	(void)state;
	expect_targets("E-Mail,Last Name,notes,PHONE,first_name",
		"email,lastName,custom,phone,firstName");
	expect_targets(
		"Vorname,Nachname,Rufnummer,Land", "firstName,lastName,phone,country");
	expect_targets("Name,Tel.,Time-Zone,--", "fullName,phone,timeZone,ignore");
	expect_targets("Pr\xc3\xa9nom,T\xc3\xa9l\xc3\xa9phone", "firstName,phone");
}

static void of_two_columns_the_better_named_counts(void **state)
{
	(void)state;
	expect_targets("mobile,phone,work phone", "custom,phone,custom");
	expect_targets("phone,phone", "phone,custom");
	assert_string_equal(columns.names[1], "phone");
	expect_targets("notes,Notes,notes,notes", "custom,custom,custom,custom");
	assert_string_equal(columns.names[1], "Notes");
	assert_string_equal(columns.names[2], "notes 2");
	assert_string_equal(columns.names[3], "notes 3");
	/* The first one had the field until a better named one came. */
	expect_targets("E-Mail Address,E-Mail Address,E-Mail", "custom,custom,email");
	assert_string_equal(columns.names[0], "E-Mail Address 2");
	assert_string_equal(columns.names[1], "E-Mail Address");
}

/* 30 letters of two bytes and one byte: a cut at 60 would be in the middle of the last. */
static void names_are_cut_between_letters(void **state)
{
	char name[64] = "x", names[129], cut[64];

	(void)state;
	for (int i = 0; i < 30; i++)
		(void)strcat(name, "\xc2\xb2");
	(void)snprintf(names, sizeof(names), "%s,%s", name, name);
	expect_targets(names, "custom,custom");
	assert_string_equal(columns.names[0], name);
	(void)snprintf(cut, sizeof(cut), "%.59s 2", name);
	assert_string_equal(columns.names[1], cut);
}

static void names_stand_in_one_line(void **state)
{
	(void)state;
	expect_targets("two\nlines\t,two lines \x7f", "custom,custom");
	assert_string_equal(columns.names[0], "two lines ");
	assert_string_equal(columns.names[1], "two lines  ");
}

static void a_mapping_goes_before_guesses(void **state)
{
	static const char mapping[] =
		"{\"Fon\":\"phone\",\"phone\":\"custom:Old phone\",\"x\":\"ignore\"}";

	(void)state;
	memset(&columns, 0, sizeof(columns));
	assert_int_equal(add_column("phone", mapping), 0);
	assert_int_equal(add_column("Fon", mapping), 0);
	assert_int_equal(add_column("x", mapping), 0);
	assert_int_equal(add_column("mobile", mapping), 0);
	assert_int_equal(import_columns_find(&columns, IMPORT_PHONE), 1);
	assert_string_equal(columns.names[0], "Old phone");
	assert_int_equal(columns.targets[2], IMPORT_IGNORE);
	assert_int_equal(columns.targets[3], IMPORT_CUSTOM);
	memset(&columns, 0, sizeof(columns));
	assert_int_equal(add_column("a", "{\"a\":\"phone\",\"b\":\"phone\"}"), 0);
	assert_int_equal(add_column("b", "{\"a\":\"phone\",\"b\":\"phone\"}"), -EINVAL);
}

static void a_custom_field_is_a_field_only_where_the_mapping_says_so(void **state)
{
	static const char mapping[] = "{\"phone\":\"phone\",\"x\":\"email\"}";

	(void)state;
	expect_targets("customFields.phone,phone,customFields.name,customFields.--",
		"custom,phone,custom,custom");
	assert_string_equal(columns.names[0], "phone");
	expect_targets("color,customFields.color,color", "custom,custom,custom");
	assert_string_equal(columns.names[1], "color");
	assert_string_equal(columns.names[2], "color 2");
	for (int first = 0; first < 2; first++) {
		memset(&columns, 0, sizeof(columns));
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				add_column(i == first ? "phone" : "customFields.phone",
					mapping),
				0);
		assert_int_equal(import_columns_find(&columns, IMPORT_PHONE), first);
	}
	assert_int_equal(add_column("customFields.x", mapping), 0);
	assert_int_equal(columns.targets[2], IMPORT_EMAIL);
}

static void a_mapping_to_nowhere_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]", "{\"a\":1}", "{\"a\":\"fone\"}", "{\"a\":\"custom:\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *mapping = json_loads(bad[i], 0, NULL);

		assert_int_equal(import_mapping_check(mapping, &problem), -EINVAL);
		json_decref(mapping);
	}
}

/* ---- rows ---- */

static struct import_checker *checker;
static struct zones *zones;

static void start(const char *names, const struct import_rules *rules)
{
	char copy[256], *save = NULL;

	memset(&columns, 0, sizeof(columns));
	memset(&row, 0, sizeof(row));
	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strtok_r(copy, ",", &save); name != NULL;
		name = strtok_r(NULL, ",", &save))
		assert_int_equal(add_column(name, NULL), 0);
	row.number = 1;
	assert_int_equal(import_checker_new(rules, &columns, zones, &checker), 0);
}

static int check_row(const char *first, const char *second, struct db_import_row *staged)
{
	row.number++;
	row.count = columns.count;
	for (size_t i = 0; i < row.count; i++)
		row.fields[i] = (struct import_field){.text = ""};
	row.fields[0] = (struct import_field){first, strlen(first)};
	if (second != NULL)
		row.fields[1] = (struct import_field){second, strlen(second)};
	return import_check(checker, &row, staged);
}

static void expect_cause(const char *first, const char *second, const char *cause)
{
	struct db_import_row staged;
	int rc = check_row(first, second, &staged);
	enum import_cause found = import_checker_cause(checker, row.number);

	assert_string_equal(import_cause_name(found), cause);
	assert_int_equal(rc, cause[0] == '\0');
}

static void every_row_has_its_cause(void **state)
{
	struct import_rules rules = {.country = "US", .validate_emails = true};
	int64_t numbers[2], count;

	(void)state;
	start("phone,email", &rules);
	expect_cause("415 555 2671", "a@example.com", "");
	expect_cause("", "", "no_phone");
	expect_cause("  ", "", "no_phone");
	expect_cause("call me", "", "bad_phone");
	expect_cause("4.15555E+09", "", "bad_phone");
	expect_cause("+44 20 7946", "", "impossible_phone");
	expect_cause("(415) 555-2671", "", "duplicate_in_file");
	expect_cause("4155552672", "nobody", "bad_email");
	expect_cause("4155552672", "a@b", "bad_email");
	expect_cause("4155552672", "a b@example.com", "bad_email");
	expect_cause("4155552672", "a@b@example.com", "bad_email");
	expect_cause("4155552672", "", "");
	expect_cause("+15550100001", "", "");
	assert_int_equal(import_checker_unassigned(checker), 1);
	assert_int_equal(import_checker_seen(checker), 13);
	assert_int_equal(
		import_checker_rows(checker, IMPORT_BAD_EMAIL, &count, numbers, 2), 2);
	assert_true(count == 4 && numbers[0] == 9 && numbers[1] == 10);
	row.trouble = IMPORT_ROW_NOT_TEXT;
	expect_cause("4155552679", "", "not_text");
	import_checker_free(&checker);
	rules.require_valid = true;
	start("phone,email", &rules);
	expect_cause("+15550100001", "", "unassigned_phone");
	import_checker_free(&checker);
}

static void a_number_without_country_needs_one_from_somewhere(void **state)
{
	struct db_import_row staged;

	(void)state;
	start("phone,country", &(struct import_rules){.country = ""});
	expect_cause("020 7946 0958", "", "bad_phone");
	assert_int_equal(check_row("020 7946 0958", "gb", &staged), 1);
	assert_string_equal(staged.phone, "+442079460958");
	assert_string_equal(staged.country, "GB");
	assert_int_equal(check_row("030 901820", "49", &staged), 1);
	assert_string_equal(staged.phone, "+4930901820");
	expect_cause("020 7946 0958", "Atlantis", "bad_country");
	import_checker_free(&checker);
	/* Read as the list's it would be somebody's in Maine. */
	start("phone,country", &(struct import_rules){.country = "US"});
	expect_cause("2079460958", "United Kingdom", "bad_country");
	assert_int_equal(check_row("+442079460958", "United Kingdom", &staged), 1);
	assert_string_equal(staged.phone, "+442079460958");
	assert_int_equal(check_row("0044 20 7946 0959", "United Kingdom", &staged), 1);
	assert_string_equal(staged.phone, "+442079460959");
	/* Nor as one whose code it happens to begin with. */
	expect_cause("4930901820", "United States of America", "bad_country");
	expect_cause("4799234567", "United States of America", "bad_country");
	expect_cause("+44 20 7946", "Atlantis", "impossible_phone");
	assert_int_equal(check_row("4155552671", "", &staged), 1);
	assert_string_equal(staged.country, "US");
	import_checker_free(&checker);
}

static void another_number_of_the_row_stands_in(void **state)
{
	struct db_import_row staged;

	(void)state;
	start("mobile,phone", &(struct import_rules){.country = "US"});
	assert_int_equal(check_row("+14155552671", "+14155552672", &staged), 1);
	assert_string_equal(staged.phone, "+14155552672");
	assert_int_equal(check_row("+14155552673", "", &staged), 1);
	assert_string_equal(staged.phone, "+14155552673");
	assert_non_null(strstr(staged.custom, "\"mobile\":\"+14155552673\""));
	expect_cause("", "", "no_phone");
	import_checker_free(&checker);
	/* So does the country that is known. */
	start("phone,country,country code", &(struct import_rules){.country = "US"});
	row.number++;
	row.count = 3;
	row.fields[0] = (struct import_field){"020 7946 0958", 13};
	row.fields[1] = (struct import_field){"United Kingdom", 14};
	row.fields[2] = (struct import_field){"GB", 2};
	assert_int_equal(import_check(checker, &row, &staged), 1);
	assert_string_equal(staged.phone, "+442079460958");
	import_checker_free(&checker);
	/* What is no number by its name does not. */
	start("phone,note", &(struct import_rules){.country = "US"});
	expect_cause("", "+14155552671", "no_phone");
	import_checker_free(&checker);
}

static void zones_are_looked_up(void **state)
{
	struct db_import_row staged;

	(void)state;
	start("phone,tz", &(struct import_rules){.country = "US"});
	assert_int_equal(
		check_row("4155552671", "America/Argentina/Ushuaia", &staged), 1);
	assert_string_equal(staged.time_zone, "America/Argentina/Ushuaia");
	expect_cause("4155552672", "Mars/Base", "bad_time_zone");
	expect_cause("4155552672", "../../etc/passwd", "bad_time_zone");
	expect_cause("4155552672", "America", "bad_time_zone");
	expect_cause("4155552672", "localtime", "bad_time_zone");
	import_checker_free(&checker);
}

static void names_and_other_fields_are_kept(void **state)
{
	struct db_import_row staged;
	char long_name[300];

	(void)state;
	start("phone,name,note", &(struct import_rules){.country = "US"});
	row.fields[2] = (struct import_field){.text = ""};
	assert_int_equal(
		check_row("=\"4155552671\"", " Grace  Brewster Hopper ", &staged), 1);
	assert_string_equal(staged.phone, "+14155552671");
	assert_string_equal(staged.first_name, "Grace  Brewster");
	assert_string_equal(staged.last_name, "Hopper");
	assert_string_equal(staged.custom, "{}");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	long_name[62] = '\xc3';
	long_name[63] = '\xa9';
	assert_int_equal(check_row("4155552672", long_name, &staged), 1);
	assert_int_equal(strlen(staged.first_name), 62);
	import_checker_free(&checker);
	start("phone,no\"te", &(struct import_rules){.country = "US"});
	assert_int_equal(check_row("4155552671", "a\"b\\c\nd", &staged), 1);
	assert_string_equal(staged.custom, "{ \"no\\\"te\":\"a\\\"b\\\\c\\u000ad\"}");
	import_checker_free(&checker);
}

/* `{"note": "..."}` of 8,192 bytes, which the database shows. */
static void no_more_fields_are_taken_than_are_shown(void **state)
{
	struct db_import_row staged;
	char note[DB_CUSTOM_SIZE] = "";

	(void)state;
	start("phone,note", &(struct import_rules){.country = "US"});
	memset(note, 'x', DB_CUSTOM_SIZE - 1 - strlen("{ \"note\":\"\"}  "));
	assert_int_equal(check_row("4155552671", note, &staged), 1);
	(void)strcat(note, "x");
	expect_cause("4155552672", note, "too_long");
	import_checker_free(&checker);
}

static void the_last_may_win(void **state)
{
	(void)state;
	start("phone", &(struct import_rules){.country = "US", .last_wins = true});
	expect_cause("4155552671", NULL, "");
	assert_false(import_checker_repeated(checker));
	expect_cause("4155552671", NULL, "");
	assert_true(import_checker_repeated(checker));
	import_checker_free(&checker);
}

static void a_set_of_many_numbers_knows_each(void **state)
{
	struct import_seen seen = {.keys = NULL};

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		assert_int_equal(import_seen_add(&seen, 14155500000 + i), 1);
	for (uint64_t i = 1; i <= 100000; i += 7)
		assert_int_equal(import_seen_add(&seen, 14155500000 + i), 0);
	assert_int_equal(seen.count, 100000);
	import_seen_free(&seen);
	assert_null(seen.keys);
}

static int setup(void **state)
{
	struct err err;

	(void)state;
	return zones_load(ZONES_DIR, &zones, &err);
}

static int teardown(void **state)
{
	(void)state;
	zones_free(&zones);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_known_by_what_people_call_them),
		cmocka_unit_test(of_two_columns_the_better_named_counts),
		cmocka_unit_test(names_are_cut_between_letters),
		cmocka_unit_test(names_stand_in_one_line),
		cmocka_unit_test(a_mapping_goes_before_guesses),
		cmocka_unit_test(
			a_custom_field_is_a_field_only_where_the_mapping_says_so),
		cmocka_unit_test(a_mapping_to_nowhere_is_refused),
		cmocka_unit_test(every_row_has_its_cause),
		cmocka_unit_test(a_number_without_country_needs_one_from_somewhere),
		cmocka_unit_test(another_number_of_the_row_stands_in),
		cmocka_unit_test(zones_are_looked_up),
		cmocka_unit_test(names_and_other_fields_are_kept),
		cmocka_unit_test(no_more_fields_are_taken_than_are_shown),
		cmocka_unit_test(the_last_may_win),
		cmocka_unit_test(a_set_of_many_numbers_knows_each),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
