/* test_rtp_ports.c: the ports of a relay: the same after a crash, freed at the end, used up. */
#include "unit/rtp_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void after_a_crash_the_same_ports_serve_the_same_phone(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct addr private_addr = elsewhere();
	struct rtp_side_params again[RTP_SIDES] = {{.learn = true}, {.learn = false}};
	uint16_t ports[RTP_SIDES];

	open_session(b, &private_addr);
	for (uint8_t i = 0; i < 4; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 4, b->twilio.rtp);
	again[RTP_PHONE].remote = wait_event(b, RTP_LATCHED, RTP_PHONE, 1).remote;
	again[RTP_PHONE].port = b->ports[RTP_PHONE];
	again[RTP_TWILIO].remote = b->twilio.addr;
	again[RTP_TWILIO].port = b->ports[RTP_TWILIO];
	rtp_relay_free(&b->relay);
	assert_int_equal(rtp_relay_new(&config, &b->relay), 0);

	assert_int_equal(rtp_session_open(b->relay, SESSION, again, ports), 0);
	assert_memory_equal(ports, b->ports, sizeof(ports));
	assert_hears_from(&b->twilio, ports[RTP_TWILIO], 5, b->phone.rtp);
	assert_hears_from(&b->phone, ports[RTP_PHONE], 6, b->twilio.rtp);
	assert_int_equal(stats_of(b, RTP_PHONE).dropped, 0);
}

static void closing_frees_the_ports_for_the_next_session(void **state)
{
	struct bench *b = *state;
	struct rtp_side_params same[RTP_SIDES] = {{.port = 0}, {.port = 0}};
	struct rtp_stats stats[RTP_SIDES];
	uint16_t ports[RTP_SIDES];

	open_session(b, &b->phone.addr);
	same[RTP_PHONE].port = b->ports[RTP_PHONE];
	same[RTP_TWILIO].port = b->ports[RTP_TWILIO];
	assert_int_equal(rtp_session_open(b->relay, SESSION, same, ports), -EEXIST);
	assert_int_equal(rtp_session_open(b->relay, 7, same, ports), -EADDRINUSE);
	for (uint64_t id = SESSION; id < SESSION + 200; id++) {
		rtp_session_close(b->relay, id);
		rtp_session_close(b->relay, id);
		assert_int_equal(rtp_session_stats(b->relay, id, stats), -ENOENT);
		assert_int_equal(
			rtp_session_remote(b->relay, id, RTP_PHONE, &b->phone.addr, true),
			-ENOENT);
		assert_int_equal(rtp_session_open(b->relay, id + 1, same, ports), 0);
		assert_memory_equal(ports, b->ports, sizeof(ports));
	}
}

/* A range of two pairs that is free at this moment. */
static uint16_t find_range(void)
{
	for (int i = 0; i < 100; i++) {
		struct addr a;
		int fd[4] = {-1, -1, -1, -1};
		uint16_t lo;
		bool ok = true;

		fd[0] = open_udp("127.0.0.1", 0, &a);
		lo = (uint16_t)((addr_port(&a) + 1) & 0xfffe);
		(void)close(fd[0]);
		for (uint16_t j = 0; j < 4; j++) {
			fd[j] = open_udp("127.0.0.1", (uint16_t)(lo + j), &a);
			ok = ok && fd[j] >= 0;
		}
		for (int j = 0; j < 4; j++)
			if (fd[j] >= 0)
				(void)close(fd[j]);
		if (ok)
			return lo;
	}
	fail_msg("no free range");
	return 0;
}

static void a_used_up_range_says_so(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct rtp_side_params sides[RTP_SIDES] = {{.port = 0}, {.port = 0}};
	uint16_t lo = find_range(), ports[RTP_SIDES];
	struct rtp_relay *relay = NULL;

	config.port_lo = lo;
	config.port_hi = (uint16_t)(lo + 3);
	assert_int_equal(rtp_relay_new(&config, &relay), 0);
	assert_int_equal(rtp_session_open(relay, 1, sides, ports), 0);
	assert_int_equal(ports[0] + ports[1], lo + lo + 2);
	assert_int_equal(rtp_session_open(relay, 2, sides, ports), -EBUSY);
	rtp_session_close(relay, 1);
	assert_int_equal(rtp_session_open(relay, 2, sides, ports), 0);
	sides[0].port = (uint16_t)(lo + 1);
	assert_int_equal(rtp_session_open(relay, 3, sides, ports), -EINVAL);
	rtp_relay_free(&relay);
}

static void a_wrong_host_or_range_is_refused(void **state)
{
	struct bench *b = *state;
	struct rtp_config config = config_of(b);
	struct rtp_relay *relay = NULL;

	config.bind_host = "localhost";
	assert_int_equal(rtp_relay_new(&config, &relay), -EINVAL);
	config.bind_host = "127.0.0.1";
	config.port_lo = 20001;
	config.port_hi = 20002;
	assert_int_equal(rtp_relay_new(&config, &relay), -EINVAL);
	assert_null(relay);
}

int main(void)
{
#define RELAY_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rtp_bench_open, rtp_bench_close)
	const struct CMUnitTest tests[] = {
		RELAY_TEST(after_a_crash_the_same_ports_serve_the_same_phone),
		RELAY_TEST(closing_frees_the_ports_for_the_next_session),
		RELAY_TEST(a_used_up_range_says_so),
		RELAY_TEST(a_wrong_host_or_range_is_refused),
	};

	return cmocka_run_group_tests_name("rtp_ports", tests, NULL, NULL);
}
