/* test_http_feed.c: bodies that are made while they are sent, and readers who do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "http/feed.h"
#include "unit/http_client.h"
#include "unit/http_double.h"

static struct http_double *d;

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

/* What the feed told its producer. */
struct told {
	atomic_int room, gone;
};

static void on_room(void *arg)
{
	atomic_fetch_add(&((struct told *)arg)->room, 1);
}

static void on_gone(void *arg)
{
	atomic_fetch_add(&((struct told *)arg)->gone, 1);
}

static bool comes(atomic_int *count)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < CLIENT_DEADLINE_MS && atomic_load(count) == 0; i++)
		(void)nanosleep(&pause, NULL);
	return atomic_load(count) > 0;
}

static uint64_t ask(struct client *client, const char *method)
{
	size_t before = d->held_count;

	client_open(client, d->port);
	client_printf(client, "%s /hold HTTP/1.1\r\nHost: t\r\n\r\n", method);
	return http_double_await_held(d, before + 1);
}

static struct http_feed *open_feed(uint64_t id, int64_t length, struct told *told)
{
	static const struct http_header headers[] = {
		{"Content-Disposition", "attachment"},
		{"Cache-Control", "private, no-store"}};
	struct http_feed *feed = NULL;

	memset(told, 0, sizeof(*told));
	assert_int_equal(http_feed_open(d->server, id,
				 &(struct http_feed_config){.status = 200,
					 .content_type = "text/csv",
					 .length = length,
					 .headers = headers,
					 .header_count = 2,
					 .room = on_room,
					 .gone = on_gone,
					 .arg = told},
				 &feed),
		0);
	return feed;
}

static void parts_written_one_by_one_arrive_as_one_body(void **state)
{
	struct client client;
	struct told told;
	struct http_feed *feed;

	(void)state;
	feed = open_feed(ask(&client, "GET"), -1, &told);
	assert_int_equal(http_feed_write(feed, "one\r\n", 5), 0);
	assert_true(client_await(&client, "Content-Disposition: attachment\r\n", 5000));
	assert_true(client_await(&client, "one\r\n", 5000));
	assert_int_equal(http_feed_write(feed, "two\r\n", 5), 0);
	assert_true(client_await(&client, "two\r\n", 5000));
	http_feed_close(&feed, true);
	assert_true(client_await(&client, "0\r\n\r\n", 5000));
	assert_null(feed);
	assert_int_equal(atomic_load(&told.gone), 0);
	client_close(&client);
}

static void feeds_take_no_place_from_those_who_wait_for_a_reply(void **state)
{
	static struct client_reply reply;
	struct client clients[DOUBLE_CONNECTIONS / 2];
	struct told told[DOUBLE_CONNECTIONS / 2];
	struct http_feed *feeds[DOUBLE_CONNECTIONS / 2];

	(void)state;
	for (int i = 0; i < DOUBLE_CONNECTIONS / 2; i++) {
		feeds[i] = open_feed(ask(&clients[i], "GET"), -1, &told[i]);
		assert_true(client_await(&clients[i], "HTTP/1.1 200", 5000));
	}
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
	for (int i = 0; i < DOUBLE_CONNECTIONS / 2; i++) {
		http_feed_close(&feeds[i], true);
		assert_true(client_await(&clients[i], "0\r\n\r\n", 5000));
		client_close(&clients[i]);
	}
}

static void a_body_of_known_length_says_it_and_the_connection_stays(void **state)
{
	struct client client;
	struct client_reply reply;
	struct told told;
	struct http_feed *feed;

	(void)state;
	feed = open_feed(ask(&client, "GET"), 5, &told);
	(void)http_feed_write(feed, "hello", 5);
	http_feed_close(&feed, true);
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "hello");
	assert_true(client_has(&reply, "Content-Type", "text/csv"));
	assert_true(client_has(&reply, "X-Content-Type-Options", "nosniff"));
	client_printf(&client, "GET /echo/a/b HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 201);
	client_close(&client);
}

static void a_head_request_gets_the_head_and_the_producer_is_told(void **state)
{
	struct client client;
	struct client_reply reply;
	struct told told;
	struct http_feed *feed;

	(void)state;
	feed = open_feed(ask(&client, "HEAD"), 5, &told);
	assert_true(client_read(&client, &reply, true));
	assert_true(client_has(&reply, "Content-Length", "5"));
	assert_true(comes(&told.gone));
	assert_int_equal(http_feed_write(feed, "hello", 5), -EPIPE);
	http_feed_close(&feed, false);
	client_close(&client);
}

