/* test_http_server.c: what the server does for well-behaved clients, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/request.h"
#include "unit/http_client.h"
#include "unit/http_double.h"

static struct http_double *d;
static struct client_reply reply; /* large, so not on the stack */

/* Where there is no memory for a request. */
enum { EVERYWHERE_ENOUGH, NONE_FOR_HEAD, NONE_FOR_BODY, NONE_FOR_FIELDS };
static atomic_int memory;

int __real_request_new(const struct request_plan *plan, struct http_request **ret);
int __wrap_request_new(const struct request_plan *plan, struct http_request **ret);
int __real_request_add_body(struct http_request *request, const char *data, size_t len);
int __wrap_request_add_body(struct http_request *request, const char *data, size_t len);
int __real_request_finish(struct http_request *request);
int __wrap_request_finish(struct http_request *request);

int __wrap_request_new(const struct request_plan *plan, struct http_request **ret)
{
	return memory == NONE_FOR_HEAD ? -ENOMEM : __real_request_new(plan, ret);
}

int __wrap_request_add_body(struct http_request *request, const char *data, size_t len)
{
	return memory == NONE_FOR_BODY ? -ENOMEM
				       : __real_request_add_body(request, data, len);
}

int __wrap_request_finish(struct http_request *request)
{
	return memory == NONE_FOR_FIELDS ? -ENOMEM : __real_request_finish(request);
}

static int setup(void **state)
{
	static struct http_double one;

	(void)state;
	d = &one;
	http_double_open(d, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_double_close(d);
	return 0;
}

static void expect_error(int status, const char *code)
{
	char start[128];

	(void)snprintf(start, sizeof(start),
		"{\"success\":false,\"error\":{\"code\":\"%s\",\"message\":\"", code);
	assert_int_equal(reply.status, status);
	assert_memory_equal(reply.body, start, strlen(start));
	assert_true(client_has(&reply, "Content-Type", "application/json"));
}

static void expect_secure(void)
{
	assert_true(client_has(&reply, "X-Content-Type-Options", "nosniff"));
	assert_true(client_has(&reply, "Referrer-Policy", "same-origin"));
	assert_non_null(
		strstr(reply.head, "Content-Security-Policy: default-src 'self'"));
}

static void post_on(
	struct client *client, const char *target, const char *extra, const char *body)
{
	client_printf(client,
		"POST %s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
		target, extra, strlen(body), body);
}

static void post(const char *target, const char *extra, const char *body)
{
	struct client client;

	client_open(&client, d->port);
	post_on(&client, target, extra, body);
	(void)client_read(&client, &reply, false);
	client_close(&client);
}

static void path_query_and_params_arrive_decoded_and_raw(void **state)
{
	(void)state;
	client_get(d->port, "/echo/a%20b/%E2%82%AC+?x=1&y=a%26b&x=2", &reply);
	assert_int_equal(reply.status, 201);
	assert_non_null(strstr(reply.body, "path /echo/a%20b/%E2%82%AC+\n"));
	assert_non_null(strstr(reply.body, "query x=1&y=a%26b&x=2\n"));
	assert_non_null(strstr(reply.body, "param a b\nparam \xe2\x82\xac+\n"));
	assert_non_null(strstr(reply.body, "query x=1\nquery y=a&b\nquery x=2\n"));
}

static void a_reply_keeps_its_status_type_cookie_and_location(void **state)
{
	(void)state;
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
	assert_true(client_has(&reply, "Content-Type", "text/plain"));
	assert_true(client_has(&reply, "Set-Cookie", "a=b; HttpOnly"));
	assert_true(client_has(&reply, "Location", "/there"));
	assert_true(client_has(&reply, "Retry-After", "7"));
	assert_true(client_has(&reply, "Cache-Control", "no-store"));
	expect_secure();
}

static void a_form_is_parsed_and_a_chunked_body_joined(void **state)
{
	struct client client;

	(void)state;
	post("/echo/1/2",
		"Content-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8\r\n",
		"To=%2B1415&Say=a+b");
	assert_non_null(strstr(reply.body, "form To=+1415\nform Say=a b\n"));
	assert_non_null(strstr(reply.body, "type application/x-www-form-urlencoded\n"));
	assert_non_null(strstr(reply.body, "body 18 To=%2B1415&Say=a+b\n"));

	client_open(&client, d->port);
	client_printf(&client, "POST /echo/1/2 HTTP/1.1\r\nHost: t\r\n"
			       "Content-Type: application/json\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n"
			       "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_non_null(strstr(reply.body, "type application/json\nbody 7 {\"a\":1}\n"));
	client_close(&client);
}

static void only_the_listed_headers_pass(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client,
		"GET /echo/1/2 HTTP/1.1\r\nHost: h.example\r\nORIGIN: https://o\r\n"
		"Cookie: c=1\r\nAuthorization: Bearer b\r\nSec-Fetch-Site: same-origin\r\n"
		"Idempotency-Key: k\r\nLast-Event-ID: 7\r\nI-Twilio-Idempotency-Token: t\r\n"
		"X-Secret: zzz\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	assert_non_null(
		strstr(reply.body, "host h.example\norigin https://o\ncookie c=1\n"
				   "auth Bearer b\nsite same-origin\nkey k\nlast 7\n"
				   "token t\n"));
	assert_null(strstr(reply.body, "zzz"));
	client_close(&client);
}

