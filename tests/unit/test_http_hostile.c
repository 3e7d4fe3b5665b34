/* test_http_hostile.c: oversized, truncated, broken and lying requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "unit/http_client.h"
#include "unit/http_double.h"

static struct http_double *d;
static struct client_reply reply;
static char big[128 * 1024];

static int setup(void **state)
{
	static struct http_double one;

	(void)state;
	d = &one;
	http_double_open(d, true);
	memset(big, 'a', sizeof(big));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_double_close(d);
	return 0;
}

static void expect_alive(void)
{
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
}

/* Sends these bytes and expects this status in the reply. */
static void expect_status(const char *request, int status)
{
	struct client client;

	client_open(&client, d->port);
	client_send(&client, request, strlen(request));
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, status);
	client_close(&client);
}

static void expect_get(const char *target, int status)
{
	client_get(d->port, target, &reply);
	assert_int_equal(reply.status, status);
}

static void broken_escapes_and_control_characters_are_400(void **state)
{
	static const char *const targets[] = {"/echo/%/2", "/echo/%2/2", "/echo/%zz/2",
		"/echo/1/%0", "/echo/1/%00", "/echo/1/a%0ab", "/echo/1/%7f",
		"/echo/1/2?x=%", "/echo/1/2?x=%0g", "/echo/1/2?a%00=1", "/echo/1/%ff",
		"/echo/1/2?x=%c3", "/echo/1/2?x%80=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		expect_get(targets[i], 400);
	expect_status("POST /echo/1/2 HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n"
		      "Content-Type: application/x-www-form-urlencoded\r\n\r\na=%x",
		400);
	expect_status("POST /echo/1/2 HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n"
		      "Content-Type: application/x-www-form-urlencoded\r\n\r\na=%ed",
		400);
	expect_status("GET /echo/1/2 HTTP/1.1\r\nHost: t\r\nCookie: a\001b\r\n\r\n", 400);
	expect_alive();
}

static void more_than_256_fields_are_400(void **state)
{
	char target[2048] = "/echo/1/2?";

	(void)state;
	for (int i = 0; i < 257; i++)
		strcat(target, "a=1&");
	expect_get(target, 400);
	expect_alive();
}

static void more_parts_than_memory_are_refused_and_leave_nothing_behind(void **state)
{
	struct client client;

	(void)state;
	for (int round = 0; round < 3; round++) {
		client_open(&client, d->port);
		client_printf(&client, "GET /echo/1/2?");
		for (int i = 0; i < 1500; i++)
			client_printf(&client, "a&");
		client_printf(&client, " HTTP/1.1\r\nHost: t\r\n\r\n");
		assert_true(client_read(&client, &reply, false));
		assert_int_equal(reply.status, 400);
		client_close(&client);

		client_open(&client, d->port);
		client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n");
		for (int i = 0; i < 1500; i++)
			client_printf(&client, "a:\r\n");
		client_printf(&client, "\r\n");
		assert_true(client_read(&client, &reply, false));
		assert_int_equal(reply.status, 431);
		client_close(&client);
	}
	expect_alive();
}

static void a_body_over_the_limit_is_413(void **state)
{
	struct client client;

	(void)state;
	expect_status(
		"POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n1234567890",
		201);
	expect_status(
		"POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\n12345678901",
		413);
	/* So long a body is not waited for. */
	expect_status(
		"POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n",
		413);
	expect_status(
		"POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
		"8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n",
		413);

	/* The line stays good after a refused body of bearable length. */
	client_open(&client, d->port);
	client_printf(&client,
		"POST /echo/1/2 HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
	client_send(&client, big, 100000);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 413);
	client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 201);
	client_close(&client);
}

static void an_endless_chunked_body_is_cut_off(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client,
		"POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		client_printf(&client, "%zx\r\n", sizeof(big));
		client_send(&client, big, sizeof(big));
		client_printf(&client, "\r\n");
	}
	assert_true(client_ended(&client));
	client_close(&client);
	expect_alive();
}

static void a_long_address_is_414_and_long_headers_431(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "GET /echo/1/%.4200s HTTP/1.1\r\nHost: t\r\n\r\n", big);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 414);
	assert_non_null(strstr(reply.body, "\"URI_TOO_LONG\""));
	client_printf(&client,
		"GET /echo/1/2 HTTP/1.1\r\nHost: t\r\nCookie: %.8400s\r\n\r\n", big);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 431);
	assert_non_null(strstr(reply.body, "\"HEADERS_TOO_LARGE\""));
	client_close(&client);

	/* What does not fit a connection's memory at all never reaches our code. */
	client_open(&client, d->port);
	client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\nCookie: ");
	client_send(&client, big, sizeof(big));
	(void)client_ended(&client);
	client_close(&client);
	client_open(&client, d->port);
	client_printf(&client, "GET /");
	client_send(&client, big, sizeof(big));
	(void)client_ended(&client);
	client_close(&client);
	expect_alive();
}

/* Sends this head and what may be a request behind it; expects one refusal, then the end. */
static void expect_last(const char *head)
{
	struct client client;

	client_open(&client, d->port);
	client_printf(&client,
		"POST /echo/1/2 HTTP/1.1\r\nHost: t\r\n%s\r\n0\r\n\r\n"
		"GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n",
		head);
	assert_true(client_ended(&client));
	assert_memory_equal(client.buf, "HTTP/1.1 4", 10);
	assert_null(strstr(client.buf, "HTTP/1.1 2"));
	client_close(&client);
}

