/* test_import_rows.c: gateway/import_rows.h and import_text.h: files of every kind to rows. */
#include "gateway/import_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit/cmocka_all.h"

/* What the callbacks were told, as text: "phone,name|2:a,b|3:c,|" */
static struct buf told;
static struct err problem;
static int rows;

static int on_column(void *arg, size_t index, const char *name, struct err *err)
{
	(void)arg;
	(void)err;
	buf_printf(&told, "%s%s", index == 0 ? "" : ",", name);
	return 0;
}

static int on_row(void *arg, const struct import_row *row)
{
	static const char *const troubles[] = {"", "long ", "wide ", "bytes ", "object "};

	(void)arg;
	rows++;
	buf_printf(&told, "|%lld:%s", (long long)row->number, troubles[row->trouble]);
	for (size_t i = 0; i < row->count && row->trouble == IMPORT_ROW_GOOD; i++) {
		assert_int_equal(strlen(row->fields[i].text), row->fields[i].len);
		buf_printf(&told, "%s%s", i == 0 ? "" : ",", row->fields[i].text);
	}
	return rows == -1 ? -EIO : 0;
}

static int on_member(void *arg, const char *name, const json_t *value, struct err *err)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	(void)arg;
	(void)err;
	buf_printf(&told, "<%s=%s>", name, text);
	free(text);
	return 0;
}

static int on_progress(void *arg, int64_t done)
{
	(void)arg;
	assert_true(done > 0);
	return 0;
}

static struct import_reader reader;

static int read_bytes(const char *data, size_t len, bool json)
{
	int rc, fd = memfd_create("upload", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	buf_reset(&told);
	memset(&problem, 0, sizeof(problem));
	rows = 0;
	reader.fd = fd;
	reader.size = (int64_t)len;
	reader.column = on_column;
	reader.row = on_row;
	reader.member = on_member;
	reader.progress = on_progress;
	rc = json ? import_read_json(&reader, &problem)
		  : import_read_csv(&reader, &problem);
	(void)close(fd);
	return rc;
}

static int setup(void **state)
{
	(void)state;
	memset(&reader, 0, sizeof(reader));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&told);
	return 0;
}

static void expect_csv_bytes(const char *data, size_t len, const char *expected)
{
	assert_int_equal(read_bytes(data, len, false), 0);
	assert_string_equal(told.data == NULL ? "" : told.data, expected);
}

#define expect_csv(text, expected) expect_csv_bytes(text, sizeof(text) - 1, expected)

static void expect_broken(const char *data, size_t len, bool json, const char *why)
{
	assert_int_equal(read_bytes(data, len, json), -EINVAL);
	if (strstr(problem.text, why) == NULL)
		fail_msg("\"%s\" is not in: %s", why, problem.text);
}

static void quotes_line_ends_and_delimiters_are_understood(void **state)
{
	(void)state;
	expect_csv("phone,name\r\n1,\"a \"\"b\"\", c\"\r\n", "phone,name|2:1,a \"b\", c");
	expect_csv("phone;name\n1;\"x;y\nz\"\n2;", "phone,name|2:1,x;y\nz|3:2,");
	expect_csv("phone\tname\r1\ta,b\r", "phone,name|2:1,a,b");
	expect_csv("phone|name\n1|\"a|b\"", "phone,name|2:1,a|b");
	expect_csv("\xef\xbb\xbf\"phone\",name\n1,x\n", "phone,name|2:1,x");
	expect_csv("sep=;\r\nphone;a,b\r\n1;x\r\n", "phone,a,b|2:1,x");
	assert_int_equal(reader.found_delimiter, ';');
	expect_csv("phone\n1\n\n2\n", "phone|2:1|3:2");
}

static void rows_may_be_short_empty_or_too_wide(void **state)
{
	(void)state;
	expect_csv("a,b,c\n1\n,,\n1,2,3,,,\n1,2,3,4\n", "a,b,c|2:1,,|4:1,2,3|5:wide ");
	expect_csv("a,b\n", "a,b");
	reader.no_header = true;
	expect_csv("1,2\n3,4\n", "1,2|1:1,2|2:3,4");
}

