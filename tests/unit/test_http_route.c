/* test_http_route.c: the route table as a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "http/route.h"

static const struct http_route rows[] = {
	{.methods = HTTP_GET, .path = "/"},
	{.methods = HTTP_GET, .path = "/api/calls"},
	{.methods = HTTP_POST, .path = "/api/calls"},
	{.methods = HTTP_GET | HTTP_PATCH, .path = "/api/calls/:callId"},
	{.methods = HTTP_GET, .path = "/api/calls/token"},
	{.methods = HTTP_POST, .path = "/api/calls/:callId/hold"},
	{.methods = HTTP_POST, .path = "/api/calls/token/renew"},
	{.methods = HTTP_POST, .path = "/q/:a/call/:b"},
	{.methods = HTTP_GET, .path = "/q/:a/:b/:c/:d"},
};

static int setup(void **state)
{
	struct route_table *table = NULL;

	assert_int_equal(
		route_table_new(rows, sizeof(rows) / sizeof(rows[0]), &table), 0);
	*state = table;
	return 0;
}

static int teardown(void **state)
{
	struct route_table *table = *state;

	route_table_free(&table);
	assert_null(table);
	route_table_free(&table);
	return 0;
}

static void expect_row(void **state, unsigned method, const char *path, size_t row)
{
	struct route_match match;
	unsigned allowed;

	assert_int_equal(route_find(*state, method, path, &match, &allowed), 0);
	assert_int_equal(match.route, row);
}

static void a_path_finds_its_row_by_method(void **state)
{
	expect_row(state, HTTP_GET, "/", 0);
	expect_row(state, HTTP_GET, "/api/calls", 1);
	expect_row(state, HTTP_POST, "/api/calls", 2);
	expect_row(state, HTTP_PATCH, "/api/calls/17", 3);
}

static void a_literal_wins_over_a_name_at_the_same_place(void **state)
{
	expect_row(state, HTTP_GET, "/api/calls/token", 4);
	expect_row(state, HTTP_GET, "/api/calls/tokens", 3);
	expect_row(state, HTTP_POST, "/q/1/call/2", 7);
	expect_row(state, HTTP_GET, "/q/1/call/2/3", 8);
}

static void a_literal_that_leads_nowhere_gives_way_to_the_name(void **state)
{
	struct route_match match;
	unsigned allowed;

	assert_int_equal(
		route_find(*state, HTTP_POST, "/api/calls/token/hold", &match, &allowed),
		0);
	assert_int_equal(match.route, 5);
	assert_int_equal(match.param_count, 1);
	assert_memory_equal(match.params[0].text, "token/hold", 10);
	assert_int_equal(match.params[0].len, 5);
	expect_row(state, HTTP_PATCH, "/api/calls/token", 3);
}

static void names_are_given_in_order_and_undecoded(void **state)
{
	struct route_match match;
	unsigned allowed;

	assert_int_equal(
		route_find(*state, HTTP_GET, "/q/w%20x/2/3/44", &match, &allowed), 0);
	assert_int_equal(match.param_count, 4);
	assert_int_equal(match.params[0].len, 5);
	assert_memory_equal(match.params[0].text, "w%20x", 5);
	assert_int_equal(match.params[3].len, 2);
	assert_memory_equal(match.params[3].text, "44", 2);
}

static void an_unknown_path_is_told_from_an_unknown_method(void **state)
{
	static const char *const unknown[] = {"", "x", "//", "/api", "/api/",
		"/api/calls/", "/api//calls", "/api/calls/1/", "/api/calls/1/hold/2",
		"/q/1/2/3/4/5", "/API/calls", "/api/%63alls", "api/calls"};
	struct route_match match = {.route = 99};
	unsigned allowed;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_int_equal(
			route_find(*state, HTTP_GET, unknown[i], &match, &allowed),
			-ENOENT);
		assert_int_equal(allowed, 0);
	}
	assert_int_equal(route_find(*state, HTTP_DELETE, "/api/calls", &match, &allowed),
		-EOPNOTSUPP);
	assert_int_equal(allowed, HTTP_GET | HTTP_POST);
	assert_int_equal(route_find(*state, 0, "/", &match, &allowed), -EOPNOTSUPP);
	assert_int_equal(match.route, 99);
}

static void expect_refused(const struct http_route *row, int err)
{
	struct http_route two[] = {{.methods = HTTP_GET, .path = "/a/:b"}, *row};
	struct route_table *table = NULL;

	assert_int_equal(route_table_new(two, 2, &table), err);
	assert_null(table);
}

static void a_table_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	expect_refused(
		&(struct http_route){.methods = HTTP_GET, .path = "/a/:c"}, -EEXIST);
	expect_refused(&(struct http_route){.methods = HTTP_GET, .path = "a"}, -EINVAL);
	expect_refused(&(struct http_route){.methods = HTTP_GET, .path = ""}, -EINVAL);
	expect_refused(&(struct http_route){.methods = HTTP_GET, .path = "/a/"}, -EINVAL);
	expect_refused(
		&(struct http_route){.methods = HTTP_GET, .path = "/a//b"}, -EINVAL);
	expect_refused(&(struct http_route){.methods = 0, .path = "/x"}, -EINVAL);
	expect_refused(
		&(struct http_route){.methods = HTTP_GET, .path = "/:a/:b/:c/:d/:e"},
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_finds_its_row_by_method),
		cmocka_unit_test(a_literal_wins_over_a_name_at_the_same_place),
		cmocka_unit_test(a_literal_that_leads_nowhere_gives_way_to_the_name),
		cmocka_unit_test(names_are_given_in_order_and_undecoded),
		cmocka_unit_test(an_unknown_path_is_told_from_an_unknown_method),
		cmocka_unit_test(a_table_that_contradicts_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
