/* test_http_events.c: event streams as a browser's EventSource sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/http_client.h"
#include "unit/http_double.h"

static struct http_double double_of_all;
static struct http_double *d = &double_of_all;

static int setup(void **state)
{
	(void)state;
	http_double_open(d, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_double_close(d);
	return 0;
}

static void expect(struct client *client, const char *text)
{
	assert_true(client_await(client, text, CLIENT_DEADLINE_MS));
}

/* Reads up to the end of the next id and keeps it. */
static void take_id(struct client *client, char *id, size_t size)
{
	const char *end;

	expect(client, "id: ");
	while ((end = client->len == 0 ? NULL : strchr(client->buf, '\n')) == NULL)
		assert_true(client_more(client));
	(void)snprintf(id, size, "%.*s", (int)(end - client->buf), client->buf);
	expect(client, "\n");
}

/*
 * Opens a stream and reads its greeting with the id to come back with: from then on it hears
 * what is published. Like a browser it comes again while the connections of those who left are
 * not free yet.
 */
static void attach_with_id(struct client *client, int listener, const char *last_event_id,
	char *id, size_t size)
{
	int64_t until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	bool open = false;

	while (!open && clock_mono_ms() < until_ms) {
		client_open(client, d->port);
		client_printf(client,
			"GET /events?%d HTTP/1.1\r\nHost: t\r\nLast-Event-ID: %s\r\n\r\n",
			listener, last_event_id);
		assert_true(client_await(client, "HTTP/1.1 ", CLIENT_DEADLINE_MS));
		open = strncmp(client->buf, "200", 3) == 0;
		if (!open)
			client_close(client);
	}
	assert_true(open);
	expect(client, "retry: ");
	take_id(client, id, size);
}

static void attach(struct client *client, int listener, const char *last_event_id)
{
	char id[64];

	attach_with_id(client, listener, last_event_id, id, sizeof(id));
}

static void the_head_says_what_it_is(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "GET /events HTTP/1.1\r\nHost: t\r\n\r\n");
	expect(&client, "Content-Type: text/event-stream\r\n");
	client_close(&client);
	client_open(&client, d->port);
	client_printf(&client, "GET /events HTTP/1.1\r\nHost: t\r\n\r\n");
	expect(&client, "X-Accel-Buffering: no\r\n");
	client_close(&client);
}

static void an_event_reaches_every_stream_at_once(void **state)
{
	struct client a, b;
	int64_t start_ms;

	(void)state;
	attach(&a, 0, "");
	attach(&b, 5, "");
	start_ms = clock_mono_ms();
	http_events_publish(d->events, "call", "{\"n\":1}", 0);
	expect(&a, "event: call\ndata: {\"n\":1}\n\n");
	expect(&b, "event: call\ndata: {\"n\":1}\n\n");
	assert_in_range((uint64_t)(clock_mono_ms() - start_ms), 0, 500);
	http_events_publish(d->events, "call", "{\"n\":2}", 0);
	expect(&a, "{\"n\":2}\n\n");
	expect(&b, "{\"n\":2}\n\n");
	client_close(&a);
	client_close(&b);
}

static void an_event_for_one_is_heard_by_that_one_and_by_those_who_hear_all(void **state)
{
	struct client all, five, six;

	(void)state;
	attach(&all, 0, "");
	attach(&five, 5, "");
	attach(&six, 6, "");
	http_events_publish(d->events, "mine", "{\"for\":5}", 5);
	http_events_publish(d->events, "end", "{}", 0);
	expect(&all, "{\"for\":5}");
	expect(&five, "{\"for\":5}");
	expect(&six, "id: ");
	expect(&six, "event: ");
	assert_memory_equal(six.buf, "end", 3);
	client_close(&all);
	client_close(&five);
	client_close(&six);
}

static void who_comes_back_misses_nothing(void **state)
{
	struct client client;
	char id[64];

	(void)state;
	attach(&client, 5, "");
	http_events_publish(d->events, "one", "{\"n\":1}", 0);
	take_id(&client, id, sizeof(id));
	client_close(&client);
	http_events_publish(d->events, "two", "{\"n\":2}", 0);
	http_events_publish(d->events, "other", "{\"n\":3}", 6);
	http_events_publish(d->events, "four", "{\"n\":4}", 5);
	attach(&client, 5, id);
	expect(&client, "\nid: ");
	expect(&client, "event: two\ndata: {\"n\":2}\n\nid: ");
	expect(&client, "\nevent: ");
	assert_memory_equal(client.buf, "four", 4);
	client_close(&client);
}

