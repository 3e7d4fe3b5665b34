/* test_sip_dialog.c: calls to a scripted phone, from INVITE to the last BYE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "unit/dialog_bench.h"

#include "sip/sdp.h"

static void an_invite_carries_what_phones_need(void **state)
{
	struct bench *b = *state;
	char value[256], contact[64];

	call(b, NULL, RING_MS);
	assert_memory_equal(b->invite, "INVITE sip:agent1@phone.invalid SIP/2.0", 39);
	assert_string_equal(header_of(b->invite, "Route", value, sizeof(value)), "");
	assert_string_equal(
		header_of(b->invite, "X-Ovx-Leg", value, sizeof(value)), "abc");
	assert_string_equal(header_of(b->invite, "Call-Info", value, sizeof(value)),
		"<sip:gw>;answer-after=0");
	(void)snprintf(
		contact, sizeof(contact), "<sip:127.0.0.1:%u>", (unsigned)b->rig.port);
	assert_string_equal(
		header_of(b->invite, "Contact", value, sizeof(value)), contact);
	assert_non_null(strstr(body_of(b->invite), "m=audio 4000 RTP/AVP 0 101"));
}

static void an_answer_is_acknowledged_each_time_it_comes(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	assert_int_equal(b->ring_status, 180);
	assert_string_equal(b->sdp, PHONE_SDP);
	peer_reply(&b->phone, b->invite, "200 OK", "pt", phone_contact(b), PHONE_SDP);
	(void)peer_expect(&b->phone, "ACK ");
	assert_int_equal(b->answers, 1);
}

static void hanging_up_says_bye(void **state)
{
	struct bench *b = *state;
	char request[256];

	connect_call(b);
	sip_dialog_hangup(b->dialog);
	sip_dialog_hangup(b->dialog);
	(void)snprintf(request, sizeof(request), "BYE sip:agent1@127.0.0.1:%u SIP/2.0",
		(unsigned)b->phone.port);
	peer_reply(&b->phone, peer_expect(&b->phone, request), "200 OK", NULL, "", "");
	expect_end(b, SIP_END_BYE_LOCAL, 0);
}

static void a_phone_that_does_not_answer_a_bye_cannot_hold_the_dialog(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	sip_dialog_hangup(b->dialog);
	expect_end(b, SIP_END_BYE_LOCAL, 0);
}

static void a_bye_of_the_phone_ends_the_dialog(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	phone_asks(b, "BYE", 2, "");
	(void)peer_expect(&b->phone, "SIP/2.0 200");
	expect_end(b, SIP_END_BYE_REMOTE, 0);
	phone_asks(b, "BYE", 3, "");
	(void)peer_expect(&b->phone, "SIP/2.0 481");
}

static void a_challenge_is_answered_once(void **state)
{
	struct bench *b = *state;
	const char *challenge =
		"Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n1\", "
		"opaque=\"op\", qop=\"auth\"\r\n";
	char value[1024], first[128], second[128];

	call(b, "user", RING_MS);
	peer_reply(&b->phone, b->invite, "407 Proxy Authentication Required", "a",
		challenge, "");
	(void)header_of(b->invite, "CSeq", first, sizeof(first));
	(void)strcpy(b->invite, peer_expect(&b->phone, "INVITE "));
	(void)header_of(b->invite, "Proxy-Authorization", value, sizeof(value));
	assert_non_null(strstr(value, "username=\"user\""));
	assert_non_null(strstr(value, "opaque=\"op\""));
	assert_non_null(strstr(value, "nc=00000001"));
	assert_int_equal(atoi(header_of(b->invite, "CSeq", second, sizeof(second))),
		atoi(first) + 1);
	peer_reply(&b->phone, b->invite, "407 Proxy Authentication Required", "c",
		challenge, "");
	expect_end(b, SIP_END_REFUSED, 407);
	assert_true(peer_hears_no(&b->phone, "INVITE ", 100));
}

static void without_credentials_a_challenge_ends_the_call(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "401 Unauthorized", "a",
		"WWW-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\n", "");
	expect_end(b, SIP_END_REFUSED, 401);
}

static void a_busy_phone_ends_the_call_with_its_status(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "486 Busy Here", "a", "", "");
	(void)peer_expect(&b->phone, "ACK ");
	expect_end(b, SIP_END_REFUSED, 486);
}

static void a_hangup_while_it_rings_cancels(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "180 Ringing", "a", phone_contact(b), "");
	assert_true(rig_run(&b->rig, has_rung, b, 5000));
	sip_dialog_hangup(b->dialog);
	peer_reply(&b->phone, peer_expect(&b->phone, "CANCEL "), "200 OK", "a", "", "");
	peer_reply(&b->phone, b->invite, "487 Request Terminated", "a", "", "");
	expect_end(b, SIP_END_CANCELED, 0);
}

static void a_hangup_before_any_answer_cancels_when_one_comes(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	sip_dialog_hangup(b->dialog);
	assert_true(peer_hears_no(&b->phone, "CANCEL ", 50));
	peer_reply(&b->phone, b->invite, "100 Trying", NULL, "", "");
	peer_reply(&b->phone, peer_expect(&b->phone, "CANCEL "), "200 OK", "a", "", "");
	peer_reply(&b->phone, b->invite, "487 Request Terminated", "a", "", "");
	expect_end(b, SIP_END_CANCELED, 0);
	assert_int_equal(b->ringings, 0);
}

static void an_answer_that_crosses_our_cancel_is_acknowledged_and_ended(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "180 Ringing", "a", phone_contact(b), "");
	assert_true(rig_run(&b->rig, has_rung, b, 5000));
	sip_dialog_hangup(b->dialog);
	(void)peer_expect(&b->phone, "CANCEL ");
	peer_reply(&b->phone, b->invite, "200 OK", "a", phone_contact(b), PHONE_SDP);
	(void)peer_expect(&b->phone, "ACK ");
	peer_reply(&b->phone, peer_expect(&b->phone, "BYE "), "200 OK", NULL, "", "");
	expect_end(b, SIP_END_CANCELED, 0);
	assert_int_equal(b->answers, 0);
}

static void a_phone_that_rings_too_long_is_cancelled(void **state)
{
	struct bench *b = *state;

	call(b, NULL, 50);
	peer_reply(&b->phone, b->invite, "180 Ringing", "a", phone_contact(b), "");
	(void)peer_expect(&b->phone, "CANCEL ");
	peer_reply(&b->phone, b->invite, "487 Request Terminated", "a", "", "");
	expect_end(b, SIP_END_TIMEOUT, 0);
}

static void a_second_answer_from_elsewhere_is_ended(void **state)
{
	struct bench *b = *state;
	struct peer other;
	char contact[128], tag[64];
	const char *bye;

	connect_call(b);
	peer_open(&other, &b->rig);
	(void)snprintf(contact, sizeof(contact), "Contact: <sip:x@127.0.0.1:%u>\r\n",
		(unsigned)other.port);
	peer_reply(&b->phone, b->invite, "200 OK", "fork", contact, PHONE_SDP);
	(void)peer_expect(&other, "ACK ");
	bye = peer_expect(&other, "BYE ");
	assert_string_equal(tag_of(bye, "To", tag, sizeof(tag)), "fork");
	assert_int_equal(b->ends, 0);
	assert_int_equal(b->answers, 1);
	peer_close(&other);
}

static void an_answer_without_sound_is_ended(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "200 OK", "a", phone_contact(b), "");
	(void)peer_expect(&b->phone, "ACK ");
	peer_reply(&b->phone, peer_expect(&b->phone, "BYE "), "200 OK", NULL, "", "");
	expect_end(b, SIP_END_REFUSED, 488);
}

static void hold_is_answered_in_the_mirror(void **state)
{
	struct bench *b = *state;
	const char *ok;

	connect_call(b);
	phone_asks(b, "INVITE", 2, PHONE_SDP "a=sendonly\r\n");
	ok = peer_expect(&b->phone, "SIP/2.0 200");
	assert_non_null(strstr(body_of(ok), "a=recvonly"));
	assert_non_null(strstr(body_of(ok), "o=- 77 2 "));
	phone_asks(b, "ACK", 2, "");
	assert_true(rig_run(&b->rig, has_changed, b, 5000));
	assert_non_null(strstr(b->sdp, "a=sendonly"));
	phone_asks(b, "UPDATE", 3, PHONE_SDP "a=inactive\r\n");
	ok = peer_expect(&b->phone, "SIP/2.0 200");
	assert_non_null(strstr(body_of(ok), "a=inactive"));
	phone_asks(b, "INVITE", 4, PHONE_SDP);
	ok = peer_expect(&b->phone, "SIP/2.0 200");
	assert_non_null(strstr(body_of(ok), "a=sendrecv"));
	assert_non_null(strstr(body_of(ok), "o=- 77 4 "));
}

static void a_reinvite_without_offer_gets_ours_and_answers_in_its_ack(void **state)
{
	struct bench *b = *state;
	const char *ok;

	connect_call(b);
	phone_asks(b, "INVITE", 2, "");
	ok = peer_expect(&b->phone, "SIP/2.0 200");
	assert_non_null(strstr(body_of(ok), "m=audio 4000 RTP/AVP 0 101"));
	phone_asks(b, "ACK", 2, PHONE_SDP "a=sendrecv\r\n");
	assert_true(rig_run(&b->rig, has_changed, b, 5000));
}

static void what_we_cannot_take_leaves_the_call_as_it_was(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	phone_asks(b, "INVITE", 2,
		"v=0\r\no=p 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio 5000 RTP/AVP 9\r\n");
	(void)peer_expect(&b->phone, "SIP/2.0 488");
	phone_asks(b, "INVITE", 3, "v=1\r\nrubbish");
	(void)peer_expect(&b->phone, "SIP/2.0 400");
	assert_int_equal(b->changes, 0);
	assert_int_equal(b->ends, 0);
}

static void each_method_has_its_answer_within_a_dialog(void **state)
{
	static const struct {
		const char *method, *status;
	} rows[] = {
		{"OPTIONS", "SIP/2.0 200"},
		{"INFO", "SIP/2.0 200"},
		{"MESSAGE", "SIP/2.0 405"},
		{"SUBSCRIBE", "SIP/2.0 489"},
		{"NOTIFY", "SIP/2.0 489"},
	};
	struct bench *b = *state;
	unsigned i;

	connect_call(b);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		phone_asks(b, rows[i].method, 10 + i, "");
		assert_memory_equal(
			peer_expect(&b->phone, "SIP/2.0"), rows[i].status, 11);
	}
}

static void an_offer_before_our_answer_gets_491(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	peer_reply(
		&b->phone, b->invite, "183 Session Progress", "pt", phone_contact(b), "");
	phone_asks(b, "UPDATE", 2, PHONE_SDP);
	(void)peer_expect(&b->phone, "SIP/2.0 491");
}

static void who_knows_the_dialog_is_left_alone_when_asked(void **state)
{
	static const char *const answers[] = {"200 OK", "405 Method Not Allowed",
		"501 Not Implemented", "500 Server Internal Error", NULL};
	struct bench *b = *state;

	connect_call(b);
	for (size_t i = 0; answers[i] != NULL; i++) {
		sip_dialog_ask(b->dialog);
		sip_dialog_ask(b->dialog);
		peer_reply(&b->phone, peer_expect(&b->phone, "INFO "), answers[i], NULL,
			"", "");
		assert_true(peer_hears_no(&b->phone, "INFO ", 50));
	}
	assert_int_equal(b->ends, 0);
	sip_dialog_hangup(b->dialog);
	peer_reply(&b->phone, peer_expect(&b->phone, "BYE "), "200 OK", NULL, "", "");
	expect_end(b, SIP_END_BYE_LOCAL, 0);
}

static void who_does_not_know_the_dialog_has_lost_it(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	sip_dialog_ask(b->dialog);
	peer_reply(&b->phone, peer_expect(&b->phone, "INFO "),
		"481 Call/Transaction Does Not Exist", NULL, "", "");
	expect_end(b, SIP_END_LOST, 481);
	assert_true(peer_hears_no(&b->phone, "BYE ", 50));
}

static void a_phone_that_says_nothing_for_32_s_has_lost_it(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	sip_dialog_ask(b->dialog);
	(void)peer_expect(&b->phone, "INFO "); /* and the answer stays away */
	assert_true(rig_run(&b->rig, has_ended, b, 40000));
	expect_end(b, SIP_END_LOST, 408);
}

