/* test_rtp_relay.c: real sockets on both sides of a relay, and strangers beside them. */
#include "unit/rtp_bench.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void packets_pass_both_ways_unchanged(void **state)
{
	struct bench *b = *state;
	uint8_t odd[40] = {0xb1, 0xe5, 1, 2, 3, 4, 5, 6, 0x11, 0x11, 0x11, 0x11, 9, 9, 9,
		9, 0, 0, 0, 1, 7, 7, 7, 7};

	odd[39] = 4;
	open_session(b, &b->phone.addr);
	for (uint8_t i = 0; i < 50; i++) {
		assert_hears_from(&b->phone, b->ports[RTP_PHONE], i, b->twilio.rtp);
		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
	}
	/* marker, telephone event, CSRC, extension and padding: all left as they are */
	send_to(b->phone.rtp, b->ports[RTP_PHONE], odd, sizeof(odd));
	assert_hears(b->twilio.rtp, odd, sizeof(odd));
	assert_int_equal(stats_of(b, RTP_PHONE).received, 51);
	assert_int_equal(stats_of(b, RTP_TWILIO).received, 50);
	assert_int_equal(stats_of(b, RTP_PHONE).dropped, 0);
	assert_int_equal(wait_event(b, RTP_FIRST, RTP_PHONE, 1).session, SESSION);
	(void)wait_event(b, RTP_FIRST, RTP_TWILIO, 1);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 1);
	assert_int_equal(count_events(b, RTP_LATCHED, RTP_PHONE), 1);
	assert_int_equal(count_events(b, RTP_LATCHED, RTP_TWILIO), 0);
}

static void a_burst_passes_whole_and_in_order(void **state)
{
	struct bench *b = *state;
	struct peer copy;

	open_session(b, &b->phone.addr);
	copy = b->phone;
	for (uint8_t i = 0; i < 100; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	for (uint8_t i = 0; i < 100; i++) {
		uint8_t packet[172];

		make_rtp(&copy, i, packet);
		assert_hears(b->twilio.rtp, packet, sizeof(packet));
	}
}

static void a_phone_behind_nat_is_learned_and_remembered(void **state)
{
	struct bench *b = *state;
	struct addr private_addr = elsewhere();
	struct rtp_event event;

	open_session(b, &private_addr);
	for (uint8_t i = 0; i < 4; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	wait_dropped(b, RTP_PHONE, 4);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 0);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 4, b->twilio.rtp);
	event = wait_event(b, RTP_LATCHED, RTP_PHONE, 1);
	assert_true(addr_equal(&event.remote, &b->phone.addr));
	assert_true(event.at_ms > 0);
	assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], 5, b->phone.rtp);
}

static void a_stranger_hears_nothing_and_says_nothing(void **state)
{
	struct bench *b = *state;
	struct peer stranger;
	uint8_t data[2048];

	peer_open(&stranger, "127.0.0.1", PHONE_SSRC);
	stranger.seq = b->phone.seq;
	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	for (uint8_t i = 0; i < 50; i++) {
		say(&stranger, b->ports[RTP_PHONE], 0xee);
		say(&stranger, b->ports[RTP_TWILIO], 0xee);
	}
	wait_dropped(b, RTP_PHONE, 50);
	wait_dropped(b, RTP_TWILIO, 50);
	for (uint8_t i = 2; i < 20; i++) {
		assert_hears_from(&b->phone, b->ports[RTP_PHONE], i, b->twilio.rtp);
		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
	}
	assert_int_equal(hear(stranger.rtp, data, sizeof(data), 0), -1);
	assert_int_equal(stats_of(b, RTP_PHONE).received, 19);
	peer_close(&stranger);
}

static void twilio_is_only_its_sdp_address(void **state)
{
	struct bench *b = *state;
	struct peer other;

	peer_open(&other, "127.0.0.1", TWILIO_SSRC);
	open_session(b, &b->phone.addr);
	for (uint8_t i = 0; i < 20; i++)
		say(&other, b->ports[RTP_TWILIO], 0xee);
	wait_dropped(b, RTP_TWILIO, 20);
	assert_int_equal(stats_of(b, RTP_TWILIO).received, 0);
	/* a redirect moves it: the new address counts, the old one does not */
	assert_int_equal(
		rtp_session_remote(b->relay, SESSION, RTP_TWILIO, &other.addr, false), 0);
	say_until(b, &other, RTP_TWILIO, true);
	drain(b->phone.rtp);
	assert_hears_from(&other, b->ports[RTP_TWILIO], 1, b->phone.rtp);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 2, other.rtp);
	say_until(b, &b->twilio, RTP_TWILIO, false);
	peer_close(&other);
}

