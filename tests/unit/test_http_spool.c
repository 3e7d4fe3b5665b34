/* test_http_spool.c: bodies that go to a file or are large, and the word that lets them come. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "http/spool.h"
#include "unit/cmocka_all.h"
#include "unit/http_client.h"
#include "unit/http_double.h"

static struct http_double *d;
static struct client_reply reply;

static int setup(void **state)
{
	static struct http_double one;

	(void)state;
	d = &one;
	http_double_open(d, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_double_close(d);
	return 0;
}

static void post_to(struct client *client, const char *path, const char *extra,
	const char *body, size_t len)
{
	client_printf(client,
		"POST %s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n", path,
		extra, len);
	client_send(client, body, len);
}

static void post(struct client *client, const char *extra, const char *body, size_t len)
{
	post_to(client, "/spool", extra, body, len);
}

static void a_body_goes_through_a_file_and_comes_back_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 60000};
	char *body = malloc(60000);
	struct client client;

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		body[i] = (char)('a' + i % 23);
	client_open(&client, d->port);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		post(&client, "", body, sizes[i]);
		assert_true(client_read(&client, &reply, false));
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body_len, sizes[i]);
		assert_memory_equal(reply.body, body, sizes[i]);
	}
	client_close(&client);
	free(body);
}

static void a_body_that_is_there_already_waits_for_the_word(void **state)
{
	static const char *const bodies[] = {"x", "", "abcdefghij"};
	struct client client;

	(void)state;
	client_open(&client, d->port);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		client_printf(&client,
			"POST /spool HTTP/1.1\r\nHost: test\r\nCookie: late\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			strlen(bodies[i]), bodies[i]);
		assert_true(client_read(&client, &reply, false));
		assert_int_equal(reply.status, 200);
		assert_string_equal(reply.body, bodies[i]);
	}
	client_printf(&client, "POST /spool HTTP/1.1\r\nHost: test\r\nCookie: late\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "abc");
	client_close(&client);
}

static void a_chunked_body_is_taken_too(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client,
		"POST /spool HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "abcdefg");
	client_close(&client);
}

static void a_client_that_expects_100_gets_it_only_when_the_body_may_come(void **state)
{
	struct client client;
	uint64_t id;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client,
		"POST /spool HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\n");
	assert_true(client_await(&client, "100 Continue\r\n\r\n", CLIENT_DEADLINE_MS));
	client_printf(&client, "abc");
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "abc");
	client_printf(&client,
		"POST /spool/hold HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\n");
	id = http_double_await_held(d, 1);
	assert_false(client_await(&client, "100", 100));
	http_double_reply(d, id, "early");
	client_printf(&client, "abc");
	assert_true(client_await(&client, "early", CLIENT_DEADLINE_MS));
	client_close(&client);
}

static void a_refused_body_is_read_to_its_end_and_then_told_why(void **state)
{
	char *body = calloc(1, DOUBLE_SPOOL_MAX);
	struct client client;

	(void)state;
	client_open(&client, d->port);
	post(&client, "Cookie: no\r\n", body, DOUBLE_SPOOL_MAX);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 401);
	assert_string_equal(reply.body, "no");
	client_close(&client);
	free(body);
}

static void a_large_body_for_memory_waits_for_the_word_too(void **state)
{
	static const size_t sizes[] = {0, 1, 5000, 16384, 16385, 60000};
	static const char *const words[] = {"", "Cookie: late\r\n"};
	char *body = malloc(60000);
	struct client client;

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		body[i] = (char)('a' + i % 23);
	client_open(&client, d->port);
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		post_to(&client, "/large", words[i & 1], body, sizes[i / 2]);
		assert_true(client_read(&client, &reply, false));
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body_len, sizes[i / 2]);
		assert_memory_equal(reply.body, body, sizes[i / 2]);
	}
	client_printf(&client, "POST /large HTTP/1.1\r\nHost: test\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "abc");
	client_close(&client);
	free(body);
}

static void a_large_body_that_is_refused_is_read_to_its_end_as_well(void **state)
{
	char *body = calloc(1, DOUBLE_SPOOL_MAX);
	struct client client;

	(void)state;
	client_open(&client, d->port);
	post_to(&client, "/large", "Cookie: no\r\n", body, DOUBLE_SPOOL_MAX);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 401);
	assert_string_equal(reply.body, "no");
	client_close(&client);
	free(body);
}

static void more_than_the_route_takes_is_413(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client,
		"POST /spool HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n",
		DOUBLE_SPOOL_MAX + 1);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 413);
	client_close(&client);
}

static void a_folder_that_takes_no_files_is_503_with_the_reason(void **state)
{
	struct client client;

	(void)state;
	http_double_stop(d);
	d->spool_dir = "/proc/self/fdinfo";
	http_double_start(d);
	client_open(&client, d->port);
	post(&client, "", "abc", 3);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 503);
	assert_non_null(strstr(reply.body, "NO_SPOOL"));
	client_close(&client);
}

static void a_full_disk_is_noticed_before_the_body_comes(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(spool_open("/tmp", (size_t)1 << 60, &fd), -ENOSPC);
	assert_int_equal(fd, -1);
	assert_int_equal(spool_open("/tmp", 10, &fd), 0);
	assert_int_equal(spool_write(fd, "abc", 3), 0);
	(void)close(fd);
	assert_int_equal(spool_open("/does/not/exist", 10, &fd), -ENOENT);
}

/* Needs root and a kernel that lets it mount; where there is neither, nothing is tested. */
static void a_full_disk_is_507_and_the_server_lives(void **state)
{
	char dir[] = "/tmp/ovx-full-XXXXXX";
	struct client client;

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (mount("tmpfs", dir, "tmpfs", 0, "size=1m") < 0) {
		print_message("cannot mount a small disk: not tested\n");
		(void)rmdir(dir);
		return;
	}
	http_double_stop(d);
	d->spool_dir = dir;
	http_double_start(d);
	client_open(&client, d->port);
	post(&client, "Cookie: late\r\n", "abc", 3);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 507);
	assert_non_null(strstr(reply.body, "DISK_FULL"));
	client_close(&client);
	client_get(d->port, "/echo/a/b", &reply);
	assert_int_equal(reply.status, 201);
	assert_int_equal(umount(dir), 0);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_body_goes_through_a_file_and_comes_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_body_that_is_there_already_waits_for_the_word, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_chunked_body_is_taken_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_client_that_expects_100_gets_it_only_when_the_body_may_come,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_refused_body_is_read_to_its_end_and_then_told_why, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_large_body_for_memory_waits_for_the_word_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_large_body_that_is_refused_is_read_to_its_end_as_well, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			more_than_the_route_takes_is_413, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_that_takes_no_files_is_503_with_the_reason, setup,
			teardown),
		cmocka_unit_test(a_full_disk_is_noticed_before_the_body_comes),
		cmocka_unit_test_setup_teardown(
			a_full_disk_is_507_and_the_server_lives, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
