/* test_rate.c: gateway/rate.h, with a clock of its own. */
#include "gateway/rate.h"

#include "unit/cmocka_all.h"

#define NOW 1000000
#define PER_SECOND 10

static struct rate *rate;

static int setup(void **state)
{
	(void)state;
	return rate_new(PER_SECOND, &rate);
}

static int teardown(void **state)
{
	(void)state;
	rate_free(&rate);
	rate_free(&rate);
	return 0;
}

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
		assert_int_equal(rate_login(rate, &peer, "ana", NOW), 0);
	wait = rate_login(rate, &peer, "ana", NOW);
	assert_in_range(wait, 1, 6);
	/* Asking while waiting costs nothing. */
	assert_int_equal(rate_login(rate, &peer, "ana", NOW), wait);
	assert_int_equal(rate_login(rate, &peer, "ana", NOW + 1000 * wait), 0);
	assert_in_range(rate_login(rate, &peer, "ana", NOW + 1000 * wait), 1, 6);
}

static void another_port_is_the_same_host(void **state)
{
	struct addr peer = host("192.0.2.2:1"), later = host("192.0.2.2:2");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_login(rate, &peer, "ana", NOW), 0);
	assert_true(rate_login(rate, &later, "ana", NOW) > 0);
}

static void another_name_or_host_does_not_wait(void **state)
{
	struct addr peer = host("192.0.2.3:1"), other = host("[2001:db8::3]:1");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_login(rate, &peer, "ana", NOW), 0);
	assert_int_equal(rate_login(rate, &peer, "bo", NOW), 0);
	assert_int_equal(rate_login(rate, &other, "ana", NOW), 0);
}

static void after_a_minute_of_rest_ten_are_free_again(void **state)
{
	struct addr peer = host("192.0.2.4:1");

	(void)state;
	for (int round = 0; round < 3; round++) {
		int64_t now = NOW + round * 60000;

		for (int i = 0; i < 10; i++)
			assert_int_equal(rate_login(rate, &peer, "ana", now), 0);
		assert_true(rate_login(rate, &peer, "ana", now) > 0);
	}
}

static void a_name_is_the_same_in_capitals(void **state)
{
	struct addr peer = host("192.0.2.5:1");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_login(rate, &peer, i % 2 ? "ana" : "Ana", NOW), 0);
	assert_true(rate_login(rate, &peer, "ANA", NOW) > 0);
}

static void many_names_from_one_address_must_wait_too(void **state)
{
	struct addr peer = host("192.0.2.6:1");
	char name[2] = "a";
	int tries = 0;

	(void)state;
	while (tries < 1000 && rate_login(rate, &peer, name, NOW) == 0) {
		name[0] = (char)('a' + tries % 26);
		tries++;
	}
	assert_in_range(tries, 50, 60);
}

static void a_principal_has_four_seconds_worth_at_once(void **state)
{
	int taken = 0;

	(void)state;
	while (taken < 1000 && rate_principal(rate, 7, NOW) == 0)
		taken++;
	assert_int_equal(taken, 4 * PER_SECOND);
	assert_int_equal(rate_principal(rate, 7, NOW), 1);
	assert_int_equal(rate_principal(rate, 7, NOW + 1000), 0);
	/* A key is not its user, nor another user. */
	assert_int_equal(rate_principal(rate, -7, NOW), 0);
	assert_int_equal(rate_principal(rate, 8, NOW), 0);
}

static void a_network_of_ipv6_is_one_address(void **state)
{
	struct addr one = host("[2001:db8::1]:1"), two = host("[2001:db8::ffff:2]:9");
	struct addr other = host("[2001:db8:0:1::1]:1");
	int taken = 0;

	(void)state;
	while (taken < 10000 && rate_address(rate, taken % 2 ? &one : &two, NOW) == 0)
		taken++;
	assert_int_equal(taken, 80 * PER_SECOND);
	assert_int_equal(rate_address(rate, &other, NOW), 0);
}

static void zero_is_no_limit_but_for_sign_ins(void **state)
{
	struct addr peer = host("192.0.2.7:1");
	struct rate *off;

	(void)state;
	assert_int_equal(rate_new(0, &off), 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(rate_principal(off, 1, NOW), 0);
		assert_int_equal(rate_address(off, &peer, NOW), 0);
	}
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_login(off, &peer, "ana", NOW), 0);
	assert_true(rate_login(off, &peer, "ana", NOW) > 0);
	rate_free(&off);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_tries_are_free_and_the_next_must_wait),
		TEST(another_port_is_the_same_host),
		TEST(another_name_or_host_does_not_wait),
		TEST(after_a_minute_of_rest_ten_are_free_again),
		TEST(a_name_is_the_same_in_capitals),
		TEST(many_names_from_one_address_must_wait_too),
		TEST(a_principal_has_four_seconds_worth_at_once),
		TEST(a_network_of_ipv6_is_one_address),
		TEST(zero_is_no_limit_but_for_sign_ins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