static void a_phone_that_cannot_be_reached_twice_has_lost_it(void **state)
{
	struct bench *b = *state;

	connect_call(b);
	peer_close(&b->phone);
	sip_dialog_ask(b->dialog);
	assert_false(rig_run(&b->rig, has_ended, b, 300));
	sip_dialog_ask(b->dialog);
	expect_end(b, SIP_END_LOST, 503);
	peer_open(&b->phone, &b->rig);
}

static void a_dialog_is_taken_up_by_the_next_process(void **state)
{
	struct bench *b = *state;
	struct sip_dialog_events events = events_of(b);
	struct sip_dialog_state *s = calloc(1, sizeof(*s)),
				*again = calloc(1, sizeof(*again));
	char value[256];
	uint16_t port = b->rig.port;
	const char *bye;

	call(b, NULL, RING_MS);
	assert_int_equal(sip_dialog_state(b->dialog, s), -ENOTCONN);
	peer_reply(&b->phone, b->invite, "200 OK", "pt",
		"Contact: <sip:agent1@10.9.8.7:5070>\r\n"
		"Record-Route: <sip:127.0.0.2;lr>, <sip:127.0.0.1;lr>\r\n",
		PHONE_SDP);
	assert_true(rig_run(&b->rig, has_answered, b, 5000));
	assert_int_equal(sip_dialog_state(b->dialog, s), 0);
	assert_string_equal(s->routes, "<sip:127.0.0.1;lr>, <sip:127.0.0.2;lr>");
	assert_string_equal(s->remote_target, "sip:agent1@10.9.8.7:5070");
	assert_string_equal(s->next_hop, b->hop);

	/* the old one is gone without a word */
	sip_loop_unwatch(b->rig.loop, b->phone.watch);
	rig_stop(&b->rig);
	rig_start(&b->rig, port);
	b->phone.watch = -1;
	peer_rewatch(&b->phone);
	assert_int_equal(sip_dialog_resume(b->rig.edge, s, &events, &b->dialog), 0);
	assert_int_equal(sip_dialog_state(b->dialog, again), 0);
	assert_true(again->local_seq > s->local_seq + 100);
	again->local_seq = s->local_seq;
	assert_memory_equal(s, again, sizeof(*s));

	phone_asks(b, "INVITE", 2, PHONE_SDP "a=sendonly\r\n");
	(void)peer_expect(&b->phone, "SIP/2.0 200");
	phone_asks(b, "ACK", 2, "");
	sip_dialog_hangup(b->dialog);
	bye = peer_expect(&b->phone, "BYE ");
	assert_string_equal(
		header_of(bye, "Route", value, sizeof(value)), "<sip:127.0.0.1;lr>");
	assert_string_equal(tag_of(bye, "To", value, sizeof(value)), "pt");
	peer_reply(&b->phone, bye, "200 OK", NULL, "", "");
	expect_end(b, SIP_END_BYE_LOCAL, 0);
	free(s);
	free(again);
}

