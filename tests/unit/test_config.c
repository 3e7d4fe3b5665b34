/* test_config.c: base/config.h. */
#include "base/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/captured.h"
#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

static const struct config_item items[] = {
	{"T_FLAG", CONFIG_FLAG, NULL, "a switch", 0, 0},
	{"T_LISTEN", CONFIG_ADDR, "127.0.0.1:8080", "where", 0, 0},
	{"T_NAME", CONFIG_TEXT, NULL, "a name", 0, 0},
	{"T_RATE", CONFIG_NUMBER, "1", "per second", 0, 1000},
	{"T_TOKEN", CONFIG_SECRET, NULL, "a secret", 0, 0},
	{"T_WORKERS", CONFIG_INT, "4", "threads", 1, 64},
};
#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

static const struct config_extra extras[] = {{"--help", false}, {"--check-config", false},
	{"--backup", true}, {"--plan=now", false}};

static char env_path[] = "/tmp/ovx-config-XXXXXX",
	    secret_path[] = "/tmp/ovx-secret-XXXXXX";
static struct config *config;
static struct err err;
static struct config_choice choice;

/* Loads with these words on the command line; they end with NULL. */
static int load(const char *first, ...)
{
	char *argv[16] = {(char *)"test"};
	struct config_load_params params = {.items = items,
		.item_count = ITEM_COUNT,
		.extra = extras,
		.extra_count = 4,
		.argc = 1,
		.argv = argv};
	va_list words;

	va_start(words, first);
	for (const char *word = first; word != NULL; word = va_arg(words, const char *))
		argv[params.argc++] = (char *)(uintptr_t)word;
	va_end(words);
	config_free(&config);
	err.text[0] = '\0';
	choice = (struct config_choice){.index = -7};
	return config_load(&params, &config, &choice, &err);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* What config_print says of one setting. */
static void check_printed(const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	if (strstr(text, expected) == NULL)
		fail_msg("\"%s\" is not in:\n%s", expected, text);
	assert_null(strstr(text, "hush"));
	free(text);
}

static void what_nobody_sets_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(load(NULL), 0);
	assert_int_equal(choice.index, -1);
	assert_string_equal(config_text(config, "T_LISTEN"), "127.0.0.1:8080");
	assert_string_equal(config_text(config, "T_NAME"), "");
	assert_int_equal(config_int(config, "T_WORKERS"), 4);
	assert_true(config_number(config, "T_RATE") == 1.0);
	assert_false(config_flag(config, "T_FLAG"));
	check_printed("127.0.0.1:8080                           (default)\n");
}

static void the_command_line_beats_the_environment_beats_the_file(void **state)
{
	(void)state;
	write_file(env_path, "T_NAME=file\nT_WORKERS=11\n");
	assert_int_equal(load("--config", env_path, NULL), 0);
	assert_string_equal(config_text(config, "T_NAME"), "file");
	assert_int_equal(setenv("T_NAME", "environment", 1), 0);
	assert_int_equal(load("--config", env_path, NULL), 0);
	assert_string_equal(config_text(config, "T_NAME"), "environment");
	assert_int_equal(config_int(config, "T_WORKERS"), 11);
	check_printed("environment                              (environment)\n");
	assert_int_equal(load("--t-name", "line", "--config", env_path, NULL), 0);
	assert_string_equal(config_text(config, "T_NAME"), "line");
	check_printed("line                                     (command line)\n");
}

static void the_file_of_a_value_is_told_with_its_line(void **state)
{
	char expected[128];

	(void)state;
	write_file(env_path, "# workers\nT_WORKERS = \"12\"\n");
	(void)snprintf(expected, sizeof(expected), "(%s line 2)\n", env_path);
	assert_int_equal(setenv("T_RATE", "2.5", 1), 0);
	assert_int_equal(load("--config", env_path, NULL), 0);
	assert_int_equal(config_int(config, "T_WORKERS"), 12);
	assert_true(config_number(config, "T_RATE") == 2.5);
	check_printed(expected);
}

static void options_take_an_equals_sign_and_flags_need_no_value(void **state)
{
	char file[64];

	(void)state;
	write_file(env_path, "T_RATE=3\n");
	(void)snprintf(file, sizeof(file), "--config=%s", env_path);
	assert_int_equal(
		load("--t-name=a=b", "--t-flag", file, "--t-workers", "7", NULL), 0);
	assert_string_equal(config_text(config, "T_NAME"), "a=b");
	assert_true(config_flag(config, "T_FLAG"));
	assert_true(config_number(config, "T_RATE") == 3.0);
	assert_int_equal(config_int(config, "T_WORKERS"), 7);
	assert_int_equal(load("--t-flag=no", NULL), 0);
	assert_false(config_flag(config, "T_FLAG"));
}

