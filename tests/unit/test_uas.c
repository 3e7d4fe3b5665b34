/* test_uas.c: who may call the sandbox, and how a call rings, is answered and ends. */
#include "config.h"

#include <errno.h>
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

static void test_an_invite_without_credentials_is_challenged(void **state)
{
	(void)state;
	phone_take_challenge();
	assert_int_equal(owner.invites, 0);
}

static void test_a_wrong_password_is_forbidden(void **state)
{
	char headers[1024];

	(void)state;
	phone_take_challenge();
	phone_authorize(headers, sizeof(headers), "Secret654321");
	phone_send_invite(headers, phone_offer(USUAL));
	phone_expect("SIP/2.0 403");
	phone_acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_a_nonce_of_somebody_else_is_challenged_again_as_stale(void **state)
{
	char headers[1024];

	(void)state;
	phone_take_challenge();
	phone.nonce[20] = phone.nonce[20] == 'a' ? 'b' : 'a';
	phone_authorize(headers, sizeof(headers), "Secret123456");
	phone_send_invite(headers, phone_offer(USUAL));
	phone_expect("SIP/2.0 407");
	assert_non_null(strstr(phone.message, "stale=true"));
	phone_acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_the_owner_learns_who_calls_and_the_x_headers(void **state)
{
	(void)state;
	phone_call_with("X-Ovx-Leg: 17\r\nUser-to-User: 4869\r\nSubject: no\r\n", USUAL);
	phone_expect("SIP/2.0 100");
	phone_expect("SIP/2.0 180");
	assert_string_equal(owner.who,
		"sip:agent@127.0.0.1 sip:conf@127.0.0.1 agent 127.0.0.1"
		" X-Ovx-Leg=17 User-to-User=4869");
	uas_leg_refuse(owner.leg, 404);
	phone_expect("SIP/2.0 404 Not Found");
	phone_acknowledge();
	assert_int_equal(owner.ended, 0);
}

static void test_the_owners_status_goes_to_the_caller(void **state)
{
	(void)state;
	owner.status = 603;
	phone_call_with("", USUAL);
	phone_expect("SIP/2.0 603 Decline");
	phone_acknowledge();
	assert_int_equal(owner.ended, 0);
}

static void test_a_call_without_common_sound_is_not_acceptable(void **state)
{
	(void)state;
	phone_call_with("", "18\r\na=rtpmap:18 G729/8000");
	phone_expect("SIP/2.0 488");
	phone_acknowledge();
	phone_call_with("", NULL);
	phone_expect("SIP/2.0 488");
	phone_acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_the_answer_names_pcmu_pcma_and_telephone_events(void **state)
{
	(void)state;
	phone_call_up();
	assert_non_null(strstr(phone.message, " RTP/AVP 0 8 101"));
	assert_non_null(strstr(phone.message, "a=rtpmap:101 telephone-event/8000"));
}

static void test_cancel_ends_a_leg_that_rings(void **state)
{
	(void)state;
	phone_call_with("", USUAL);
	phone_expect("SIP/2.0 180");
	phone_send_request("CANCEL", phone.invite_cseq, "", "");
	phone_expect("SIP/2.0 487");
	phone_acknowledge();
	rig_expect_end("cancel");
}

static void test_a_retransmitted_invite_is_the_same_call(void **state)
{
	char headers[1024];

	(void)state;
	phone_take_challenge();
	phone_authorize(headers, sizeof(headers), "Secret123456");
	phone_send_invite(headers, phone_offer(USUAL));
	phone_send_request("INVITE", phone.invite_cseq, headers, phone_offer(USUAL));
	phone_expect("SIP/2.0 180");
	phone_expect("SIP/2.0 180");
	assert_int_equal(owner.invites, 1);
}

static void test_bye_ends_a_leg_and_takes_it_out_of_its_room(void **state)
{
	(void)state;
	phone_call_up();
	assert_int_equal(mixer_join(mixer, "room", uas_leg_port(owner.leg)), 0);
	phone_hang_up();
	rig_expect_end("bye");
}

static void test_hanging_up_sends_bye_to_the_phone(void **state)
{
	(void)state;
	phone_call_up();
	/* BYE waits for the ACK (RFC 3261 section 15), which may still be on its way. */
	uas_leg_hangup(owner.leg);
	phone_expect("BYE sip:agent@127.0.0.1:");
	assert_int_equal(owner.ended, 0);
}

static void test_options_are_answered_and_an_unknown_dialog_is_denied(void **state)
{
	(void)state;
	phone.branch++;
	phone_send_request("OPTIONS", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 200");
	phone_call_up();
	phone.branch++;
	phone_send_request("OPTIONS", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1");
	(void)snprintf(phone.to_tag, sizeof(phone.to_tag), "nobody");
	phone.branch++;
	phone_send_request("OPTIONS", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 481");
	phone.branch++;
	phone_send_request("BYE", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 481");
	assert_int_equal(owner.ended, 0);
}

static void test_closing_the_uas_says_bye_to_every_phone(void **state)
{
	(void)state;
	phone_call_up();
	/* Its answer shows that the ACK before it was read. */
	phone.branch++;
	phone_send_request("OPTIONS", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 200");
	uas_free(&uas);
	phone_expect("BYE ");
	assert_int_equal(owner.ended, 0);
}

static void test_rubbish_is_ignored(void **state)
{
	(void)state;
	phone_send_text("hello\r\n\r\n");
	phone_send_text("INVITE sip:x SIP/2.0\r\n\r\n");
	phone_send_text("SIP/2.0 200 OK\r\n\r\n");
	phone_send_text("\r\n\r\n");
	phone_call_up();
}

static void test_an_address_that_cannot_be_told_to_phones_is_refused(void **state)
{
	struct uas_config config = {.listen = "0.0.0.0:0", .realm = REALM, .user = "a"};
	struct uas *none = NULL;

	(void)state;
	config.password = "p";
	assert_int_equal(uas_new(&config, &none), -EINVAL);
	config.listen = "nowhere";
	assert_int_equal(uas_new(&config, &none), -EINVAL);
	config.listen = uas_addr(uas);
	assert_int_equal(uas_new(&config, &none), -EADDRINUSE);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_an_invite_without_credentials_is_challenged, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_wrong_password_is_forbidden, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_nonce_of_somebody_else_is_challenged_again_as_stale,
			rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_the_owner_learns_who_calls_and_the_x_headers, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_the_owners_status_goes_to_the_caller, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_call_without_common_sound_is_not_acceptable, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_the_answer_names_pcmu_pcma_and_telephone_events, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_cancel_ends_a_leg_that_rings, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_a_retransmitted_invite_is_the_same_call, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_bye_ends_a_leg_and_takes_it_out_of_its_room, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_hanging_up_sends_bye_to_the_phone, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_options_are_answered_and_an_unknown_dialog_is_denied,
			rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_closing_the_uas_says_bye_to_every_phone, rig_start,
			rig_stop),
		cmocka_unit_test_setup_teardown(
			test_rubbish_is_ignored, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(
			test_an_address_that_cannot_be_told_to_phones_is_refused,
			rig_start, rig_stop),
	};
	int failed;

	if (libre_init() != 0 || fd_setsize(1024) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return failed;
}