static void expect_peer(const char *forwarded, const char *peer)
{
	struct client client;
	char line[64];

	client_open(&client, d->port);
	client_printf(&client, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n%s%s\r\n\r\n",
		forwarded[0] != '\0' ? "X-Forwarded-For: " : "X-Nothing: ", forwarded);
	assert_true(client_read(&client, &reply, false));
	(void)snprintf(line, sizeof(line), "peer %s\n", peer);
	assert_non_null(strstr(reply.body, line));
	client_close(&client);
}

static void the_peer_is_the_rightmost_address_that_no_trusted_proxy_has(void **state)
{
	(void)state;
	expect_peer("", "127.0.0.1");
	expect_peer("203.0.113.9", "203.0.113.9");
	expect_peer("6.6.6.6, 203.0.113.9 , 10.1.2.3", "203.0.113.9");
	expect_peer("203.0.113.9:4711, 127.0.0.1", "203.0.113.9");
	expect_peer("2001:db8::7", "2001:db8::7");
	expect_peer("10.2.0.1, 10.1.0.1", "10.2.0.1");
	expect_peer("6.6.6.6, unknown, 10.1.2.3", "10.1.2.3");
	expect_peer("10.1.0.1", "10.1.0.1");
	expect_peer(",,,", "127.0.0.1");
	/* IPv4 in IPv6 (RFC 4291, 2.5.5.2) is IPv4. */
	expect_peer("::ffff:203.0.113.9", "203.0.113.9");
	expect_peer("::FFFF:cb00:7109, 127.0.0.1", "203.0.113.9");
	expect_peer("203.0.113.9, [::ffff:10.1.2.3]:99", "203.0.113.9");
	expect_peer("203.0.113.9, 10.3.0.7", "203.0.113.9");
	expect_peer("203.0.113.9, 10.4.0.1", "203.0.113.9");
	expect_peer("203.0.113.9, 10.4.0.2", "10.4.0.2");
}