static void a_told_delimiter_is_not_looked_for(void **state)
{
	(void)state;
	reader.delimiter = ':';
	expect_csv("a:b,c\n1:2,3\n", "a,b,c|2:1,2,3");
	assert_int_equal(reader.found_delimiter, ':');
}

static void each_encoding_becomes_utf8(void **state)
{
	static const char le[] = "\xff\xfe"
				 "a\0,\0b\0\n\0"
				 "1\0,\0\xe9\0\n\0";
	static const char be[] = "\0a\0\n\0\xe9\0\n\xd8\x3d\xde\x01";

	(void)state;
	expect_csv("a,b\n1,\xc3\xa9\n", "a,b|2:1,\xc3\xa9");
	expect_csv("a,b\n1,\xe9\x80\n2,\xc3\xa9\n",
		"a,b|2:1,\xc3\xa9\xe2\x82\xac|3:2,\xc3\xa9");
	expect_csv_bytes(le, sizeof(le) - 1, "a,b|2:1,\xc3\xa9");
	assert_int_equal(reader.found, IMPORT_UTF16LE);
	expect_csv_bytes(be, sizeof(be) - 1, "a|2:\xc3\xa9|3:\xf0\x9f\x98\x81");
	assert_int_equal(reader.found, IMPORT_UTF16BE);
	reader.encoding = IMPORT_CP1252;
	expect_csv("a\n\xc3\xa9\n", "a|2:\xc3\x83\xc2\xa9");
	reader.encoding = IMPORT_UTF8;
	expect_csv("a\n\xe9\nb\n", "a|2:bytes |3:b");
}

static void bytes_that_are_no_text_spoil_their_row_alone(void **state)
{
	static const char odd[] = "\xff\xfe"
				  "a\0\n\0"
				  "1\0\n\0"
				  "2";
	static const char half[] = "\xff\xfe"
				   "a\0\n\0\x3d\xd8"
				   "1\0\n\0"
				   "2\0\n\0";

	(void)state;
	expect_csv("a\nx\0y\n\x01\n\x81\nok\n", "a|2:bytes |3:bytes |4:bytes |5:ok");
	expect_csv("a\n\xed\xa0\x80\n\xf4\x90\x80\x80\n",
		"a|2:\xc3\xad\xc2\xa0\xe2\x82\xac|3:bytes ");
	expect_csv("p,\x80\0q,\xe9\n1,2,3\n", "p,,\xc3\xa9|2:1,2,3");
	expect_csv_bytes(odd, sizeof(odd) - 1, "a|2:1|3:bytes ");
	expect_csv_bytes(half, sizeof(half) - 1, "a|2:bytes |3:2");
}

static void a_broken_file_says_where(void **state)
{
	char *wide = calloc(1, 20001);

	(void)state;
	expect_broken("", 0, false, "empty");
	expect_broken("a,b\n1,2\n3,\"4\n5,6\n", 18, false, "Row 3");
	expect_broken("a\n\"x\"y\n", 7, false, "Row 2");
	memset(wide, ',', 20000);
	expect_broken(wide, 20000, false, "more than 250 columns");
	free(wide);
}

static void a_quote_that_swallows_the_file_is_noticed(void **state)
{
	size_t len = 10 * 1024 * 1024;
	char *text = malloc(len);

	(void)state;
	memset(text, 'x', len);
	memcpy(text, "a\n\"", 3);
	expect_broken(text, len, false, "more than a megabyte");
	memcpy(text, "a\nb", 3);
	text[len - 1] = '\n';
	expect_broken(text, len, false, "more than a megabyte");
	text[200 * 1024] = '\n';
	text[200 * 1024 + 2] = '\n';
	memset(text + 200 * 1024 + 3, '\n', len - 200 * 1024 - 3);
	assert_int_equal(read_bytes(text, len, false), 0);
	assert_string_equal(told.data, "a|2:long |3:x");
	free(text);
}