static void a_dialog_may_be_forgotten_at_any_time(void **state)
{
	struct bench *b = *state;

	call(b, NULL, RING_MS);
	sip_dialog_free(&b->dialog);
	assert_null(b->dialog);
	sip_dialog_free(&b->dialog);
	b->answers = 0;
	connect_call(b);
	sip_dialog_free(&b->dialog);
	assert_true(peer_hears_no(&b->phone, "BYE ", 50));
	phone_asks(b, "BYE", 2, "");
	(void)peer_expect(&b->phone, "SIP/2.0 481");
	assert_int_equal(b->ends, 0);
}

static void a_phone_that_is_not_there_has_refused_nothing(void **state)
{
	struct bench *b = *state;
	struct sip_dialog_events events = events_of(b);
	char uri[64];

	(void)snprintf(
		uri, sizeof(uri), "sip:agent1@127.0.0.1:%u", (unsigned)b->phone.port);
	peer_close(&b->phone);
	assert_int_equal(sip_dialog_invite(b->rig.edge,
				 &(struct sip_invite){.request_uri = uri,
					 .from_uri = "sip:gw@127.0.0.1",
					 .sdp = PHONE_SDP,
					 .ring_ms = RING_MS},
				 &events, &b->dialog),
		0);
	expect_end(b, SIP_END_TIMEOUT, 503);
	peer_open(&b->phone, &b->rig);
}