static void a_switch_of_the_program_is_told(void **state)
{
	(void)state;
	assert_int_equal(load("--t-name", "x", "--check-config", NULL), 0);
	assert_int_equal(choice.index, 1);
	assert_string_equal(choice.value, "");
	assert_int_equal(load("--plan=now", NULL), 0);
	assert_int_equal(choice.index, 3);
}

static void a_switch_may_want_a_value(void **state)
{
	(void)state;
	assert_int_equal(load("--backup", "file", "--t-name", "x", NULL), 0);
	assert_int_equal(choice.index, 2);
	assert_string_equal(choice.value, "file");
	assert_string_equal(config_text(config, "T_NAME"), "x");
	assert_int_equal(load("--backup=f=g", NULL), 0);
	assert_string_equal(choice.value, "f=g");
	assert_int_equal(load("--backup", NULL), -ENOTSUP);
	assert_string_equal(err.text, "--backup wants a value behind it.");
	assert_int_equal(load("--backup=", NULL), -ENOTSUP);
	assert_int_equal(load("--help=me", NULL), -ENOTSUP);
	assert_int_equal(load("--plan", NULL), -ENOTSUP);
}

static void a_wrong_value_is_named_with_its_source_and_what_is_expected(void **state)
{
	char expected[256];

	(void)state;
	assert_int_equal(load("--t-workers", "65", NULL), -EINVAL);
	assert_null(config);
	assert_int_equal(choice.index, -7);
	assert_string_equal(err.text,
		"T_WORKERS is \"65\" (command line): expected a whole number from 1 to 64.");
	assert_int_equal(setenv("T_LISTEN", "localhost", 1), 0);
	assert_int_equal(load(NULL), -EINVAL);
	assert_string_equal(err.text,
		"T_LISTEN is \"localhost\" (environment): expected a "
		"numeric host:port such as 127.0.0.1:8080.");
	assert_int_equal(unsetenv("T_LISTEN"), 0);
	write_file(env_path, "T_RATE=nan\n");
	assert_int_equal(load("--config", env_path, NULL), -EINVAL);
	(void)snprintf(expected, sizeof(expected),
		"T_RATE is \"nan\" (%s line 1): expected a number from 0 to 1000.",
		env_path);
	assert_string_equal(err.text, expected);
	assert_int_equal(load("--t-flag=perhaps", NULL), -EINVAL);
	assert_string_equal(
		err.text, "T_FLAG is \"perhaps\" (command line): expected 1 or 0.");
}

static void a_secret_may_stand_in_a_file_of_its_own(void **state)
{
	char expected[128], line[128];

	(void)state;
	write_file(secret_path, "hush-hush\nsecond line\n");
	(void)snprintf(
		expected, sizeof(expected), "(%s, named by T_TOKEN_FILE)\n", secret_path);
	assert_int_equal(setenv("T_TOKEN_FILE", secret_path, 1), 0);
	assert_int_equal(load(NULL), 0);
	assert_string_equal(config_text(config, "T_TOKEN"), "hush-hush");
	check_printed(expected);
	assert_int_equal(unsetenv("T_TOKEN_FILE"), 0);

	assert_int_equal(load("--t-token-file", secret_path, NULL), 0);
	assert_string_equal(config_text(config, "T_TOKEN"), "hush-hush");
	(void)snprintf(line, sizeof(line), "T_TOKEN_FILE=%s\n", secret_path);
	write_file(env_path, line);
	assert_int_equal(load("--config", env_path, NULL), 0);
	assert_string_equal(config_text(config, "T_TOKEN"), "hush-hush");
	check_printed("********");
}

static void a_secret_file_that_cannot_be_read_stops_the_start(void **state)
{
	static char big[5000];

	(void)state;
	assert_int_equal(load("--t-token-file", "/nowhere/token", NULL), -EINVAL);
	assert_string_equal(err.text, "T_TOKEN_FILE (command line) names /nowhere/token, "
				      "which cannot be read: No such file or directory.");
	memset(big, 'x', sizeof(big) - 1);
	write_file(secret_path, big);
	assert_int_equal(load("--t-token-file", secret_path, NULL), -EINVAL);
	assert_non_null(strstr(err.text, "at most"));
	assert_int_equal(load("--t-token-file", "/tmp", NULL), -EINVAL);
}

