/* test_addr.c: base/addr.h. */
#include "base/addr.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static struct addr at(const char *text)
{
	struct addr a = {.len = 0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void an_address_is_written_as_it_was_read(void **state)
{
	static const char *const texts[] = {"127.0.0.1:5060", "0.0.0.0:0", "[::1]:65535",
		"[2001:db8::8:800:200c:417a]:80",
		"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535"};
	char buf[ADDR_TEXT_SIZE];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		a = at(texts[i]);
		assert_string_equal(addr_text(&a, buf), texts[i]);
	}
	a = at(texts[4]); /* the longest way to write one */
	assert_string_equal(
		addr_text(&a, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void what_is_not_a_numeric_host_and_port_is_refused(void **state)
{
	static const char *const broken[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":5060",
		"127.0.0.1:-0", "127.0.0.1:65536", "127.0.0.1:5060 ", " 127.0.0.1:1",
		"localhost:80", "::1:80", "[::1]", "[::1:80", "::1]:80", "[]:80", "[",
		"[:1", "[127.0.0.1]:80", "127.0.0.1:80x", "256.0.0.1:80", "[::1]x:80",
		"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21:80"};
	struct addr a = {.len = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(addr_parse(broken[i], &a), -EINVAL);
	assert_int_equal(a.len, 77);
}

static void a_host_alone_gets_the_port_that_is_given(void **state)
{
	struct addr a = {.len = 0};
	char buf[ADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(addr_from_host("10.0.0.7", 5060, &a), 0);
	assert_string_equal(addr_text(&a, buf), "10.0.0.7:5060");
	assert_int_equal(addr_from_host("fe80::1", 1, &a), 0);
	assert_string_equal(addr_text(&a, buf), "[fe80::1]:1");
	assert_string_equal(addr_host(&a, buf), "fe80::1");
	assert_int_equal(addr_from_host("[::1]", 1, &a), -EINVAL);
	assert_int_equal(addr_from_host("example.com", 1, &a), -EINVAL);
	addr_set_port(&a, 443);
	assert_int_equal(addr_port(&a), 443);
}

static void no_address_is_an_empty_text_and_equals_nothing(void **state)
{
	struct addr none = {.len = 0}, some = at("127.0.0.1:1");
	char buf[ADDR_TEXT_SIZE] = "old";

	(void)state;
	assert_string_equal(addr_text(&none, buf), "");
	assert_string_equal(addr_host(&none, buf), "");
	assert_int_equal(addr_port(&none), 0);
	assert_false(addr_equal(&none, &some));
	assert_false(addr_same_host(&none, &none));
	assert_false(addr_is_loopback(&none));
}

static void equality_looks_at_host_and_port_and_same_host_only_at_the_host(void **state)
{
	struct addr a = at("10.0.0.1:1"), b = at("10.0.0.1:2"), c = at("10.0.0.2:1");
	struct addr d = at("[::1]:1"), e = at("[::1]:1");

	(void)state;
	assert_true(addr_same_host(&a, &b));
	assert_false(addr_equal(&a, &b));
	assert_false(addr_same_host(&a, &c));
	assert_false(addr_same_host(&a, &d));
	assert_true(addr_equal(&d, &e));
}

static void loopback_is_all_of_127_and_the_one_of_ipv6(void **state)
{
	struct addr a = at("127.255.0.3:1"), b = at("[::1]:1"), c = at("128.0.0.1:1"),
		    d = at("[::2]:1");

	(void)state;
	assert_true(addr_is_loopback(&a));
	assert_true(addr_is_loopback(&b));
	assert_false(addr_is_loopback(&c));
	assert_false(addr_is_loopback(&d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_as_it_was_read),
		cmocka_unit_test(what_is_not_a_numeric_host_and_port_is_refused),
		cmocka_unit_test(a_host_alone_gets_the_port_that_is_given),
		cmocka_unit_test(no_address_is_an_empty_text_and_equals_nothing),
		cmocka_unit_test(
			equality_looks_at_host_and_port_and_same_host_only_at_the_host),
		cmocka_unit_test(loopback_is_all_of_127_and_the_one_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