static void a_name_is_no_next_hop(void **state)
{
	struct bench *b = *state;
	struct sip_dialog_events events = events_of(b);
	struct sip_invite invite = {.request_uri = "sip:a@example.org",
		.from_uri = "sip:gw@127.0.0.1",
		.sdp = PHONE_SDP,
		.ring_ms = 100};

	assert_int_equal(
		sip_dialog_invite(b->rig.edge, &invite, &events, &b->dialog), -EINVAL);
	assert_int_equal(b->ends, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, dialog_bench_open, dialog_bench_close)
	const struct CMUnitTest tests[] = {
		TEST(an_invite_carries_what_phones_need),
		TEST(an_answer_is_acknowledged_each_time_it_comes),
		TEST(hanging_up_says_bye),
		TEST(a_phone_that_does_not_answer_a_bye_cannot_hold_the_dialog),
		TEST(a_bye_of_the_phone_ends_the_dialog),
		TEST(a_challenge_is_answered_once),
		TEST(without_credentials_a_challenge_ends_the_call),
		TEST(a_busy_phone_ends_the_call_with_its_status),
		TEST(a_hangup_while_it_rings_cancels),
		TEST(a_hangup_before_any_answer_cancels_when_one_comes),
		TEST(an_answer_that_crosses_our_cancel_is_acknowledged_and_ended),
		TEST(a_phone_that_rings_too_long_is_cancelled),
		TEST(a_second_answer_from_elsewhere_is_ended),
		TEST(an_answer_without_sound_is_ended),
		TEST(hold_is_answered_in_the_mirror),
		TEST(a_reinvite_without_offer_gets_ours_and_answers_in_its_ack),
		TEST(what_we_cannot_take_leaves_the_call_as_it_was),
		TEST(each_method_has_its_answer_within_a_dialog),
		TEST(an_offer_before_our_answer_gets_491),
		TEST(who_knows_the_dialog_is_left_alone_when_asked),
		TEST(who_does_not_know_the_dialog_has_lost_it),
		TEST(a_phone_that_says_nothing_for_32_s_has_lost_it),
		TEST(a_phone_that_cannot_be_reached_twice_has_lost_it),
		TEST(a_dialog_is_taken_up_by_the_next_process),
		TEST(a_dialog_may_be_forgotten_at_any_time),
		TEST(a_phone_that_is_not_there_has_refused_nothing),
		TEST(a_name_is_no_next_hop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