static void head_is_get_without_the_body(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "HEAD /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, true));
	assert_int_equal(reply.status, 201);
	assert_null(strstr(reply.head, "Content-Length: 0\r\n"));
	/* Nothing of a body stands before the next reply. */
	client_printf(&client, "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	expect_error(404, "NOT_FOUND");
	client_close(&client);
}

static void an_unknown_path_is_404_and_a_wrong_method_405_with_allow(void **state)
{
	struct client client;

	(void)state;
	post("/nothing", "", "");
	expect_error(404, "NOT_FOUND");
	expect_secure();
	post("/busy", "", "x=1");
	expect_error(405, "METHOD_NOT_ALLOWED");
	assert_true(client_has(&reply, "Allow", "GET, HEAD"));
	client_open(&client, d->port);
	client_printf(&client, "BREW /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, false));
	expect_error(405, "METHOD_NOT_ALLOWED");
	assert_true(client_has(&reply, "Allow", "GET, HEAD, POST"));
	client_close(&client);
}

static void an_unsigned_request_is_refused_before_anybody_sees_it(void **state)
{
	size_t held = d->held_count;

	(void)state;
	post("/signed/hold", "", "a=1");
	expect_error(403, "SIGNATURE_INVALID");
	post("/signed/hold", "X-Twilio-Signature: bad\r\n", "a=1");
	expect_error(403, "SIGNATURE_INVALID");
	assert_int_equal(d->held_count, held);
	post("/signed", "X-Twilio-Signature: good\r\n", "a=1");
	assert_int_equal(reply.status, 201);
}

/* Twilio passes on what others wrote; its signature is over that, whatever it is. */
static void bytes_that_are_no_text_in_a_signed_form_become_question_marks(void **state)
{
	(void)state;
	post("/signed",
		"X-Twilio-Signature: good\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n",
		"a%ff=%c3(&b=%c3%a9");
	assert_int_equal(reply.status, 201);
	assert_non_null(strstr(reply.body, "form a?=?(\n"));
	assert_non_null(strstr(reply.body, "form b=\xc3\xa9\n"));
}

static void an_empty_reply_has_no_body_and_the_line_stays_open(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, d->port);
	for (int i = 0; i < 3; i++) {
		post_on(&client, "/empty", "", "x");
		assert_true(client_read(&client, &reply, true));
		assert_int_equal(reply.status, 204);
	}
	client_close(&client);
}

static void a_full_gateway_is_503_with_retry_after(void **state)
{
	(void)state;
	client_get(d->port, "/busy", &reply);
	expect_error(503, "OVERLOADED");
	assert_true(client_has(&reply, "Retry-After", "1"));
}

static void expect_late(const char *target, const char *url)
{
	char body[512];
	struct client client;

	client_open(&client, d->port);
	client_printf(&client,
		"GET %s HTTP/1.1\r\nHost: t\r\nX-Twilio-Signature: good\r\n\r\n", target);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 200);
	assert_true(client_has(&reply, "Content-Type", "text/xml"));
	(void)snprintf(body, sizeof(body), "%s%s%s", DOUBLE_LATE, url, DOUBLE_LATE_TAIL);
	assert_string_equal(reply.body, body);
	client_close(&client);
}

static void a_twiml_route_answers_from_memory_when_the_gateway_is_full(void **state)
{
	(void)state;
	expect_late("/twiml/busy", "busy");
}

/* Behind a proxy the path may begin with something that we do not see. */
static void what_comes_too_late_is_asked_for_again_by_its_own_url(void **state)
{
	(void)state;
	expect_late("/twiml/busy?", "busy");
	expect_late("/twiml/busy?call=7&x=%3C%26&y=a+b",
		"busy?call=7&amp;x=%3C%26&amp;y=a+b");
	expect_late("/twiml/busy?<a>\"'#\xff", "busy?%3Ca%3E%22%27%23%FF");
	expect_late("http://t/twiml?a/b", "twiml?a/b");
}

static void a_twiml_route_answers_from_memory_when_no_reply_comes_in_time(void **state)
{
	size_t held = d->held_count;
	int64_t start_ms = clock_mono_ms();

	(void)state;
	expect_late("/twiml", "twiml");
	assert_in_range((uint64_t)(clock_mono_ms() - start_ms), 95, 3000);
	/* The true reply comes after all: it is dropped, and nothing breaks. */
	http_double_reply(d, http_double_await_held(d, held + 1), "too late");
	expect_late("/twiml/busy", "busy");
}

static void post_to(const char *target)
{
	struct client client;

	client_open(&client, d->port);
	client_printf(&client,
		"POST %s HTTP/1.1\r\nHost: t\r\nX-Twilio-Signature: good\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
		"3\r\n\r\na=b",
		target);
	assert_true(client_read(&client, &reply, false));
	client_close(&client);
}

static void without_memory_a_request_is_500_and_twiml_is_asked_for_again(void **state)
{
	static const int without[] = {NONE_FOR_HEAD, NONE_FOR_BODY, NONE_FOR_FIELDS};

	(void)state;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		memory = without[i];
		post_to("/signed");
		expect_error(500, "INTERNAL");
		post_to("/twiml");
		assert_int_equal(reply.status, 200);
		assert_string_equal(reply.body, DOUBLE_LATE "twiml" DOUBLE_LATE_TAIL);
		memory = EVERYWHERE_ENOUGH;
	}
	post_to("/signed");
	assert_int_equal(reply.status, 201);
}

