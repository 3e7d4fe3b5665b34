/* test_sdp.c: reading and writing the SDP of one G.711 stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "sip/sdp.h"

#define HEAD "v=0\r\no=- 5 6 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 5000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"

static const char *text_of(const struct addr *addr)
{
	static char buf[ADDR_TEXT_SIZE];

	return addr_text(addr, buf);
}

static void what_we_write_we_can_read(void **state)
{
	char text[1024];
	struct sdp_audio audio;

	(void)state;
	assert_int_equal(
		sdp_write(text, sizeof(text), "192.0.2.7", 4000, 1, 1, SDP_SENDONLY), 0);
	assert_int_equal(sdp_parse(text, &audio), 0);
	assert_string_equal(text_of(&audio.remote), "192.0.2.7:4000");
	assert_string_equal(text_of(&audio.remote_rtcp), "192.0.2.7:4001");
	assert_true(audio.pcmu);
	assert_false(audio.pcma);
	assert_int_equal(audio.telephone_event, 101);
	assert_int_equal(audio.direction, SDP_SENDONLY);
	assert_int_equal(
		sdp_write(text, 40, "192.0.2.7", 4000, 1, 1, SDP_SENDRECV), -EMSGSIZE);
}

static void twilios_own_text_is_read(void **state)
{
	struct sdp_audio audio;

	(void)state;
	assert_int_equal(
		sdp_parse(
			"v=0\r\no=root 1 1 IN IP4 172.18.1.1\r\ns=Twilio Media Gateway\r\n"
			"c=IN IP4 168.86.1.2\r\nt=0 0\r\nm=audio 12345 RTP/AVP 0 8 101\r\n"
			"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n"
			"a=maxptime:20\r\na=sendrecv\r\n",
			&audio),
		0);
	assert_string_equal(text_of(&audio.remote), "168.86.1.2:12345");
	assert_true(audio.pcmu && audio.pcma);
}

static void the_streams_own_lines_win_over_the_sessions(void **state)
{
	struct sdp_audio audio;

	(void)state;
	assert_int_equal(
		sdp_parse("v=0\nc=IN IP4 192.0.2.1\na=inactive\nm=video 9 RTP/AVP 96\n"
			  "c=IN IP4 192.0.2.2\na=sendonly\nm=audio 5000 RTP/AVP 0\n"
			  "c=IN IP4 192.0.2.3\na=rtcp:6001 IN IP4 192.0.2.4\n"
			  "a=recvonly\nm=audio 7000 RTP/AVP 0\nc=IN IP4 192.0.2.5\n",
			&audio),
		0);
	assert_string_equal(text_of(&audio.remote), "192.0.2.3:5000");
	assert_string_equal(text_of(&audio.remote_rtcp), "192.0.2.4:6001");
	assert_int_equal(audio.direction, SDP_RECVONLY);
}

static void the_old_way_to_hold_is_understood(void **state)
{
	struct sdp_audio audio;

	(void)state;
	assert_int_equal(
		sdp_parse(
			"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 5000 RTP/AVP 0\r\n", &audio),
		0);
	assert_int_equal(audio.direction, SDP_SENDONLY);
}

static void broken_text_is_refused(void **state)
{
	static const char *const broken[] = {
		"",
		"v=1\r\n",
		"v=0\r\nnonsense\r\n" AUDIO,
		"v=0\r\nc=IN IP4 host.example\r\n" AUDIO,
		"v=0\r\nc=IN\r\n" AUDIO,
		"v=0\r\n" AUDIO, /* no address */
		"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 70000 RTP/AVP 0\r\n",
		"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 5000\r\n",
		"v=0\r\nc=IN IP4 1.2.3.4\r\nm=\r\n",
	};
	struct sdp_audio audio = {.telephone_event = 42};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(sdp_parse(broken[i], &audio), -EINVAL);
	assert_int_equal(sdp_parse(HEAD "m=audio 5000 RTP/SAVP 0\r\n", &audio), -ENOENT);
	assert_int_equal(audio.telephone_event, 42);
}

static void an_answer_has_a_line_for_every_offered_stream(void **state)
{
	char local[1024], answer[1024];
	struct sdp_audio audio;

	(void)state;
	assert_int_equal(
		sdp_write(local, sizeof(local), "192.0.2.7", 4000, 9, 3, SDP_SENDRECV),
		0);
	assert_int_equal(
		sdp_answer(HEAD "m=audio 5002 RTP/SAVP 0\r\n"
				"m=audio 5000 RTP/AVP 8 0 96\r\n"
				"a=rtpmap:96 telephone-event/8000\r\na=sendonly\r\n"
				"m=video 6000 RTP/AVP 97 98\r\n",
			local, answer, sizeof(answer)),
		0);
	assert_string_equal(answer,
		"v=0\r\no=- 9 4 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
		"m=audio 0 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 0 96\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\na=ptime:20\r\n"
		"a=recvonly\r\nm=video 0 RTP/AVP 97 98\r\n");
	assert_int_equal(sdp_parse(answer, &audio), 0);
	assert_int_equal(audio.telephone_event, 96);
}

static void nothing_in_common_is_not_an_answer(void **state)
{
	char local[1024], answer[1024];

	(void)state;
	assert_int_equal(
		sdp_write(local, sizeof(local), "192.0.2.7", 4000, 9, 3, SDP_SENDRECV),
		0);
	assert_int_equal(sdp_answer(HEAD "m=audio 5000 RTP/AVP 9\r\n", local, answer,
				 sizeof(answer)),
		-ENOTSUP);
	assert_int_equal(
		sdp_answer(HEAD "m=audio 0 RTP/AVP 0\r\n", local, answer, sizeof(answer)),
		-ENOTSUP);
	assert_int_equal(
		sdp_answer(HEAD "m=video 9 RTP/AVP 0\r\n", local, answer, sizeof(answer)),
		-ENOTSUP);
	assert_int_equal(sdp_answer(HEAD AUDIO, local, answer, 100), -EMSGSIZE);
	assert_int_equal(sdp_answer("v=0", local, answer, sizeof(answer)), -ENOTSUP);
}

static void a_new_offer_is_one_version_on(void **state)
{
	char local[1024], offer[1024];

	(void)state;
	assert_int_equal(
		sdp_write(local, sizeof(local), "192.0.2.7", 4000, 9, 3, SDP_RECVONLY),
		0);
	assert_int_equal(sdp_reoffer(local, SDP_SENDRECV, offer, sizeof(offer)), 0);
	assert_non_null(strstr(offer, "o=- 9 4 IN IP4 192.0.2.7\r\n"));
	assert_non_null(strstr(offer, "m=audio 4000 RTP/AVP 0 101\r\n"));
	assert_non_null(strstr(offer, "a=sendrecv\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_write_we_can_read),
		cmocka_unit_test(twilios_own_text_is_read),
		cmocka_unit_test(the_streams_own_lines_win_over_the_sessions),
		cmocka_unit_test(the_old_way_to_hold_is_understood),
		cmocka_unit_test(broken_text_is_refused),
		cmocka_unit_test(an_answer_has_a_line_for_every_offered_stream),
		cmocka_unit_test(nothing_in_common_is_not_an_answer),
		cmocka_unit_test(a_new_offer_is_one_version_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