static void an_unknown_name_in_the_file_is_warned_of_with_the_nearest(void **state)
{
	char expected[256], warned[1024];

	(void)state;
	write_file(env_path, "T_WROKERS=9\nT_NAME=x\n");
	captured_start();
	assert_int_equal(load("--config", env_path, NULL), 0);
	captured_stop(warned, sizeof(warned));
	(void)snprintf(expected, sizeof(expected),
		"%s line 1: T_WROKERS is not a setting; the nearest is T_WORKERS.\n",
		env_path);
	assert_string_equal(warned, expected);
	assert_string_equal(config_text(config, "T_NAME"), "x");
}

static void an_unknown_option_stops_the_start_and_its_value_is_not_shown(void **state)
{
	(void)state;
	assert_int_equal(load("--t-tokn=hush", NULL), -ENOTSUP);
	assert_string_equal(
		err.text, "--t-tokn is not an option; --help lists the options.");
	assert_int_equal(load("--t-tokn", "hush", NULL), -ENOTSUP);
	assert_string_equal(
		err.text, "--t-tokn is not an option; --help lists the options.");
	assert_int_equal(load("word", "word", NULL), -ENOTSUP);
	assert_int_equal(load("--t-name", NULL), -ENOTSUP);
	assert_string_equal(err.text,
		"--t-name is not an option, or wants a value behind "
		"it; --help lists the options.");
	assert_int_equal(load("--config", NULL), -ENOTSUP);
	assert_int_equal(load("--", "x", NULL), -ENOTSUP);
}

static void a_file_that_is_not_there_stops_the_start(void **state)
{
	(void)state;
	assert_true(load("--config", "/nowhere/gateway.env", NULL) < 0);
	assert_string_equal(err.text,
		"/nowhere/gateway.env cannot be read: No such file or directory.");
}

static void a_derived_value_replaces_the_default(void **state)
{
	(void)state;
	assert_int_equal(load(NULL), 0);
	assert_int_equal(config_derive(config, "T_NAME", "worked out"), 0);
	assert_string_equal(config_text(config, "T_NAME"), "worked out");
	check_printed("(other settings)\n");
}

static void help_lists_every_option_with_its_default(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	config_print_help(items, ITEM_COUNT, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(
		strstr(text, "  --t-listen                   where [127.0.0.1:8080]\n"));
	assert_non_null(strstr(text, "  --t-token                    a secret\n"));
	free(text);
}

static void without_memory_the_start_fails_cleanly(void **state)
{
	unsigned nth = 0;
	int result;

	(void)state;
	write_file(env_path, "T_NAME=x\n");
	do {
		failing_alloc_at(++nth);
		result = load("--config", env_path, "--t-workers", "5", NULL);
		assert_int_equal(result, failing_alloc_happened() ? -ENOMEM : 0);
	} while (failing_alloc_happened());
	failing_alloc_at(0);
	assert_true(nth > ITEM_COUNT);
}

static int make_files(void **state)
{
	int env = mkstemp(env_path), secret = mkstemp(secret_path);

	(void)state;
	return env < 0 || secret < 0 || close(env) < 0 || close(secret) < 0 ? -1 : 0;
}

static int remove_files(void **state)
{
	(void)state;
	return unlink(env_path) < 0 || unlink(secret_path) < 0 ? -1 : 0;
}

static int clear(void **state)
{
	(void)state;
	config_free(&config);
	config_free(&config);
	for (size_t i = 0; i < ITEM_COUNT; i++)
		(void)unsetenv(items[i].name);
	return unsetenv("T_TOKEN_FILE");
}

#define a_test(test) cmocka_unit_test_teardown(test, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		a_test(what_nobody_sets_has_its_default),
		a_test(the_command_line_beats_the_environment_beats_the_file),
		a_test(the_file_of_a_value_is_told_with_its_line),
		a_test(options_take_an_equals_sign_and_flags_need_no_value),
		a_test(a_switch_of_the_program_is_told),
		a_test(a_switch_may_want_a_value),
		a_test(a_wrong_value_is_named_with_its_source_and_what_is_expected),
		a_test(a_secret_may_stand_in_a_file_of_its_own),
		a_test(a_secret_file_that_cannot_be_read_stops_the_start),
		a_test(an_unknown_name_in_the_file_is_warned_of_with_the_nearest),
		a_test(an_unknown_option_stops_the_start_and_its_value_is_not_shown),
		a_test(a_file_that_is_not_there_stops_the_start),
		a_test(a_derived_value_replaces_the_default),
		a_test(help_lists_every_option_with_its_default),
		a_test(without_memory_the_start_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