static void rows_across_chunks_are_whole(void **state)
{
	struct buf text = {0};
	char row[64];

	(void)state;
	buf_add_str(&text, "a,b\n");
	for (int i = 0; i < 60000; i++)
		buf_printf(&text, "%d,\"v\n%d\"\r\n", i, i);
	assert_int_equal(read_bytes(text.data, text.len, false), 0);
	assert_int_equal(rows, 60000);
	(void)snprintf(row, sizeof(row), "|60001:59999,v\n59999");
	assert_non_null(strstr(told.data, row));
	buf_free(&text);
}

static void expect_json(const char *text, const char *expected)
{
	assert_int_equal(read_bytes(text, strlen(text), true), 0);
	assert_string_equal(told.data == NULL ? "" : told.data, expected);
}

static void json_contacts_become_rows(void **state)
{
	(void)state;
	expect_json(
		"{\"contacts\":[{\"phone\":\"1\",\"n\":2},{\"n\":1.5,\"x\":true,\"phone\":null}]}",
		"phone,n|1:1,2,x|2:,1.5,true");
	expect_json(
		" {\"a\" : {\"b\":[1,\"]}\\\"\"]}, \"contacts\" : [ ] , \"z\":null } \n",
		"<a={\"b\":[1,\"]}\\\"\"]}><z=null>");
	expect_json(
		"\xef\xbb\xbf{\"contacts\":[{\"customFields\":{\"k\":\"v\"},\"p\":1}]}",
		"customFields.k,p|1:v,1");
	expect_json(
		"{\"contacts\":[7,[1],{\"a\":{\"b\":1}},{\"a\":\"\\u0000\"},{\"a\":\"x\"}]}",
		"|1:object |2:object a|3:object |4:bytes |5:x");
}

/* 64 bytes are kept: the 32nd letter of two bytes would be cut in the middle. */
static void a_long_name_in_json_is_cut_between_letters(void **state)
{
	char letters[64] = "", text[128], expected[128];

	(void)state;
	for (int i = 0; i < 31; i++)
		(void)strcat(letters, "\xc3\xa9");
	(void)snprintf(
		text, sizeof(text), "{\"contacts\":[{\"x%s\xc3\xa9\":1}]}", letters);
	(void)snprintf(expected, sizeof(expected), "x%s|1:1", letters);
	expect_json(text, expected);
}

static void custom_fields_have_names_of_their_own(void **state)
{
	(void)state;
	expect_json(
		"{\"contacts\":[{\"phone\":1,\"customFields\":{\"phone\":2,\"x\":3},\"x\":4}]}",
		"phone,customFields.phone,customFields.x,x|1:1,2,3,4");
	expect_json("{\"contacts\":[{\"custom\":{\"phone\":2},\"phone\":1}]}",
		"customFields.phone,phone|1:2,1");
}

/* Fields that share a column are many more than columns; the last one counts. */
static void a_contact_may_say_its_numbers_more_than_once(void **state)
{
	struct buf text = {0}, expected = {0};

	(void)state;
	buf_add_str(&text, "{\"contacts\":[{\"phone\":\"1\"");
	for (int part = 1; part < 3; part++) {
		static const char *const opening[] = {
			"", ",\"customFields\":{", ",\"custom\":{"};

		buf_add_str(&text, opening[part]);
		for (int i = 1; i <= 240; i++)
			buf_printf(&text, "%s\"c%d\":%d", i == 1 ? "" : ",", i,
				part * 1000 + i);
		buf_add_str(&text, "}");
	}
	buf_add_str(&text, "}]}");
	buf_add_str(&expected, "phone");
	for (int i = 1; i <= 240; i++)
		buf_printf(&expected, ",customFields.c%d", i);
	buf_add_str(&expected, "|1:1");
	for (int i = 1; i <= 240; i++)
		buf_printf(&expected, ",%d", 2000 + i);
	expect_json(text.data, expected.data);
	buf_free(&text);
	buf_free(&expected);
}