static void who_heard_nothing_yet_comes_back_and_misses_nothing(void **state)
{
	struct http_double fresh;
	struct client client;
	char id[64];

	(void)state;
	/* Also before the first event of a run. */
	http_double_open(&fresh, false);
	d = &fresh;
	attach_with_id(&client, 5, "", id, sizeof(id));
	client_close(&client);
	http_events_publish(d->events, "first", "{\"n\":1}", 0);
	attach_with_id(&client, 5, id, id, sizeof(id));
	expect(&client, "id: ");
	expect(&client, "\nevent: ");
	assert_memory_equal(client.buf, "first", 5);
	client_close(&client);
	http_events_publish(d->events, "other", "{\"n\":2}", 6);
	http_events_publish(d->events, "third", "{\"n\":3}", 0);
	attach(&client, 5, id);
	expect(&client, "event: first\n");
	expect(&client, "\nevent: ");
	assert_memory_equal(client.buf, "third", 5);
	client_close(&client);
	http_double_close(d);
	d = &double_of_all;
}

static void who_was_away_too_long_or_asks_nonsense_gets_resync_first(void **state)
{
	static const char *const nonsense[] = {"7", "x-y", "0-1",
		"1-99999999999999999999999", "ffffffffffffffffffff-1", "-", "%s%n"};
	struct client client;
	char id[64];

	(void)state;
	attach(&client, 0, "");
	http_events_publish(d->events, "one", "{}", 0);
	take_id(&client, id, sizeof(id));
	client_close(&client);
	for (int i = 0; i < 9; i++)
		http_events_publish(d->events, "more", "{}", 0);
	attach(&client, 0, id);
	expect(&client, "event: resync\n");
	http_events_publish(d->events, "fresh", "{}", 0);
	expect(&client, "event: fresh\n");
	client_close(&client);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		attach(&client, 0, nonsense[i]);
		expect(&client, "event: resync\n");
		client_close(&client);
	}
}

static bool counts(void *arg, const struct http_listener *listener)
{
	(void)listener;
	(*(int *)arg)++;
	return false;
}

/* The server finds out by a heartbeat at the latest that a client has left. */
static void wait_until_nobody_reads(void)
{
	int64_t until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	int readers;

	do {
		(void)usleep(1000);
		readers = 0;
		http_events_end(d->events, counts, &readers);
	} while (readers > 0 && clock_mono_ms() < until_ms);
	assert_int_equal(readers, 0);
}

static void nobody_hears_until_one_reads_and_after_the_ring_has_moved_past(void **state)
{
	int64_t until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	struct http_events *hub;
	struct client client;
	char id[64];
	int more = 0;

	(void)state;
	assert_int_equal(http_events_new(8, 1, &hub), 0);
	assert_false(http_events_heard(hub));
	http_events_free(&hub);
	attach(&client, 0, "");
	assert_true(http_events_heard(d->events));
	http_events_publish(d->events, "one", "{}", 0);
	take_id(&client, id, sizeof(id));
	client_close(&client);
	/*
	 * Whoever left may come back for all that the double's ring holds, from when the server has
	 * found out: what is published wakes it, and it finds out by a heartbeat at the latest.
	 */
	for (; http_events_heard(d->events) && clock_mono_ms() < until_ms; more++) {
		http_events_publish(d->events, "more", "{}", 0);
		(void)usleep(1000);
	}
	assert_false(http_events_heard(d->events));
	assert_true(more > 8);
	/* What was left out from here on, nobody can miss without being told. */
	attach(&client, 0, id);
	expect(&client, "event: resync\n");
	assert_true(http_events_heard(d->events));
	client_close(&client);
}

static void a_heartbeat_comes_while_nothing_happens(void **state)
{
	struct client client;

	(void)state;
	attach(&client, 0, "");
	expect(&client, ": hb\n\n");
	expect(&client, ": hb\n\n");
	http_events_publish(d->events, "after", "{}", 0);
	expect(&client, "event: after\n");
	client_close(&client);
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
	static char data[16 * 1024];
	struct client deaf, good;
	int small = 4096;

	(void)state;
	memset(data, 'x', sizeof(data) - 1);
	attach(&deaf, 0, "");
	(void)setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	attach(&good, 0, "");
	/* More than the kernel's buffers and the limit together; the good one reads all. */
	for (int i = 0; i < 600; i++) {
		http_events_publish(d->events, "bulk", data, 0);
		expect(&good, "event: bulk\n");
		expect(&good, "\n\n");
	}
	http_events_publish(d->events, "last", "{}", 0);
	expect(&good, "event: last\n");
	assert_true(client_ended(&deaf));
	assert_null(strstr(deaf.buf, "event: last"));
	client_close(&deaf);
	client_close(&good);
}

