/* test_rtp_latch.c: who speaks for a side, and what packets must look like; no sockets. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/latch.h"
#include "rtp/packet.h"

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static enum latch_verdict hear(
	struct latch *l, const char *source, unsigned seq, uint32_t ssrc, int64_t now)
{
	struct addr a = at(source);
	struct rtp_head head = {.seq = (uint16_t)seq, .ssrc = ssrc};

	return latch_judge(l, &a, &head, now);
}

/* The verdict on the last of `n` packets in a row, all the others being dropped. */
static enum latch_verdict hear_run(
	struct latch *l, const char *source, unsigned n, uint32_t ssrc, int64_t now)
{
	for (unsigned i = 0; i + 1 < n; i++)
		assert_int_equal(hear(l, source, 65534 + i, ssrc, now), LATCH_DROP);
	return hear(l, source, 65534 + n - 1, ssrc, now);
}

static void start(struct latch *l, const char *sdp, bool learn, int64_t now)
{
	struct addr a = at(sdp);

	latch_start(l, &a, learn, now);
}

static void assert_remote(const struct latch *l, const char *text)
{
	char buf[ADDR_TEXT_SIZE];

	assert_string_equal(addr_text(&l->remote, buf), text);
}

static void without_learning_only_the_sdp_address_speaks(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "54.172.60.1:10000", false, 0);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(hear(&l, "54.172.60.1:10002", i, 1, 10), LATCH_DROP);
		assert_int_equal(
			hear(&l, "54.172.60.1:10000", i * 7, i, 10), LATCH_ACCEPT);
	}
	assert_remote(&l, "54.172.60.1:10000");
}

static void without_sdp_nobody_speaks(void **state)
{
	struct latch l = {.learn = false};
	struct addr nowhere = {.len = 0};

	(void)state;
	latch_start(&l, &nowhere, true, 0);
	assert_int_equal(hear_run(&l, "10.0.0.1:4000", 8, 1, 10), LATCH_DROP);
	start(&l, "0.0.0.0:4000", true, 0);
	assert_int_equal(hear_run(&l, "10.0.0.1:4000", 8, 1, 10), LATCH_DROP);
	assert_int_equal(l.remote.len, 0);
}

static void the_sdp_address_is_believed_at_once(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(hear(&l, "192.168.1.5:4000", 1, 1, 10), LATCH_SETTLED);
	assert_int_equal(hear(&l, "192.168.1.5:4000", 9, 2, 20), LATCH_ACCEPT);
	assert_int_equal(hear_run(&l, "192.168.1.5:4001", 20, 1, 30), LATCH_DROP);
	assert_int_equal(hear_run(&l, "203.0.113.9:4000", 20, 1, 30), LATCH_DROP);
}

static void a_phone_behind_nat_is_believed_after_five_in_a_row(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_remote(&l, "192.168.1.5:4000");
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 7, 10), LATCH_SETTLED);
	assert_remote(&l, "203.0.113.9:61000");
	assert_int_equal(hear(&l, "203.0.113.9:61000", 3, 7, 20), LATCH_ACCEPT);
}

static void the_host_that_signals_is_believed_though_the_sdp_names_another(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	l.signalling = at("203.0.113.9:5060");
	start(&l, "198.51.100.2:4000", true, 0);
	assert_int_equal(hear_run(&l, "192.0.2.77:61000", 8, 9, 10), LATCH_DROP);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 7, 10), LATCH_SETTLED);
	assert_remote(&l, "203.0.113.9:61000");
}

static void a_gap_or_another_ssrc_starts_the_count_again(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 4, 7, 10), LATCH_DROP);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 4, 8, 10), LATCH_DROP);
	assert_int_equal(hear(&l, "203.0.113.9:61000", 500, 8, 10), LATCH_DROP);
	assert_int_equal(hear(&l, "203.0.113.9:61000", 501, 8, 10), LATCH_DROP);
	assert_int_equal(hear(&l, "203.0.113.9:61000", 501, 8, 10), LATCH_DROP);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 9, 10), LATCH_SETTLED);
}

static void a_public_sdp_address_lets_no_stranger_in(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "203.0.113.9:4000", true, 0);
	assert_int_equal(hear_run(&l, "198.51.100.1:4000", 30, 1, 10), LATCH_DROP);
	assert_int_equal(hear_run(&l, "203.0.113.9:4444", 5, 2, 10), LATCH_SETTLED);
	start(&l, "203.0.113.10:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.77:4000", 5, 2, 10), LATCH_SETTLED);
}