static void numbers_under_names_that_are_cut_to_one_are_one_field(void **state)
{
	struct buf text = {0};
	char name[65], expected[128];

	(void)state;
	memset(name, 'n', 64);
	name[64] = '\0';
	buf_add_str(&text, "{\"contacts\":[{\"phone\":7.5");
	for (int i = 1; i <= 400; i++)
		buf_printf(&text, ",\"%s%d\":%d", name, i, i);
	buf_add_str(&text, "}]}");
	(void)snprintf(expected, sizeof(expected), "phone,%s|1:7.5,400", name);
	expect_json(text.data, expected);
	buf_free(&text);
}

static void json_that_is_broken_says_why(void **state)
{
	static const char *const broken[][2] = {
		{"", "empty"},
		{"[]", "no '{'"},
		{"{", "too early"},
		{"{\"contacts\"", "too early"},
		{"{\"contacts\":[", "too early"},
		{"{\"contacts\":[{\"a\":1}", "too early"},
		{"{\"contacts\":[{\"a\":1}]", "too early"},
		{"{\"contacts\":[{\"a\":1}}]}", "no ','"},
		{"{\"contacts\":[{\"a\" 1}]}", "no valid JSON"},
		{"{\"contacts\":[1,]}", "no valid JSON"},
		{"{\"contacts\":{}}", "no '['"},
		{"{\"contacts\":[]}}", "follows its end"},
		{"{\"contacts\":[],}", "nothing follows"},
		{"{\"contacts\":[] \"a\":1}", "no ','"},
		{"{\"contacts\":[],\"contacts\":[]}", "two arrays"},
		{"{1:2}", "no name"},
		{"{\"a\":1}", "no array named contacts"},
		{"{\"a\":}", "no valid JSON"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		expect_broken(broken[i][0], strlen(broken[i][0]), true, broken[i][1]);
}

static void json_of_any_size_is_read_piece_by_piece(void **state)
{
	struct buf text = {0};
	char *filler = calloc(1, 70001);

	(void)state;
	memset(filler, 'x', 70000);
	buf_add_str(&text, "{\"contacts\":[");
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "{\"phone\":\"%d\",\"note\":\"{[,]}\\\\\\\"\"},", i);
	buf_printf(&text, "{\"phone\":\"%s\"},{\"phone\":\"last\"}]}", filler);
	assert_int_equal(read_bytes(text.data, text.len, true), 0);
	assert_int_equal(rows, 20002);
	assert_non_null(strstr(told.data, "|20001:long |20002:last,"));
	buf_reset(&text);
	buf_printf(&text, "{\"a\":\"%s\",\"contacts\":[]}", filler);
	expect_broken(text.data, text.len, true, "too large");
	buf_free(&text);
	free(filler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			quotes_line_ends_and_delimiters_are_understood, setup),
		cmocka_unit_test_setup(rows_may_be_short_empty_or_too_wide, setup),
		cmocka_unit_test_setup(a_told_delimiter_is_not_looked_for, setup),
		cmocka_unit_test_setup(each_encoding_becomes_utf8, setup),
		cmocka_unit_test_setup(
			bytes_that_are_no_text_spoil_their_row_alone, setup),
		cmocka_unit_test_setup(a_broken_file_says_where, setup),
		cmocka_unit_test_setup(a_quote_that_swallows_the_file_is_noticed, setup),
		cmocka_unit_test_setup(rows_across_chunks_are_whole, setup),
		cmocka_unit_test_setup(json_contacts_become_rows, setup),
		cmocka_unit_test_setup(a_long_name_in_json_is_cut_between_letters, setup),
		cmocka_unit_test_setup(
			a_contact_may_say_its_numbers_more_than_once, setup),
		cmocka_unit_test_setup(custom_fields_have_names_of_their_own, setup),
		cmocka_unit_test_setup(
			numbers_under_names_that_are_cut_to_one_are_one_field, setup),
		cmocka_unit_test_setup(json_that_is_broken_says_why, setup),
		cmocka_unit_test_setup(json_of_any_size_is_read_piece_by_piece, setup),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