static void clients_that_leave_are_forgotten(void **state)
{
	int64_t until_ms;

	(void)state;
	/* Each is another's: of one owner's too many the oldest would end anyway. */
	for (int i = 0; i < 40; i++) {
		struct client client;

		attach(&client, 100 + i, "");
		client_close(&client);
		http_events_publish(d->events, "tick", "{}", 0);
		http_events_publish(d->events, "tick", "{}", 0);
	}
	/* What is published wakes who has left, and is soon more than who comes back could have. */
	until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	while (http_events_heard(d->events) && clock_mono_ms() < until_ms) {
		http_events_publish(d->events, "tick", "{}", 0);
		(void)usleep(1000);
	}
	assert_false(http_events_heard(d->events));
}

static bool is_owner(void *arg, const struct http_listener *listener)
{
	return listener->owner == *(int64_t *)arg;
}

static void the_streams_of_one_owner_end_at_once_and_no_other(void **state)
{
	struct client seven, also_seven, eight;
	int64_t owner = 7;

	(void)state;
	attach(&seven, 7, "");
	attach(&also_seven, 7, "");
	attach(&eight, 8, "");
	http_events_publish(d->events, "before", "{}", 0);
	expect(&seven, "event: before");
	http_events_end(d->events, is_owner, &owner);
	http_events_publish(d->events, "after", "{}", 0);
	expect(&eight, "event: after");
	assert_false(client_await(&seven, "event: after", 100));
	/* The last chunk: the reply is over. */
	expect(&seven, "0\r\n\r\n");
	expect(&also_seven, "0\r\n\r\n");
	client_close(&seven);
	client_close(&also_seven);
	client_close(&eight);
}

static void streams_take_half_of_the_connections_and_no_place_of_a_request(void **state)
{
	static struct client_reply reply;
	struct client streams[DOUBLE_CONNECTIONS / 2];

	(void)state;
	wait_until_nobody_reads();
	for (int i = 0; i < DOUBLE_CONNECTIONS / 2; i++)
		attach(&streams[i], i + 1, "");
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
	client_get(d->port, "/events?1", &reply);
	assert_int_equal(reply.status, 503);
	for (int i = 0; i < DOUBLE_CONNECTIONS / 2; i++)
		client_close(&streams[i]);
}

static void of_too_many_streams_of_one_owner_the_oldest_goes(void **state)
{
	struct client streams[HTTP_STREAMS_PER_OWNER + 1], other;

	(void)state;
	wait_until_nobody_reads();
	attach(&other, 8, "");
	for (int i = 0; i <= HTTP_STREAMS_PER_OWNER; i++)
		attach(&streams[i], 7, "");
	/* Its reader would end the next oldest if it came again at once. */
	expect(&streams[0], "retry: 60000\n\n");
	assert_true(client_ended(&streams[0]));
	http_events_publish(d->events, "on", "{}", 0);
	expect(&other, "event: on\n");
	client_close(&other);
	for (int i = 1; i <= HTTP_STREAMS_PER_OWNER; i++) {
		expect(&streams[i], "event: on\n");
		client_close(&streams[i]);
	}
	client_close(&streams[0]);
}

static void stopping_ends_every_stream(void **state)
{
	struct client a, b;

	(void)state;
	attach(&a, 0, "");
	attach(&b, 0, "");
	http_events_publish(d->events, "bye", "{}", 0);
	http_double_stop(d);
	expect(&a, "event: bye\n");
	assert_true(client_ended(&a));
	assert_true(client_ended(&b));
	client_close(&a);
	client_close(&b);
	http_double_start(d);
	attach(&a, 0, "");
	http_events_publish(d->events, "again", "{}", 0);
	expect(&a, "event: again\n");
	client_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_says_what_it_is),
		cmocka_unit_test(an_event_reaches_every_stream_at_once),
		cmocka_unit_test(
			an_event_for_one_is_heard_by_that_one_and_by_those_who_hear_all),
		cmocka_unit_test(who_comes_back_misses_nothing),
		cmocka_unit_test(who_heard_nothing_yet_comes_back_and_misses_nothing),
		cmocka_unit_test(
			who_was_away_too_long_or_asks_nonsense_gets_resync_first),
		cmocka_unit_test(
			nobody_hears_until_one_reads_and_after_the_ring_has_moved_past),
		cmocka_unit_test(a_heartbeat_comes_while_nothing_happens),
		cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
		cmocka_unit_test(clients_that_leave_are_forgotten),
		cmocka_unit_test(the_streams_of_one_owner_end_at_once_and_no_other),
		cmocka_unit_test(
			streams_take_half_of_the_connections_and_no_place_of_a_request),
		cmocka_unit_test(of_too_many_streams_of_one_owner_the_oldest_goes),
		cmocka_unit_test(stopping_ends_every_stream),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