static void a_likelier_source_takes_over_within_the_window_only(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 1, 10), LATCH_SETTLED);
	assert_int_equal(hear_run(&l, "198.51.100.1:61000", 9, 2, 20), LATCH_DROP);
	assert_int_equal(hear_run(&l, "192.168.1.5:4002", 5, 3, 30), LATCH_SETTLED);
	assert_int_equal(hear(&l, "203.0.113.9:61000", 4, 1, 40), LATCH_DROP);
	assert_int_equal(hear(&l, "192.168.1.5:4000", 1, 4, 50), LATCH_SETTLED);
	assert_int_equal(hear_run(&l, "192.168.1.5:4002", 9, 3, 60), LATCH_DROP);

	start(&l, "192.168.1.6:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 1, 10), LATCH_SETTLED);
	assert_int_equal(
		hear_run(&l, "192.168.1.6:4002", 9, 3, LATCH_WINDOW_MS), LATCH_DROP);
	assert_int_equal(hear(&l, "192.168.1.6:4000", 1, 3, LATCH_WINDOW_MS), LATCH_DROP);
	assert_remote(&l, "203.0.113.9:61000");
}

static void strays_of_an_old_port_do_not_keep_the_new_one_out(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 1, 10), LATCH_SETTLED);
	assert_int_equal(hear_run(&l, "203.0.113.9:61008", 7, 2, 100), LATCH_DROP);
	assert_int_equal(hear(&l, "203.0.113.9:61008", 5, 2, 600), LATCH_SETTLED);
}

static void a_late_phone_is_believed_only_where_its_sdp_says(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(
		hear_run(&l, "203.0.113.9:61000", 9, 1, LATCH_WINDOW_MS), LATCH_DROP);
	assert_int_equal(
		hear_run(&l, "192.168.1.5:4002", 5, 1, LATCH_WINDOW_MS), LATCH_SETTLED);
}

static void a_refresh_with_the_same_sdp_keeps_the_sound(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	assert_int_equal(hear_run(&l, "203.0.113.9:61000", 5, 1, 10), LATCH_SETTLED);
	start(&l, "192.168.1.5:4000", true, 100000);
	assert_int_equal(hear(&l, "203.0.113.9:61000", 4, 1, 100010), LATCH_ACCEPT);
	assert_int_equal(hear_run(&l, "198.51.100.1:61000", 9, 2, 100020), LATCH_DROP);
	/* the NAT gave it another port: the old one is silent */
	assert_int_equal(hear(&l, "198.51.100.1:61000", 7, 2, 100600), LATCH_SETTLED);
	start(&l, "192.168.1.5:5000", true, 200000);
	assert_int_equal(hear(&l, "198.51.100.1:61000", 8, 2, 200010), LATCH_DROP);
	assert_remote(&l, "192.168.1.5:5000");
}

static void noise_from_one_place_does_not_hide_a_phone(void **state)
{
	struct latch l = {.learn = false};

	(void)state;
	start(&l, "192.168.1.5:4000", true, 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(hear(&l, "198.51.100.1:1", i * 2, 9, 10), LATCH_DROP);
		assert_int_equal(hear(&l, "203.0.113.9:61000", i, 1, 10), LATCH_DROP);
		assert_int_equal(hear(&l, "198.51.100.1:2", i * 2, 9, 10), LATCH_DROP);
	}
	assert_int_equal(hear(&l, "203.0.113.9:61000", 4, 1, 10), LATCH_SETTLED);
}

static void broken_rtp_is_no_rtp(void **state)
{
	uint8_t p[172] = {0x80, 0, 0x12, 0x34, 0, 0, 0, 0, 1, 2, 3, 4};
	struct rtp_head head;

	(void)state;
	assert_int_equal(rtp_packet_read(p, sizeof(p), &head), 0);
	assert_int_equal(head.seq, 0x1234);
	assert_int_equal(head.ssrc, 0x01020304);
	assert_int_equal(rtp_packet_read(p, 12, &head), 0);
	for (size_t len = 0; len < 12; len++)
		assert_int_equal(rtp_packet_read(p, len, &head), -EBADMSG);
	for (unsigned version = 0; version < 4; version++) {
		p[0] = (uint8_t)(version << 6);
		assert_int_equal(rtp_packet_read(p, sizeof(p), &head),
			version == 2 ? 0 : -EBADMSG);
	}
	p[0] = 0x8f; /* 15 contributing sources */
	assert_int_equal(rtp_packet_read(p, 71, &head), -EBADMSG);
	assert_int_equal(rtp_packet_read(p, 72, &head), 0);
	p[0] = 0x90; /* extension of 0x20 words */
	p[15] = 0x20;
	assert_int_equal(rtp_packet_read(p, 15, &head), -EBADMSG);
	assert_int_equal(rtp_packet_read(p, 143, &head), -EBADMSG);
	assert_int_equal(rtp_packet_read(p, 144, &head), 0);
	p[0] = 0xa0; /* padding */
	p[171] = 0;
	assert_int_equal(rtp_packet_read(p, 172, &head), -EBADMSG);
	p[171] = 161;
	assert_int_equal(rtp_packet_read(p, 172, &head), -EBADMSG);
	p[171] = 160;
	assert_int_equal(rtp_packet_read(p, 172, &head), 0);
	p[0] = 0x80;
	p[1] = 200; /* a sender report */
	assert_int_equal(rtp_packet_read(p, sizeof(p), &head), -EBADMSG);
}

