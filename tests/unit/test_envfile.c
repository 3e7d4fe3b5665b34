/* test_envfile.c: base/envfile.h. */
#include "base/envfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit/cmocka_all.h"

static void check_pair(const char *line, const char *expected_name, const char *expected)
{
	char copy[256], *name = NULL, *value = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	assert_int_equal(envfile_parse_line(copy, &name, &value), 1);
	assert_string_equal(name, expected_name);
	assert_string_equal(value, expected);
}

static void a_line_is_a_name_and_a_value(void **state)
{
	(void)state;
	check_pair("A=b", "A", "b");
	check_pair(" A_1\t=  b c \r", "A_1", "b c");
	check_pair("A=", "A", "");
	check_pair("A=b=c", "A", "b=c");
	check_pair("A=pass#word # too", "A", "pass#word # too");
	check_pair("A=it's", "A", "it's");
}

static void quotes_keep_white_space_and_let_a_comment_follow(void **state)
{
	(void)state;
	check_pair("A=\" b \"", "A", " b ");
	check_pair("A=' b \" ' # why", "A", " b \" ");
	check_pair("A=\"\"", "A", "");
	check_pair("A=\"b\"#c", "A", "b");
}

static void empty_lines_and_comments_say_nothing(void **state)
{
	static const char *const lines[] = {"", " \t\r", "#", "  # A=b"};
	char copy[32], *name = NULL, *value = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(copy, sizeof(copy), "%s", lines[i]);
		assert_int_equal(envfile_parse_line(copy, &name, &value), 0);
		assert_null(name);
	}
}

static void a_line_that_can_be_misread_is_refused(void **state)
{
	static const char *const lines[] = {"A", "=b", " = b", "A=\"b", "A='b' c",
		"A=\"b\" \"c\"", "export A=b", "\"A\"=b"};
	char copy[32], *name = NULL, *value = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(copy, sizeof(copy), "%s", lines[i]);
		assert_int_equal(envfile_parse_line(copy, &name, &value), -EINVAL);
		assert_null(name);
	}
}

/* ---- whole files ---- */

static char path[] = "/tmp/ovx-envfile-XXXXXX";
static struct buf heard;

static int hear(void *arg, const char *name, const char *value, unsigned line)
{
	(void)arg;
	buf_printf(&heard, "%u:%s=%s;", line, name, value);
	return strcmp(name, "STOP") == 0 ? -ECANCELED : 0;
}

static void write_file(const void *text, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	buf_reset(&heard);
	buf_add_str(&heard, "");
}

static int read_text(const char *text, struct err *err)
{
	write_file(text, strlen(text));
	return envfile_read(path, hear, NULL, err);
}

static void pairs_come_in_order_with_their_line(void **state)
{
	struct err err = {.text = ""};

	(void)state;
	assert_int_equal(read_text("# top\nA=1\n\nB=2\r\nA=3", &err), 0);
	assert_string_equal(heard.data, "2:A=1;4:B=2;5:A=3;");
	assert_int_equal(read_text("", &err), 0);
	assert_string_equal(heard.data, "");
}

static void a_wrong_line_stops_with_file_and_line(void **state)
{
	struct err err = {.text = ""};
	char expected[128];

	(void)state;
	assert_int_equal(read_text("A=1\nwhat\nB=2\n", &err), -EINVAL);
	assert_string_equal(heard.data, "1:A=1;");
	(void)snprintf(
		expected, sizeof(expected), "%s line 2: expected NAME=value", path);
	assert_memory_equal(err.text, expected, strlen(expected));
}

static void the_reader_may_stop(void **state)
{
	struct err err = {.text = "mine"};

	(void)state;
	assert_int_equal(read_text("A=1\nSTOP=1\nB=2\n", &err), -ECANCELED);
	assert_string_equal(heard.data, "1:A=1;2:STOP=1;");
	assert_string_equal(err.text, "mine");
}

static void a_line_of_the_greatest_length_is_read_and_a_longer_one_refused(void **state)
{
	char text[ENVFILE_LINE_MAX + 1];
	struct err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "A=", 2);
	text[ENVFILE_LINE_MAX - 1] = '\n';
	write_file(text, ENVFILE_LINE_MAX);
	assert_int_equal(envfile_read(path, hear, NULL, &err), 0);
	assert_int_equal(heard.len, ENVFILE_LINE_MAX - 1 + strlen("1:;"));
	text[ENVFILE_LINE_MAX - 1] = 'x';
	write_file(text, sizeof(text));
	assert_int_equal(envfile_read(path, hear, NULL, &err), -EINVAL);
	write_file("A=1\0B=2\n", 8);
	assert_int_equal(envfile_read(path, hear, NULL, &err), -EINVAL);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct err err = {.text = ""};

	(void)state;
	assert_int_equal(envfile_read("/nowhere/x.env", hear, NULL, &err), -ENOENT);
	assert_string_equal(
		err.text, "/nowhere/x.env cannot be read: No such file or directory.");
	assert_int_equal(envfile_read("/tmp", hear, NULL, &err), -EIO);
	assert_string_equal(err.text, "/tmp cannot be read to its end.");
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	buf_free(&heard);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_name_and_a_value),
		cmocka_unit_test(quotes_keep_white_space_and_let_a_comment_follow),
		cmocka_unit_test(empty_lines_and_comments_say_nothing),
		cmocka_unit_test(a_line_that_can_be_misread_is_refused),
		cmocka_unit_test(pairs_come_in_order_with_their_line),
		cmocka_unit_test(a_wrong_line_stops_with_file_and_line),
		cmocka_unit_test(the_reader_may_stop),
		cmocka_unit_test(
			a_line_of_the_greatest_length_is_read_and_a_longer_one_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
