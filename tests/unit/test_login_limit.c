/* test_login_limit.c: gateway/login_limit.h. Each test has an address of its own. */
#include "gateway/login_limit.h"

#include "unit/cmocka_all.h"

#define NOW 1000000

static struct addr host(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void ten_tries_are_free_and_the_next_must_wait(void **state)
{
	struct addr peer = host("192.0.2.1:1");
	int wait;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(login_limit_take(&peer, "ana", NOW), 0);
	wait = login_limit_take(&peer, "ana", NOW);
	assert_in_range(wait, 1, 6);
	/* Asking while waiting costs nothing. */
	assert_int_equal(login_limit_take(&peer, "ana", NOW), wait);
	assert_int_equal(login_limit_take(&peer, "ana", NOW + 1000 * wait), 0);
	assert_in_range(login_limit_take(&peer, "ana", NOW + 1000 * wait), 1, 6);
}

static void another_port_is_the_same_host(void **state)
{
	struct addr peer = host("192.0.2.2:1"), later = host("192.0.2.2:2");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(login_limit_take(&peer, "ana", NOW), 0);
	assert_true(login_limit_take(&later, "ana", NOW) > 0);
}

static void another_name_or_host_does_not_wait(void **state)
{
	struct addr peer = host("192.0.2.3:1"), other = host("[2001:db8::3]:1");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(login_limit_take(&peer, "ana", NOW), 0);
	assert_int_equal(login_limit_take(&peer, "bo", NOW), 0);
	assert_int_equal(login_limit_take(&other, "ana", NOW), 0);
}

static void after_a_minute_of_rest_ten_are_free_again(void **state)
{
	struct addr peer = host("192.0.2.4:1");

	(void)state;
	for (int round = 0; round < 3; round++) {
		int64_t now = NOW + round * 60000;

		for (int i = 0; i < 10; i++)
			assert_int_equal(login_limit_take(&peer, "ana", now), 0);
		assert_true(login_limit_take(&peer, "ana", now) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_tries_are_free_and_the_next_must_wait),
		cmocka_unit_test(another_port_is_the_same_host),
		cmocka_unit_test(another_name_or_host_does_not_wait),
		cmocka_unit_test(after_a_minute_of_rest_ten_are_free_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