static void broken_packets_are_dropped(void **state)
{
	struct bench *b = *state;
	uint8_t packet[172];
	uint8_t huge[4000] = {0x80};

	open_session(b, &b->phone.addr);
	make_rtp(&b->phone, 1, packet);
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, 11);
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, 0);
	packet[0] = 0x40;
	send_to(b->phone.rtp, b->ports[RTP_PHONE], packet, sizeof(packet));
	send_to(b->phone.rtp, b->ports[RTP_PHONE], huge, sizeof(huge));
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), "\x80\xc9\x00\x01",
		4);
	wait_dropped(b, RTP_PHONE, 5);
	assert_int_equal(stats_of(b, RTP_PHONE).received, 0);
}

static void rtcp_passes_beside_rtp(void **state)
{
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11};
	struct bench *b = *state;
	struct peer stranger;
	uint8_t data[64];

	peer_open(&stranger, "127.0.0.1", PHONE_SSRC + 1);
	open_session(b, &b->phone.addr);
	/* not before the phone has been heard */
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report,
		sizeof(report));
	wait_dropped(b, RTP_PHONE, 1);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	send_to(b->phone.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report,
		sizeof(report));
	assert_hears(b->twilio.rtcp, report, sizeof(report));
	send_to(b->twilio.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	assert_hears(b->phone.rtcp, report, sizeof(report));
	send_to(stranger.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	wait_dropped(b, RTP_TWILIO, 1);
	assert_int_equal(hear(stranger.rtcp, data, sizeof(data), 0), -1);
	peer_close(&stranger);
}

static void rtcp_behind_nat_is_known_by_its_ssrc(void **state)
{
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11};
	static const uint8_t forged[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x12};
	struct bench *b = *state;
	struct peer natted;

	peer_open(&natted, "127.0.0.1", PHONE_SSRC);
	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	send_to(natted.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), forged, sizeof(forged));
	wait_dropped(b, RTP_PHONE, 1);
	send_to(natted.rtcp, (uint16_t)(b->ports[RTP_PHONE] + 1), report, sizeof(report));
	assert_hears(b->twilio.rtcp, report, sizeof(report));
	send_to(b->twilio.rtcp, (uint16_t)(b->ports[RTP_TWILIO] + 1), report,
		sizeof(report));
	assert_hears(natted.rtcp, report, sizeof(report));
	peer_close(&natted);
}

static void silence_stands_in_for_a_side_that_says_nothing(void **state)
{
	struct bench *b = *state;
	uint8_t data[2048], last[172];
	int64_t start;

	open_session(b, &b->phone.addr);
	start = clock_mono_ms();
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_true(clock_mono_ms() - start >= 150);
	assert_true(is_silence(data, 172));
	assert_int_equal(data[0], 0x80);
	assert_int_equal(data[1], 0x80); /* marker */
	for (unsigned i = 0; i < 20; i++) {
		memcpy(last, data, sizeof(last));
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
		assert_true(is_silence(data, 172));
		assert_int_equal(data[1], 0);
		assert_memory_equal(data + 8, last + 8, 4);
		assert_int_equal((uint16_t)(data[2] << 8 | data[3]),
			(uint16_t)((last[2] << 8 | last[3]) + 1));
		assert_int_equal((uint16_t)(data[6] << 8 | data[7]),
			(uint16_t)((last[6] << 8 | last[7]) + 160));
	}
	/* 20 packets at 20 ms: never in one heap */
	assert_true(clock_mono_ms() - start >= 500);
	/* counted after sending: the last may not be yet */
	assert_true(stats_of(b, RTP_TWILIO).silence >= 20);
	assert_true(stats_of(b, RTP_PHONE).silence >= 1);
}

