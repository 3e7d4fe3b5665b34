/* test_tools.c: the instruments of the integration tests, before anything is proved by them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sandbox/sound.h"

static char dir[] = "/tmp/ovx-tools-XXXXXX";
static char plan[64], wav[64];

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(plan, sizeof(plan), "%s/plan", dir);
	(void)snprintf(wav, sizeof(wav), "%s/said.wav", dir);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *names[] = {"plan", "plan.pos", "plan.log", "said.wav"};
	char path[80];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	if (rmdir(dir) < 0)
		return -1;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return 0;
}

static void put_file(const char *text)
{
	FILE *f = fopen(plan, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void get_log(char *text, size_t size)
{
	char path[80];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s.log", plan);
	f = fopen(path, "r");
	text[0] = '\0';
	if (f == NULL)
		return;
	text[fread(text, 1, size - 1, f)] = '\0';
	(void)fclose(f);
}

/* What the worker of a program does that this test runs again under another name. */
static void make_ten_calls(int fd)
{
	for (int i = 0; i < 10; i++)
		if (write(fd, "x", 1) != 1)
			_exit(3);
	_exit(0);
}

/* As the gateway: a supervisor that calls at will, and a forked worker that may be killed. */
static int act_as_gateway(void)
{
	pid_t pid;
	int status;

	for (int i = 0; i < 100; i++)
		if (write(STDERR_FILENO, "", 0) != 0)
			return 3;
	pid = fork();
	if (pid == 0)
		make_ten_calls(STDOUT_FILENO);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 3;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void become(const char *name, int out)
{
	char *argv[] = {(char *)name, NULL};

	(void)dup2(out, STDOUT_FILENO);
	(void)setenv("LD_PRELOAD", TOOLS "/ovx-kill.so", 1);
	(void)setenv("OVX_KILL_PLAN", plan, 1);
	/* AddressSanitizer wants to be the first library; leaks are not the point here. */
	(void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	(void)setenv("OVX_TEST_ACTS", "1", 1);
	(void)execv("/proc/self/exe", argv);
	_exit(3);
}

/* Runs it once; returns the signal that its worker died of, and how many calls that made. */
static int run_as(const char *name, size_t *ret_calls)
{
	char out[64];
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	*ret_calls = 0;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become(name, pipes[1]);
	(void)close(pipes[1]);
	while ((n = read(pipes[0], out, sizeof(out))) > 0)
		*ret_calls += (size_t)n;
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Each line ends in the time of death, which is taken off before they are compared. */
static void check_log(char *log, const char *expected)
{
	char *from = log, *to = log;

	while (*from != '\0') {
		char *end = strchr(from, '\n'), *blank;

		assert_non_null(end);
		*end = '\0';
		blank = strrchr(from, ' ');
		assert_non_null(blank);
		assert_int_equal(strlen(blank + 1), 13);
		memmove(to, from, (size_t)(blank - from));
		to += blank - from;
		*to++ = '\n';
		from = end + 1;
	}
	*to = '\0';
	assert_string_equal(log, expected);
}

static void test_each_life_of_the_worker_dies_before_its_planned_call(void **state)
{
	char log[256];
	size_t calls;

	(void)state;
	put_file("4\n0\n1\n");
	assert_int_equal(run_as("omnivox-gateway", &calls), SIGKILL);
	assert_int_equal(calls, 3);
	assert_int_equal(run_as("omnivox-gateway", &calls), 0);
	assert_int_equal(calls, 10);
	assert_int_equal(run_as("omnivox-gateway", &calls), SIGKILL);
	assert_int_equal(calls, 0);
	get_log(log, sizeof(log));
	check_log(log, "1 4 write 0\n3 1 write 0\n");
}

static void test_a_worker_takes_an_aim_that_appears_while_it_lives(void **state)
{
	char path[80], log[256];
	size_t calls;
	FILE *f;

	(void)state;
	put_file("0\n0\n");
	assert_int_equal(setenv("OVX_KILL_ARM", "1", 1), 0);
	(void)snprintf(path, sizeof(path), "%s.arm", plan);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("3\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(run_as("omnivox-gateway", &calls), SIGKILL);
	assert_int_equal(calls, 2);
	assert_int_equal(access(path, F_OK), -1); /* it was taken */
	assert_int_equal(run_as("omnivox-gateway", &calls), 0);
	assert_int_equal(calls, 10);
	assert_int_equal(unsetenv("OVX_KILL_ARM"), 0);
	get_log(log, sizeof(log));
	check_log(log, "1 3 write 0\n");
}

static void test_without_a_line_for_it_a_life_is_left_alone(void **state)
{
	char log[256];
	size_t calls;

	(void)state;
	put_file("");
	assert_int_equal(run_as("omnivox-gateway", &calls), 0);
	assert_int_equal(calls, 10);
	get_log(log, sizeof(log));
	assert_string_equal(log, "");
}

static void test_a_program_of_another_name_is_left_alone(void **state)
{
	size_t calls;

	(void)state;
	put_file("1\n1\n");
	assert_int_equal(run_as("postgres", &calls), 0);
	assert_int_equal(calls, 10);
}

static void say(const char *spec, int frames)
{
	struct sound_source *source;
	struct sound_sink *sink;
	int16_t frame[SOUND_FRAME];

	assert_int_equal(sound_source_new(spec, &source), 0);
	assert_int_equal(sound_sink_new(wav, 1, &sink), 0);
	for (int i = 0; i < frames; i++) {
		sound_source_read(source, frame);
		sound_sink_write(sink, frame);
	}
	sound_sink_free(&sink);
	sound_source_free(&source);
}

static void expect_levels(const char *frequencies, const char *lines)
{
	char command[256], text[1024];
	FILE *f;

	(void)snprintf(
		command, sizeof(command), TOOLS "/ovx-tone %s %s", wav, frequencies);
	f = popen(command, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	assert_int_equal(pclose(f), 0);
	assert_string_equal(text, lines);
}

static void test_tone_tells_the_frequency_that_is_there_from_others(void **state)
{
	(void)state;
	say("tone:440", 12);
	expect_levels("440 600", "0 440 -10.0\n0 600 -120.0\n0 total -10.0\n"
				 "100 440 -10.0\n100 600 -120.0\n100 total -10.0\n");
}

static void test_tone_hears_nothing_in_silence(void **state)
{
	(void)state;
	say("silence", 5);
	expect_levels("440", "0 440 -120.0\n0 total -120.0\n");
}

static void test_tone_reads_a_file_whose_writer_was_killed(void **state)
{
	int fd;

	(void)state;
	say("tone:1000", 5);
	fd = open(wav, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 40), 4);
	assert_int_equal(close(fd), 0);
	expect_levels("1000", "0 1000 -10.0\n0 total -10.0\n");
}

#define TOOL_TEST(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOOL_TEST(test_each_life_of_the_worker_dies_before_its_planned_call),
		TOOL_TEST(test_a_worker_takes_an_aim_that_appears_while_it_lives),
		TOOL_TEST(test_without_a_line_for_it_a_life_is_left_alone),
		TOOL_TEST(test_a_program_of_another_name_is_left_alone),
		TOOL_TEST(test_tone_tells_the_frequency_that_is_there_from_others),
		TOOL_TEST(test_tone_hears_nothing_in_silence),
		TOOL_TEST(test_tone_reads_a_file_whose_writer_was_killed),
	};

	if (getenv("OVX_TEST_ACTS") != NULL)
		return act_as_gateway();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
