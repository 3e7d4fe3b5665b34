/* test_uas_sound.c: the sound of a call, also across holds, losses and a phone that was killed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "unit/uas_rig.h"

static bool packet_came(void *arg)
{
	(void)arg;
	phone.packet_len = recv(phone.rtp, phone.packet, sizeof(phone.packet), 0);
	return phone.packet_len > 0;
}

/* A packet of 20 ms whose bytes are all `byte`. */
static bool packet_says(void *arg)
{
	const int *byte = arg;

	while (packet_came(NULL)) {
		assert_int_equal(phone.packet_len, 12 + SOUND_FRAME);
		assert_int_equal(phone.packet[0], 0x80);
		if (phone.packet[12] == *byte && phone.packet[171] == *byte)
			return true;
	}
	return false;
}

static void expect_packet(int payload_type, int byte)
{
	assert_true(sandbox_run_until(packet_says, &byte, DEADLINE_MS));
	assert_int_equal(phone.packet[1] & 0x7f, payload_type);
}

/* Talks one 20 ms packet. */
static void talk(uint8_t byte)
{
	uint8_t packet[12 + SOUND_FRAME] = {0x80, 0};

	phone.seq++;
	packet[2] = (uint8_t)(phone.seq >> 8);
	packet[3] = (uint8_t)phone.seq;
	memset(packet + 12, byte, SOUND_FRAME);
	(void)sendto(phone.rtp, packet, sizeof(packet), 0,
		(struct sockaddr *)&phone.media, sizeof(phone.media));
}

/* Somebody else in the room: says 1000 and remembers the loudest it heard. */
static int16_t loudest;

static void other_read(struct mixer_port *port, int16_t frame[SOUND_FRAME])
{
	(void)port;
	for (int i = 0; i < SOUND_FRAME; i++)
		frame[i] = 1000;
}

static void other_write(struct mixer_port *port, const int16_t frame[SOUND_FRAME])
{
	(void)port;
	if (frame[80] > loudest)
		loudest = frame[80];
}

static struct mixer_port other = {.read = other_read, .write = other_write};

static bool other_hears_us(void *arg)
{
	const uint8_t *byte = arg;

	talk(*byte);
	return loudest > 0;
}

/* PCMU: 0xce is 1000 or so both ways, 0x80 the loudest. */
static void expect_sound_both_ways(void)
{
	uint8_t loud = 0x80;

	loudest = 0;
	assert_int_equal(mixer_join(mixer, "room", uas_leg_port(owner.leg)), 0);
	assert_int_equal(mixer_join(mixer, "room", &other), 0);
	expect_packet(0, 0xce);
	assert_true(sandbox_run_until(other_hears_us, &loud, DEADLINE_MS));
	assert_int_equal(loudest, 32124);
	mixer_leave(&other);
}

static void test_an_answered_call_carries_sound_both_ways(void **state)
{
	(void)state;
	phone_call_up();
	expect_sound_both_ways();
}

static void test_a_leg_in_no_room_sends_silence_without_a_gap(void **state)
{
	uint16_t seq;

	(void)state;
	phone_call_up();
	expect_packet(0, 0xff);
	seq = (uint16_t)(phone.packet[2] << 8 | phone.packet[3]);
	expect_packet(0, 0xff);
	assert_int_equal(
		(uint16_t)(phone.packet[2] << 8 | phone.packet[3]), (uint16_t)(seq + 1));
}

static void test_a_phone_that_only_has_pcma_is_spoken_to_in_pcma(void **state)
{
	(void)state;
	owner.answers = true;
	phone_call_with("", "8");
	phone_expect("SIP/2.0 200");
	expect_packet(8, 0xd5);
}

static bool quarter_second_passed(void *arg)
{
	const int64_t *start_ms = arg;

	return clock_mono_ms() - *start_ms > 250;
}