static void a_body_whose_end_two_may_see_elsewhere_is_refused_with_all_behind_it(
	void **state)
{
	static const char *const heads[] = {
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
		"Content-Length: 0\r\nContent-Length: 5\r\n",
		"Content-Length: 5\r\nContent-Length: 0\r\n",
		"Content-Length: 5\r\ncontent-length: 5\r\n", "Content-Length: 5, 5\r\n",
		"Content-Length: -1\r\n", "Content-Length: +5\r\n",
		"Content-Length: 5x\r\n", "Content-Length:\r\n",
		"Content-Length: 99999999999999999999999\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, x\r\n",
		"Transfer-Encoding:\r\n", "Transfer-Encoding : chunked\r\n",
		"Content-Length : 5\r\n", "Transfer-Encoding:\r\n chunked\r\n",
		"Content-Length: 5\r\nTransfer-Encoding:\r\n\tchunked\r\n",
		"Content-Length: 0\r\n 5\r\n"};
	char head[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		expect_last(heads[i]);
	/* Whatever else is wrong with it. */
	(void)snprintf(head, sizeof(head),
		"Content-Length: 0\r\nContent-Length: 5\r\nCookie: %.8400s\r\n", big);
	expect_last(head);
	expect_alive();
}

static void no_trick_with_a_path_leaves_the_folder_of_files(void **state)
{
	static const char *const targets[] = {"/../etc/passwd", "/assets/../index.html",
		"/%2e%2e/etc/passwd", "/..%2fetc/passwd", "//etc/passwd", "/assets",
		"/assets/", "/.secret", "/assets/.x", "/link.html", "/out/passwd",
		"/index.html/", "/index.html/x", "/in%64ex.html", "/index.html%00.js",
		"/\\..\\x", "/~root", "/a/b/c/d/e/f/g/h/i/j", "*", "index.html", "?",
		"http://evil", "http:/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		client_get(d->port, targets[i], &reply);
		assert_true(reply.status == 404 || reply.status == 400 ||
			    strcmp(targets[i], "http://evil") == 0);
		assert_null(strstr(reply.body, "root:"));
	}
	expect_get("http://any.example/index.html", 200);
}

static void a_request_that_breaks_off_anywhere_costs_nothing(void **state)
{
	static const char request[] = "POST /echo/1/2 HTTP/1.1\r\nHost: t\r\n"
				      "Content-Length: 5\r\n\r\nhello";

	(void)state;
	for (size_t len = 0; len < sizeof(request) - 1; len++) {
		struct client client;

		client_open(&client, d->port);
		client_send(&client, request, len);
		client_close(&client);
	}
	expect_alive();
}

static void noise_is_answered_or_closed_but_never_served(void **state)
{
	static const char *const noise[] = {"\r\n\r\n\r\n", "GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET /echo/1/2\r\n\r\n", "GET /echo/1/2 HTTP/1.1\r\nHost\r\n\r\n",
		"GET /echo/1/2 HTTP/1.1\r\n: x\r\n\r\n",
		"POST /echo/1/2 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /echo/1/2 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		struct client client;

		client_open(&client, d->port);
		client_send(&client, noise[i], strlen(noise[i]));
		client_close(&client);
	}
	expect_alive();
}

static void an_idle_connection_is_closed(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHos");
	assert_true(client_ended(&client));
	client_close(&client);
}

static void ask_signed(struct client *client)
{
	client_printf(client,
		"POST /signed HTTP/1.1\r\nHost: t\r\nX-Twilio-Signature: good\r\n"
		"Content-Length: 3\r\n\r\na=1");
	assert_true(client_await(client, "HTTP/1.1 201", CLIENT_DEADLINE_MS));
}

/* Those that came in the crowd and said nothing; one that was served comes again. */
static void idle_connections_do_not_keep_others_out(void **state)
{
	struct client idle[DOUBLE_CONNECTIONS],
		*served = &idle[DOUBLE_CONNECTIONS / 4 * 3];
	struct client client;

	(void)state;
	http_double_stop(d);
	d->idle_s = 60;
	http_double_start(d);
	for (size_t i = 0; i < DOUBLE_CONNECTIONS; i++) {
		client_open(&idle[i], d->port);
		if (&idle[i] == served)
			ask_signed(served);
	}
	client_open(&client, d->port);
	client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_await(&client, "HTTP/1.1 201", 20000));
	assert_true(client_ended(&idle[DOUBLE_CONNECTIONS - 1]));
	ask_signed(served);
	client_close(&client);
	for (size_t i = 0; i < DOUBLE_CONNECTIONS; i++)
		client_close(&idle[i]);
	http_double_stop(d);
	d->idle_s = 0;
	http_double_start(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_escapes_and_control_characters_are_400),
		cmocka_unit_test(more_than_256_fields_are_400),
		cmocka_unit_test(
			more_parts_than_memory_are_refused_and_leave_nothing_behind),
		cmocka_unit_test(a_body_over_the_limit_is_413),
		cmocka_unit_test(an_endless_chunked_body_is_cut_off),
		cmocka_unit_test(a_long_address_is_414_and_long_headers_431),
		cmocka_unit_test(
			a_body_whose_end_two_may_see_elsewhere_is_refused_with_all_behind_it),
		cmocka_unit_test(no_trick_with_a_path_leaves_the_folder_of_files),
		cmocka_unit_test(a_request_that_breaks_off_anywhere_costs_nothing),
		cmocka_unit_test(noise_is_answered_or_closed_but_never_served),
		cmocka_unit_test(an_idle_connection_is_closed),
		cmocka_unit_test(idle_connections_do_not_keep_others_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
