/* test_csv_write.c: cells that any reader takes apart again, and no spreadsheet runs. */
#include "gateway/csv_write.h"

#include "unit/cmocka_all.h"

static const char *row_of(const char *a, const char *b)
{
	static struct buf out;

	buf_free(&out);
	csv_cell(&out, a);
	csv_cell(&out, b);
	csv_end_row(&out);
	return out.data;
}

static void cells_are_separated_and_rows_end_in_crlf(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_string_equal(row_of("a", "b c"), "a,b c\r\n");
	assert_string_equal(row_of("", ""), "\"\",\r\n");
	csv_cell(&out, "1");
	csv_end_row(&out);
	csv_cell(&out, "2");
	csv_cell(&out, "3");
	csv_end_row(&out);
	assert_string_equal(out.data, "1\r\n2,3\r\n");
	buf_free(&out);
}

static void what_would_break_a_row_is_quoted(void **state)
{
	(void)state;
	assert_string_equal(
		row_of("a,b", "say \"hi\""), "\"a,b\",\"say \"\"hi\"\"\"\r\n");
	assert_string_equal(row_of("a\nb", "a\r\nb"), "\"a\nb\",\"a\r\nb\"\r\n");
	assert_string_equal(row_of(" a", "\xc3\xa9"), "\" a\",\xc3\xa9\r\n");
}

static void what_a_spreadsheet_would_run_is_text(void **state)
{
	(void)state;
	assert_string_equal(row_of("=1+2", "@SUM(A1)"), "\"'=1+2\",\"'@SUM(A1)\"\r\n");
	assert_string_equal(row_of("+1+cmd|' /C calc'!A0", "-1"),
		"\"'+1+cmd|' /C calc'!A0\",\"'-1\"\r\n");
	assert_string_equal(row_of("\t=1", "\r=1"), "\"'\t=1\",\"'\r=1\"\r\n");
	assert_string_equal(row_of("=HYPERLINK(\"http://x\",\"y\")", "+"),
		"\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",\"'+\"\r\n");
}

static void a_telephone_number_stays_one(void **state)
{
	(void)state;
	assert_string_equal(row_of("+15551230001", "a=b"), "+15551230001,a=b\r\n");
	assert_string_equal(
		row_of("+1555 123", "+1555\n=1"), "\"'+1555 123\",\"'+1555\n=1\"\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_separated_and_rows_end_in_crlf),
		cmocka_unit_test(what_would_break_a_row_is_quoted),
		cmocka_unit_test(what_a_spreadsheet_would_run_is_text),
		cmocka_unit_test(a_telephone_number_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
