/* test_http_request.c: http/request.h: a request takes the memory that its body needs. */
#include "http/request.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

#define LARGE (10 * 1024 * 1024)

/* A request whose head declares `length` bytes; NULL: it comes in chunks. */
static struct http_request *begin(const char *length)
{
	static const struct route_match match;
	static const struct addr peer;
	struct request_head head = {0};
	struct http_request *request = NULL;

	if (length != NULL)
		request_head_add(&head, "Content-Length", 14, length, strlen(length));
	else
		request_head_add(&head, "Transfer-Encoding", 17, "chunked", 7);
	assert_int_equal(request_new(&(struct request_plan){.method = HTTP_POST,
					     .path = "/x",
					     .query = "",
					     .match = &match,
					     .head = &head,
					     .peer = &peer,
					     .body_max = LARGE},
				 &request),
		0);
	return request;
}

static void a_declared_length_takes_no_memory_before_its_bytes_come(void **state)
{
	struct http_request *request = begin("10485760");

	(void)state;
	assert_true(malloc_usable_size(request) < 64 * 1024);
	http_request_free(&request);
}

/* In pieces of all sizes, so that every growth is passed with bytes on both sides of it. */
static void expect_whole(const char *length, size_t total)
{
	struct http_request *request = begin(length);
	char *body = malloc(total);
	size_t sent = 0;

	for (size_t i = 0; i < total; i++)
		body[i] = (char)('a' + i % 23);
	for (size_t piece = 1; sent < total; piece = piece * 3 % 5001) {
		size_t len = piece < total - sent ? piece : total - sent;

		assert_int_equal(request_add_body(request, body + sent, len), 0);
		sent += len;
		assert_int_equal(request->body[sent], '\0');
	}
	assert_int_equal(request->body_len, total);
	assert_memory_equal(request->body, body, total);
	http_request_free(&request);
	free(body);
}

static void a_body_is_whole_however_it_grows(void **state)
{
	(void)state;
	expect_whole("1", 1);
	expect_whole("16384", 16384);
	expect_whole("100000", 100000);
	expect_whole("10485760", LARGE);
	expect_whole(NULL, 100000);
}

static void more_than_the_limit_is_refused(void **state)
{
	struct http_request *request = begin(NULL);
	char *body = calloc(1, LARGE);

	(void)state;
	assert_int_equal(request_add_body(request, body, LARGE), 0);
	assert_int_equal(request_add_body(request, body, 1), -E2BIG);
	http_request_free(&request);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_declared_length_takes_no_memory_before_its_bytes_come),
		cmocka_unit_test(a_body_is_whole_however_it_grows),
		cmocka_unit_test(more_than_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