static void a_reply_from_another_thread_reaches_its_connection(void **state)
{
	struct client first, second;
	size_t held = d->held_count;
	uint64_t id_first, id_second;

	(void)state;
	client_open(&first, d->port);
	client_open(&second, d->port);
	client_printf(&first, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	id_first = http_double_await_held(d, held + 1);
	client_printf(&second, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	id_second = http_double_await_held(d, held + 2);
	assert_int_not_equal(id_first, id_second);
	http_double_reply(d, id_second, "{\"n\":2}");
	http_double_reply(d, id_first, "{\"n\":1}");
	assert_true(client_read(&first, &reply, false));
	assert_string_equal(reply.body, "{\"n\":1}");
	assert_true(client_read(&second, &reply, false));
	assert_string_equal(reply.body, "{\"n\":2}");
	client_close(&first);
	client_close(&second);
}

static void a_second_reply_and_an_unknown_id_are_dropped(void **state)
{
	struct client client;
	size_t held = d->held_count;
	uint64_t id;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	id = http_double_await_held(d, held + 1);
	http_double_reply(d, id + 1, "other");
	http_double_reply(d, 0, "none");
	http_double_reply(d, id, "one");
	http_double_reply(d, id, "two");
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "one");
	/* The next request on the line gets its own reply, under its own id. */
	client_printf(&client, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_int_not_equal(http_double_await_held(d, held + 2), id);
	http_double_reply(d, id, "two again");
	http_double_reply(d, http_double_await_held(d, held + 2), "three");
	assert_true(client_read(&client, &reply, false));
	assert_string_equal(reply.body, "three");
	client_close(&client);
}

static void a_reply_after_the_client_left_is_dropped(void **state)
{
	struct client client;
	size_t held = d->held_count;
	uint64_t id;

	(void)state;
	client_open(&client, d->port);
	client_printf(&client, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	id = http_double_await_held(d, held + 1);
	client_close(&client);
	http_double_reply(d, id, "nobody");
	http_double_reply(d, id, "still nobody");
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
}

static void others_are_shed_while_signed_and_vital_requests_get_through(void **state)
{
	struct client clients[DOUBLE_CONNECTIONS / 2], more;
	size_t held = d->held_count;

	(void)state;
	for (size_t i = 0; i < DOUBLE_CONNECTIONS / 2; i++) {
		client_open(&clients[i], d->port);
		client_printf(&clients[i], "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
		(void)http_double_await_held(d, held + i + 1);
	}
	client_get(d->port, "/hold", &reply);
	expect_error(503, "OVERLOADED");
	client_get(d->port, "/vital", &reply);
	assert_int_equal(reply.status, 201);
	client_open(&more, d->port);
	post_on(&more, "/signed/hold", "X-Twilio-Signature: good\r\n", "");
	assert_int_not_equal(
		http_double_await_held(d, held + DOUBLE_CONNECTIONS / 2 + 1), 0);
	for (size_t i = held; i < d->held_count; i++)
		http_double_reply(d, d->held[i], "{}");
	assert_true(client_read(&more, &reply, false));
	assert_int_equal(reply.status, 200);
	client_close(&more);
	for (size_t i = 0; i < DOUBLE_CONNECTIONS / 2; i++) {
		assert_true(client_read(&clients[i], &reply, false));
		assert_int_equal(reply.status, 200);
		client_close(&clients[i]);
	}
	client_get(d->port, "/echo/1/2", &reply);
	assert_int_equal(reply.status, 201);
}

static void the_console_is_served_with_tags_and_types(void **state)
{
	struct client client;
	char tag[128] = "";
	const char *at;

	(void)state;
	client_get(d->port, "/", &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "<p>console</p>");
	assert_true(client_has(&reply, "Content-Type", "text/html; charset=utf-8"));
	assert_true(client_has(&reply, "Cache-Control", "no-cache"));
	expect_secure();
	at = strstr(reply.head, "ETag: ");
	assert_non_null(at);
	(void)sscanf(at, "ETag: %127s", tag);

	client_open(&client, d->port);
	client_printf(&client,
		"GET /index.html HTTP/1.1\r\nHost: t\r\nIf-None-Match: \"x\", W/%s\r\n\r\n",
		tag);
	assert_true(client_read(&client, &reply, false));
	assert_int_equal(reply.status, 304);
	expect_secure();
	client_printf(
		&client, "HEAD /assets/app-1a2b.js?v=1 HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_true(client_read(&client, &reply, true));
	assert_int_equal(reply.status, 200);
	assert_true(client_has(&reply, "Content-Type", "text/javascript; charset=utf-8"));
	assert_true(client_has(&reply, "Content-Length", "5"));
	client_close(&client);
}

static void a_cookie_is_found_by_its_whole_name(void **state)
{
	char cookies[] = "xsid=1; sid=abc==; sidx=2;empty=; a";
	struct http_request request = {.cookie = cookies};
	char buf[6];

	(void)state;
	assert_int_equal(http_cookie(&request, "sid", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "abc==");
	assert_int_equal(http_cookie(&request, "sid", buf, 5), -ENAMETOOLONG);
	assert_int_equal(http_cookie(&request, "empty", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(http_cookie(&request, "a", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(http_cookie(&request, "si", buf, sizeof(buf)), -ENOENT);
}

static void stopping_answers_whoever_waits_and_leaves_the_socket_to_its_owner(
	void **state)
{
	struct client waiting, twiml, next;
	size_t held = d->held_count;

	(void)state;
	client_open(&waiting, d->port);
	client_printf(&waiting, "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
	assert_int_not_equal(http_double_await_held(d, held + 1), 0);
	http_double_stop(d);
	assert_true(client_read(&waiting, &reply, false));
	expect_error(503, "OVERLOADED");
	client_close(&waiting);

	/* A worker that comes up on the same socket serves who connected in between. */
	client_open(&next, d->port);
	client_printf(&next, "GET /echo/1/2 HTTP/1.1\r\nHost: t\r\n\r\n");
	http_double_start(d);
	assert_true(client_read(&next, &reply, false));
	assert_int_equal(reply.status, 201);
	client_close(&next);
	client_open(&twiml, d->port);
	client_close(&twiml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_query_and_params_arrive_decoded_and_raw),
		cmocka_unit_test(a_reply_keeps_its_status_type_cookie_and_location),
		cmocka_unit_test(a_form_is_parsed_and_a_chunked_body_joined),
		cmocka_unit_test(only_the_listed_headers_pass),
		cmocka_unit_test(
			the_peer_is_the_rightmost_address_that_no_trusted_proxy_has),
		cmocka_unit_test(head_is_get_without_the_body),
		cmocka_unit_test(
			an_unknown_path_is_404_and_a_wrong_method_405_with_allow),
		cmocka_unit_test(an_unsigned_request_is_refused_before_anybody_sees_it),
		cmocka_unit_test(
			bytes_that_are_no_text_in_a_signed_form_become_question_marks),
		cmocka_unit_test(an_empty_reply_has_no_body_and_the_line_stays_open),
		cmocka_unit_test(a_full_gateway_is_503_with_retry_after),
		cmocka_unit_test(
			a_twiml_route_answers_from_memory_when_the_gateway_is_full),
		cmocka_unit_test(
			a_twiml_route_answers_from_memory_when_no_reply_comes_in_time),
		cmocka_unit_test(what_comes_too_late_is_asked_for_again_by_its_own_url),
		cmocka_unit_test(
			without_memory_a_request_is_500_and_twiml_is_asked_for_again),
		cmocka_unit_test(a_reply_from_another_thread_reaches_its_connection),
		cmocka_unit_test(a_second_reply_and_an_unknown_id_are_dropped),
		cmocka_unit_test(a_reply_after_the_client_left_is_dropped),
		cmocka_unit_test(
			others_are_shed_while_signed_and_vital_requests_get_through),
		cmocka_unit_test(the_console_is_served_with_tags_and_types),
		cmocka_unit_test(a_cookie_is_found_by_its_whole_name),
		cmocka_unit_test(
			stopping_answers_whoever_waits_and_leaves_the_socket_to_its_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