/* Fills until it is enough; returns what was written. */
static size_t fill(struct http_feed *feed)
{
	char block[16 * 1024];
	size_t written = 0;
	int r = 0;

	memset(block, 'x', sizeof(block));
	while (r == 0 && written < (64u << 20)) {
		r = http_feed_write(feed, block, sizeof(block));
		written += sizeof(block);
	}
	assert_int_equal(r, 1);
	return written;
}

static void who_does_not_read_stops_the_producer_and_who_reads_on_wakes_it(void **state)
{
	struct client client;
	struct told told;
	struct http_feed *feed;
	size_t written, more = 0;

	(void)state;
	feed = open_feed(ask(&client, "GET"), -1, &told);
	/* The kernel takes some megabytes; then the feed is full and stays so. */
	written = fill(feed);
	while (atomic_load(&told.room) > 0 || poll(NULL, 0, 100) != 0 ||
		atomic_load(&told.room) > 0) {
		atomic_store(&told.room, 0);
		more += fill(feed);
		assert_true(more < (64u << 20));
	}
	written += more;
	assert_int_equal(atomic_load(&told.gone), 0);
	assert_false(client_await(&client, "the end of it", 200));
	assert_true(comes(&told.room));
	(void)http_feed_write(feed, "the end of it", 13);
	http_feed_close(&feed, true);
	assert_true(client_await(&client, "the end of it", 5000));
	assert_true(written > FEED_FULL);
	client_close(&client);
}

static void a_reader_who_leaves_is_told_to_the_producer(void **state)
{
	struct client client;
	struct told told;
	struct http_feed *feed;
	int r = 0;

	(void)state;
	feed = open_feed(ask(&client, "GET"), -1, &told);
	(void)http_feed_write(feed, "x", 1);
	assert_true(client_await(&client, "x\r\n", 5000));
	client_close(&client);
	/* A suspended connection does not notice; writing does. */
	for (int i = 0; i < 5000 && r >= 0; i++) {
		(void)poll(NULL, 0, 1);
		r = http_feed_write(feed, "y", 1);
	}
	assert_int_equal(r, -EPIPE);
	assert_true(comes(&told.gone));
	assert_int_equal(atomic_load(&told.gone), 1);
	http_feed_close(&feed, false);
}

static void a_body_that_is_not_whole_breaks_the_connection(void **state)
{
	struct client client;
	struct told told;
	struct http_feed *feed;

	(void)state;
	feed = open_feed(ask(&client, "GET"), -1, &told);
	(void)http_feed_write(feed, "half", 4);
	http_feed_close(&feed, false);
	assert_true(client_ended(&client));
	assert_non_null(strstr(client.buf, "half"));
	assert_null(strstr(client.buf, "\r\n0\r\n\r\n"));
	client_close(&client);
}

static void a_request_that_is_answered_already_is_gone_at_once(void **state)
{
	struct client client;
	struct client_reply reply;
	struct told told;
	struct http_feed *feed;
	uint64_t id;

	(void)state;
	id = ask(&client, "GET");
	http_double_reply(d, id, "first");
	feed = open_feed(id, -1, &told);
	assert_int_equal(atomic_load(&told.gone), 1);
	assert_int_equal(http_feed_write(feed, "x", 1), -EPIPE);
	http_feed_close(&feed, true);
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "first");
	client_close(&client);
}

static void a_server_that_stops_breaks_the_feeds_and_their_handles_live_on(void **state)
{
	struct client client;
	struct told told;
	struct http_feed *feed;

	(void)state;
	feed = open_feed(ask(&client, "GET"), -1, &told);
	(void)http_feed_write(feed, "x", 1);
	assert_true(client_await(&client, "x\r\n", 5000));
	http_double_stop(d);
	assert_int_equal(atomic_load(&told.gone), 1);
	assert_int_equal(http_feed_write(feed, "x", 1), -EPIPE);
	http_feed_close(&feed, true);
	client_close(&client);
	http_double_start(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_written_one_by_one_arrive_as_one_body),
		cmocka_unit_test(feeds_take_no_place_from_those_who_wait_for_a_reply),
		cmocka_unit_test(a_body_of_known_length_says_it_and_the_connection_stays),
		cmocka_unit_test(a_head_request_gets_the_head_and_the_producer_is_told),
		cmocka_unit_test(
			who_does_not_read_stops_the_producer_and_who_reads_on_wakes_it),
		cmocka_unit_test(a_reader_who_leaves_is_told_to_the_producer),
		cmocka_unit_test(a_body_that_is_not_whole_breaks_the_connection),
		cmocka_unit_test(a_request_that_is_answered_already_is_gone_at_once),
		cmocka_unit_test(
			a_server_that_stops_breaks_the_feeds_and_their_handles_live_on),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