static void silence_stops_at_once_when_sound_flows(void **state)
{
	struct bench *b = *state;
	uint8_t data[2048];
	int64_t end;

	open_session(b, &b->phone.addr);
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	drain(b->twilio.rtp);
	end = clock_mono_ms() + 300;
	for (uint8_t i = 2; clock_mono_ms() < end; i++) {
		int64_t said = clock_mono_ms();

		say(&b->phone, b->ports[RTP_PHONE], i);
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
		assert_false(is_silence(data, 172));
		(void)poll(NULL, 0, 20);
		/* on a busy machine this test may itself have been the silent side */
		if (clock_mono_ms() - said >= 150)
			drain(b->twilio.rtp);
	}
	/* and comes back with a marker */
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	assert_true(is_silence(data, 172));
	assert_int_equal(data[1], 0x80);
}

static void a_side_that_falls_silent_is_told_while_it_lasts(void **state)
{
	struct bench *b = *state;
	int64_t began_ms = clock_mono_ms();
	size_t told;

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	(void)wait_event(b, RTP_SILENT, RTP_PHONE, 1);
	(void)wait_event(b, RTP_SILENT, RTP_TWILIO, 1);
	(void)wait_event(b, RTP_SILENT, RTP_PHONE, 3);
	assert_true(clock_mono_ms() - began_ms >= 3 * SILENT_MS);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 2, b->twilio.rtp);
	told = count_events(b, RTP_SILENT, RTP_PHONE);
	(void)wait_event(b, RTP_SILENT, RTP_PHONE, told + 1);
	assert_int_equal(count_events(b, RTP_FIRST, RTP_PHONE), 1);
}

static void a_side_without_remote_gets_nothing(void **state)
{
	struct bench *b = *state;
	struct addr nowhere = {.len = 0};
	uint8_t data[2048];

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	assert_int_equal(
		rtp_session_remote(b->relay, SESSION, RTP_TWILIO, &nowhere, false), 0);
	say_until(b, &b->twilio, RTP_TWILIO, false);
	drain(b->twilio.rtp);
	say(&b->phone, b->ports[RTP_PHONE], 3);
	assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), 400), -1);
	assert_int_equal(count_events(b, RTP_SILENT, RTP_TWILIO), 0);
}

static void a_dead_end_harms_nobody(void **state)
{
	struct bench *b = *state;

	open_session(b, &b->phone.addr);
	assert_hears_from(&b->phone, b->ports[RTP_PHONE], 1, b->twilio.rtp);
	(void)close(b->twilio.rtp);
	for (uint8_t i = 0; i < 20; i++)
		say(&b->phone, b->ports[RTP_PHONE], i);
	b->twilio.rtp =
		open_udp("127.0.0.1", addr_port(&b->twilio.addr), &b->twilio.addr);
	assert_true(b->twilio.rtp >= 0);
	for (uint8_t i = 0; i < 5; i++) {
		uint8_t data[2048];

		assert_hears_from(&b->twilio, b->ports[RTP_TWILIO], i, b->phone.rtp);
		say(&b->phone, b->ports[RTP_PHONE], i);
		assert_int_equal(hear(b->twilio.rtp, data, sizeof(data), WAIT_MS), 172);
	}
}

int main(void)
{
#define RELAY_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rtp_bench_open, rtp_bench_close)
	const struct CMUnitTest tests[] = {
		RELAY_TEST(packets_pass_both_ways_unchanged),
		RELAY_TEST(a_burst_passes_whole_and_in_order),
		RELAY_TEST(a_phone_behind_nat_is_learned_and_remembered),
		RELAY_TEST(a_stranger_hears_nothing_and_says_nothing),
		RELAY_TEST(twilio_is_only_its_sdp_address),
		RELAY_TEST(broken_packets_are_dropped),
		RELAY_TEST(rtcp_passes_beside_rtp),
		RELAY_TEST(rtcp_behind_nat_is_known_by_its_ssrc),
		RELAY_TEST(silence_stands_in_for_a_side_that_says_nothing),
		RELAY_TEST(silence_stops_at_once_when_sound_flows),
		RELAY_TEST(a_side_that_falls_silent_is_told_while_it_lasts),
		RELAY_TEST(a_side_without_remote_gets_nothing),
		RELAY_TEST(a_dead_end_harms_nobody),
	};

	return cmocka_run_group_tests_name("rtp_relay", tests, NULL, NULL);
}