static void test_a_phone_that_was_killed_and_came_back_is_still_in_its_call(void **state)
{
	int64_t now;

	(void)state;
	phone_call_up();
	expect_sound_both_ways();
	/* Nobody listens now: each packet earns an ICMP port unreachable. */
	phone_close();
	now = clock_mono_ms();
	assert_true(sandbox_run_until(quarter_second_passed, &now, DEADLINE_MS));
	assert_int_equal(owner.ended, 0);
	phone.sip = phone_open_socket(phone.sip_port, &phone.sip_port);
	phone.rtp = phone_open_socket(0, &phone.rtp_port);
	phone.cseq += 1000;
	phone.seq = 5;
	phone_send_invite("", phone_offer(USUAL));
	phone_expect("SIP/2.0 200");
	phone_take_answer();
	phone_acknowledge();
	expect_sound_both_ways();
	phone_hang_up();
	rig_expect_end("bye");
}

static void test_sound_goes_on_when_the_phone_comes_back_without_a_reinvite(void **state)
{
	(void)state;
	phone_call_up();
	expect_sound_both_ways();
	(void)close(phone.rtp);
	phone.rtp = phone_open_socket(phone.rtp_port, &phone.rtp_port);
	phone.seq += 5000;
	expect_sound_both_ways();
}

static void test_a_phone_on_hold_gets_no_packets(void **state)
{
	int64_t now;

	(void)state;
	phone_call_up();
	expect_packet(0, 0xff);
	phone_send_invite("", phone_offer("0\r\na=sendonly"));
	phone_expect("SIP/2.0 200");
	assert_non_null(strstr(phone.message, "a=recvonly"));
	phone_acknowledge();
	while (packet_came(NULL))
		;
	now = clock_mono_ms();
	assert_true(sandbox_run_until(quarter_second_passed, &now, DEADLINE_MS));
	assert_false(packet_came(NULL));
	phone_send_invite("", phone_offer(USUAL));
	phone_expect("SIP/2.0 200");
	phone_acknowledge();
	expect_packet(0, 0xff);
}

static void test_a_reinvite_without_offer_gets_one(void **state)
{
	(void)state;
	phone_call_up();
	phone_send_invite("", "");
	phone_expect("SIP/2.0 200");
	assert_non_null(strstr(phone.message, "m=audio "));
	(void)close(phone.rtp);
	phone.rtp = phone_open_socket(0, &phone.rtp_port);
	phone_send_request("ACK", phone.invite_cseq, "", phone_offer(USUAL));
	expect_packet(0, 0xff);
}

static void test_a_bad_reinvite_leaves_the_call_as_it_was(void **state)
{
	uint16_t good = phone.rtp_port;

	(void)state;
	phone_call_up();
	phone.rtp_port = 9;
	phone_send_invite("", phone_offer("18\r\na=rtpmap:18 G729/8000"));
	phone_expect("SIP/2.0 488");
	phone_acknowledge();
	phone.rtp_port = good;
	while (packet_came(NULL))
		;
	expect_packet(0, 0xff);
	assert_int_equal(owner.ended, 0);
}

static void test_a_leg_without_sound_from_the_phone_is_ended(void **state)
{
	(void)state;
	phone_call_up();
	phone_expect("BYE ");
	rig_expect_end("rtp-timeout");
}

static bool talked_for_three_limits(void *arg)
{
	const int64_t *start_ms = arg;

	talk(0xff);
	return clock_mono_ms() - *start_ms > 900;
}

static void test_a_phone_that_sends_even_silence_is_not_lost(void **state)
{
	int64_t now = clock_mono_ms();

	(void)state;
	phone_call_up();
	assert_true(sandbox_run_until(talked_for_three_limits, &now, DEADLINE_MS));
	assert_int_equal(owner.ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_an_answered_call_carries_sound_both_ways, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_leg_in_no_room_sends_silence_without_a_gap, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_phone_that_only_has_pcma_is_spoken_to_in_pcma, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_phone_that_was_killed_and_came_back_is_still_in_its_call,
			rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_sound_goes_on_when_the_phone_comes_back_without_a_reinvite,
			rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_phone_on_hold_gets_no_packets, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_reinvite_without_offer_gets_one, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_bad_reinvite_leaves_the_call_as_it_was, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_leg_without_sound_from_the_phone_is_ended,
			rig_start_impatient, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_phone_that_sends_even_silence_is_not_lost,
			rig_start_impatient, rig_stop),
	};
	int failed;

	if (libre_init() != 0 || fd_setsize(1024) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return failed;
}