static void rtcp_lengths_must_fit(void **state)
{
	uint8_t p[36] = {0x80, 201, 0, 1, 9, 8, 7, 6};
	uint32_t ssrc = 0;

	(void)state;
	assert_int_equal(rtcp_packet_read(p, 8, &ssrc), 0);
	assert_int_equal(ssrc, 0x09080706);
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(rtcp_packet_read(p, len, &ssrc), -EBADMSG);
	assert_int_equal(rtcp_packet_read(p, 9, &ssrc), -EBADMSG);
	p[3] = 0; /* four bytes, no SSRC */
	assert_int_equal(rtcp_packet_read(p, 8, &ssrc), -EBADMSG);
	p[3] = 2;
	assert_int_equal(rtcp_packet_read(p, 8, &ssrc), -EBADMSG);
	p[2] = 0xff;
	assert_int_equal(rtcp_packet_read(p, 36, &ssrc), -EBADMSG);
	p[2] = 0;
	p[3] = 1;
	memcpy(p + 8, "\x81\xca\x00\x01\x09\x08\x07\x06", 8); /* an SDES follows */
	assert_int_equal(rtcp_packet_read(p, 16, &ssrc), 0);
	p[11] = 3;
	assert_int_equal(rtcp_packet_read(p, 16, &ssrc), -EBADMSG);
	p[11] = 1;
	p[9] = 0;
	assert_int_equal(rtcp_packet_read(p, 16, &ssrc), -EBADMSG);
	p[9] = 202;
	p[8] = 0x41;
	assert_int_equal(rtcp_packet_read(p, 16, &ssrc), -EBADMSG);
}

static void silence_is_one_stream_with_a_marker_where_it_resumes(void **state)
{
	struct rtp_silence s;
	uint8_t a[RTP_SILENCE_SIZE], b[RTP_SILENCE_SIZE], c[RTP_SILENCE_SIZE];

	(void)state;
	rtp_silence_init(&s);
	rtp_silence_write(&s, a);
	rtp_silence_write(&s, b);
	rtp_silence_pause(&s);
	rtp_silence_write(&s, c);
	assert_int_equal(a[0], 0x80);
	assert_int_equal(a[1], 0x80);
	assert_int_equal(b[1], 0);
	assert_int_equal(c[1], 0x80);
	assert_memory_equal(a + 8, c + 8, 4);
	assert_int_equal(
		(uint16_t)(b[2] << 8 | b[3]), (uint16_t)((a[2] << 8 | a[3]) + 1));
	assert_int_equal(
		(uint16_t)(c[2] << 8 | c[3]), (uint16_t)((a[2] << 8 | a[3]) + 2));
	assert_int_equal(
		(uint16_t)(b[6] << 8 | b[7]), (uint16_t)((a[6] << 8 | a[7]) + 160));
	assert_int_equal(
		(uint16_t)(c[6] << 8 | c[7]), (uint16_t)((a[6] << 8 | a[7]) + 480));
	for (size_t i = 12; i < sizeof(a); i++)
		assert_int_equal(a[i], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_learning_only_the_sdp_address_speaks),
		cmocka_unit_test(without_sdp_nobody_speaks),
		cmocka_unit_test(the_sdp_address_is_believed_at_once),
		cmocka_unit_test(a_phone_behind_nat_is_believed_after_five_in_a_row),
		cmocka_unit_test(
			the_host_that_signals_is_believed_though_the_sdp_names_another),
		cmocka_unit_test(a_gap_or_another_ssrc_starts_the_count_again),
		cmocka_unit_test(a_public_sdp_address_lets_no_stranger_in),
		cmocka_unit_test(a_likelier_source_takes_over_within_the_window_only),
		cmocka_unit_test(strays_of_an_old_port_do_not_keep_the_new_one_out),
		cmocka_unit_test(a_late_phone_is_believed_only_where_its_sdp_says),
		cmocka_unit_test(a_refresh_with_the_same_sdp_keeps_the_sound),
		cmocka_unit_test(noise_from_one_place_does_not_hide_a_phone),
		cmocka_unit_test(broken_rtp_is_no_rtp),
		cmocka_unit_test(rtcp_lengths_must_fit),
		cmocka_unit_test(silence_is_one_stream_with_a_marker_where_it_resumes),
	};

	return cmocka_run_group_tests_name("rtp_latch", tests, NULL, NULL);
}
