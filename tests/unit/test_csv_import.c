/* test_csv_import.c: gateway/csv_import.h. */
#include "gateway/csv_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

static struct csv_import read_file(const char *text)
{
	struct csv_import import = {.contacts = NULL};
	struct err err = {{0}};

	assert_int_equal(csv_import_read(text, strlen(text), "US", &import, &err), 0);
	return import;
}

static void columns_are_found_by_name_in_any_order_and_case(void **state)
{
	struct csv_import import = read_file("E-Mail,Last Name,notes,PHONE,first_name\n"
					     "a@example.com,Doe,x,415 555 2671,Jo\n");

	(void)state;
	assert_int_equal(import.count, 1);
	assert_string_equal(import.contacts[0].phone, "+14155552671");
	assert_string_equal(import.contacts[0].first_name, "Jo");
	assert_string_equal(import.contacts[0].last_name, "Doe");
	assert_string_equal(import.contacts[0].email, "a@example.com");
	csv_import_free(&import);
}

static void quotes_line_ends_delimiters_and_a_mark_are_understood(void **state)
{
	static const char *const files[] = {
		"\xef\xbb\xbfphone,first_name\r\n+14155552671,\"Ann \"\"A\"\", B\"\r\n",
		"phone;first_name\n+14155552671;\"Ann \"\"A\"\", B\"\n",
		"phone\tfirst_name\n+14155552671\t\"Ann \"\"A\"\", B\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct csv_import import = read_file(files[i]);

		assert_int_equal(import.count, 1);
		assert_string_equal(import.contacts[0].first_name, "Ann \"A\", B");
		csv_import_free(&import);
	}
}

static void bad_rows_are_counted_and_the_first_ten_explained(void **state)
{
	char file[1024] = "phone\n+14155552671\n";
	struct csv_import import;

	(void)state;
	for (int i = 0; i < 12; i++)
		strcat(file, "nonsense\n");
	import = read_file(file);
	assert_int_equal(import.rows, 13);
	assert_int_equal(import.count, 1);
	assert_int_equal(import.error_count, 12);
	assert_int_equal(import.errors[0].row, 3);
	assert_int_equal(import.errors[CSV_ERRORS_MAX - 1].row, 12);
	assert_non_null(strstr(import.errors[0].reason, "nonsense"));
	csv_import_free(&import);
}

static void a_row_that_is_no_utf_8_does_not_spoil_the_file(void **state)
{
	static const char *const broken[] = {
		"\xe9",             /* Latin-1 */
		"\xc0\xaf",         /* longer than needed */
		"\xed\xa0\x80",     /* half of a pair of UTF-16 */
		"\xf4\x90\x80\x80", /* beyond the last character */
		"\xe2\x82",         /* cut off */
		"\x01",
	};
	char file[256];

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct csv_import import;

		(void)snprintf(file, sizeof(file),
			"phone,first_name\n+14155552671,%s\n+14155552672,Ren\xc3\xa9\n",
			broken[i]);
		import = read_file(file);
		assert_int_equal(import.count, 1);
		assert_string_equal(import.contacts[0].phone, "+14155552672");
		assert_int_equal(import.error_count, 1);
		assert_int_equal(import.errors[0].row, 2);
		csv_import_free(&import);
	}
}

static void long_fields_are_cut_between_characters(void **state)
{
	char file[512] = "phone,first_name\n+14155552671,a";
	struct csv_import import;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(file, "\xc3\xa9");
	import = read_file(file);
	assert_int_equal(import.count, 1);
	assert_int_equal(strlen(import.contacts[0].first_name), 63);
	csv_import_free(&import);
}

static void a_long_wrong_number_is_shown_as_text(void **state)
{
	char file[512] = "phone\na";
	struct csv_import import;
	size_t len;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(file, "\xc3\xa9");
	import = read_file(file);
	assert_int_equal(import.error_count, 1);
	/* 'a' and 15 whole characters: the 16th would end in the middle. */
	len = strcspn(import.errors[0].reason, ":");
	assert_int_equal(len, 31);
	csv_import_free(&import);
}

static void a_file_without_phones_or_with_an_open_quote_is_refused(void **state)
{
	static const char *const files[] = {
		"", "\n", "name\nx\n", "phone\n\"+14155552671", "phone\n\"a\"b\n"};
	struct csv_import import = {.count = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct err err = {{0}};

		assert_int_equal(
			csv_import_read(files[i], strlen(files[i]), "US", &import, &err),
			-EINVAL);
		assert_true(strlen(err.text) > 0);
		assert_int_equal(import.count, 77);
	}
}

static void empty_rows_are_no_contacts(void **state)
{
	struct csv_import import =
		read_file("phone,email\n\n+14155552671,\n,\n\n+14155552672,\n");

	(void)state;
	assert_int_equal(import.count, 2);
	assert_int_equal(import.error_count, 0);
	csv_import_free(&import);
}

static void many_rows_are_kept(void **state)
{
	char *file = malloc(20 * 5001), *at = file;
	struct csv_import import;

	(void)state;
	assert_non_null(file);
	at += sprintf(at, "phone\n");
	for (int i = 0; i < 5000; i++)
		at += sprintf(at, "+1415555%04d\n", i);
	import = read_file(file);
	assert_int_equal(import.count, 5000);
	assert_string_equal(import.contacts[4999].phone, "+14155554999");
	csv_import_free(&import);
	csv_import_free(&import);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_name_in_any_order_and_case),
		cmocka_unit_test(quotes_line_ends_delimiters_and_a_mark_are_understood),
		cmocka_unit_test(bad_rows_are_counted_and_the_first_ten_explained),
		cmocka_unit_test(a_row_that_is_no_utf_8_does_not_spoil_the_file),
		cmocka_unit_test(long_fields_are_cut_between_characters),
		cmocka_unit_test(a_long_wrong_number_is_shown_as_text),
		cmocka_unit_test(a_file_without_phones_or_with_an_open_quote_is_refused),
		cmocka_unit_test(empty_rows_are_no_contacts),
		cmocka_unit_test(many_rows_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
