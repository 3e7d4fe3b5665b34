/* test_uas.c: a scripted SIP phone on a plain socket against the sandbox's SIP side. */
#include "config.h"

#include <arpa/inet.h>
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

#include "sandbox/uas.h"
#include "unit/sandbox_loop.h"

#define DEADLINE_MS 5000
#define REALM "sip.twilio.com"

static struct uas *uas;
static struct mixer *mixer;

/* What the owner of the UAS saw, and what it shall say to an INVITE. */
static struct {
	struct uas_leg *leg;
	int invites, ended;
	int status;
	bool answers;
	char who[512];
	char why[32];
} owner;

static int owner_invite(void *arg, struct uas_leg *leg, const struct uas_invite *invite)
{
	size_t len;

	assert_ptr_equal(arg, &owner);
	owner.invites++;
	len = (size_t)snprintf(owner.who, sizeof(owner.who), "%s %s %s %s", invite->from,
		invite->to, invite->username, invite->domain);
	for (size_t i = 0; i < invite->header_count; i++)
		len += (size_t)snprintf(owner.who + len, sizeof(owner.who) - len,
			" %s=%s", invite->headers[i].name, invite->headers[i].value);
	assert_true(strncmp(invite->source, "127.0.0.1:", 10) == 0);
	if (owner.status != 0)
		return owner.status;
	owner.leg = leg;
	uas_leg_set_arg(leg, &owner.leg);
	return owner.answers ? uas_leg_answer(leg) : 0;
}

static void owner_ended(void *arg, struct uas_leg *leg, const char *why)
{
	assert_ptr_equal(arg, &owner);
	assert_ptr_equal(leg, owner.leg);
	assert_ptr_equal(uas_leg_arg(leg), &owner.leg);
	owner.leg = NULL;
	owner.ended++;
	(void)snprintf(owner.why, sizeof(owner.why), "%s", why);
}

struct phone {
	int sip, rtp;
	uint16_t sip_port, rtp_port;
	struct sockaddr_in server, media;
	int cseq, invite_cseq;
	int branch;
	char to_tag[64];
	char nonce[128];
	char message[8192]; /* the last one received */
	uint8_t packet[512];
	ssize_t packet_len;
	uint16_t seq;
};

static struct phone phone;

/* Port 0: any. */
static int open_socket(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

static void phone_open(void)
{
	const char *port = strchr(uas_addr(uas), ':');

	memset(&phone, 0, sizeof(phone));
	phone.sip = open_socket(0, &phone.sip_port);
	phone.rtp = open_socket(0, &phone.rtp_port);
	phone.server.sin_family = AF_INET;
	phone.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	phone.server.sin_port = htons((uint16_t)atoi(port + 1));
}

static void phone_close(void)
{
	(void)close(phone.sip);
	(void)close(phone.rtp);
}

static void send_text(const char *text)
{
	assert_int_equal(sendto(phone.sip, text, strlen(text), 0,
				 (struct sockaddr *)&phone.server, sizeof(phone.server)),
		strlen(text));
}

/* `cseq` and `branch` are given, because ACK and CANCEL repeat those of the INVITE. */
static void send_request(
	const char *method, int cseq, const char *headers, const char *body)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
		"%s sip:conf@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%d-%d;rport\r\n"
		"From: <sip:agent@127.0.0.1>;tag=ours\r\n"
		"To: <sip:conf@127.0.0.1>%s%s\r\n"
		"Call-ID: %d-%u@test\r\n"
		"CSeq: %d %s\r\n"
		"Contact: <sip:agent@127.0.0.1:%u>\r\n"
		"Max-Forwards: 70\r\n"
		"%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, phone.sip_port, (int)getpid(), phone.branch,
		phone.to_tag[0] != '\0' ? ";tag=" : "", phone.to_tag, (int)getpid(),
		phone.sip_port, cseq, strcmp(method, "INVITE") == 0 ? "INVITE" : method,
		phone.sip_port, headers,
		body[0] != '\0' ? "Content-Type: application/sdp\r\n" : "", strlen(body),
		body);
	send_text(text);
}

static bool message_came(void *arg)
{
	ssize_t n = recv(phone.sip, phone.message, sizeof(phone.message) - 1, 0);

	(void)arg;
	if (n < 0)
		return false;
	phone.message[n] = '\0';
	return true;
}

static bool message_starts(void *arg)
{
	const char *start = arg;

	while (message_came(NULL))
		if (strncmp(phone.message, start, strlen(start)) == 0)
			return true;
	return false;
}

/* Runs the loop until a message with that start came; others before it are passed over. */
static void expect(const char *start)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s", start);
	if (!sandbox_run_until(message_starts, text, DEADLINE_MS))
		fail_msg("no %s, last was: %.400s", start, phone.message);
}

/* Copies what follows `before` in the last message, up to one of `ends`. */
static void find(const char *before, const char *ends, char *dst, size_t size)
{
	const char *at = strstr(phone.message, before);
	size_t len;

	assert_non_null(at);
	at += strlen(before);
	len = strcspn(at, ends);
	assert_true(len < size);
	memcpy(dst, at, len);
	dst[len] = '\0';
}

static const char *offer(const char *lines)
{
	static char sdp[512];

	(void)snprintf(sdp, sizeof(sdp),
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio %u RTP/AVP %s\r\n",
		phone.rtp_port, lines);
	return sdp;
}

#define USUAL "0 8 101\r\na=rtpmap:101 telephone-event/8000"
#define OFFER offer(USUAL)

static void authorize(char *dst, size_t size, const char *password)
{
	uint8_t ha1[MD5_SIZE], ha2[MD5_SIZE], response[MD5_SIZE];
	char hex[MD5_STR_SIZE];

	(void)md5_printf(ha1, "%s:%s:%s", "agent", REALM, password);
	(void)md5_printf(ha2, "INVITE:sip:conf@127.0.0.1");
	(void)md5_printf(response, "%w:%s:00000001:abc:auth:%w", ha1, sizeof(ha1),
		phone.nonce, ha2, sizeof(ha2));
	(void)re_snprintf(hex, sizeof(hex), "%w", response, sizeof(response));
	(void)snprintf(dst, size,
		"Proxy-Authorization: Digest username=\"agent\", realm=\"" REALM
		"\", nonce=\"%s\", uri=\"sip:conf@127.0.0.1\", response=\"%s\", "
		"algorithm=MD5, qop=auth, nc=00000001, cnonce=\"abc\"\r\n",
		phone.nonce, hex);
}

static void send_invite(const char *headers, const char *body)
{
	phone.branch++;
	phone.invite_cseq = ++phone.cseq;
	send_request("INVITE", phone.invite_cseq, headers, body);
}

static void acknowledge(void)
{
	send_request("ACK", phone.invite_cseq, "", "");
}

static void take_challenge(void)
{
	send_invite("", OFFER);
	expect("SIP/2.0 407");
	assert_non_null(strstr(phone.message, "Digest realm=\"" REALM "\",qop=\"auth\""));
	assert_non_null(strstr(phone.message, "opaque=\""));
	find("nonce=\"", "\"", phone.nonce, sizeof(phone.nonce));
	acknowledge();
}

/* The whole way to the final answer, which the caller expects. No codecs: no SDP. */
static void call_with(const char *more_headers, const char *codecs)
{
	char headers[1024];

	take_challenge();
	authorize(headers, sizeof(headers), "Secret123456");
	(void)snprintf(headers + strlen(headers), sizeof(headers) - strlen(headers), "%s",
		more_headers);
	send_invite(headers, codecs != NULL ? offer(codecs) : "");
}

static void take_answer(void)
{
	char port[16];

	find("m=audio ", " ", port, sizeof(port));
	phone.media = phone.server;
	phone.media.sin_port = htons((uint16_t)atoi(port));
}

static void call_up(void)
{
	owner.answers = true;
	call_with("", USUAL);
	expect("SIP/2.0 200");
	find("To: <sip:conf@127.0.0.1>;tag=", "\r", phone.to_tag, sizeof(phone.to_tag));
	take_answer();
	acknowledge();
}

static bool owner_told_of_end(void *arg)
{
	(void)arg;
	return owner.ended > 0;
}

static void expect_end(const char *why)
{
	assert_true(sandbox_run_until(owner_told_of_end, NULL, DEADLINE_MS));
	assert_string_equal(owner.why, why);
	assert_int_equal(owner.ended, 1);
	assert_null(owner.leg);
}

static void hang_up(void)
{
	phone.branch++;
	send_request("BYE", ++phone.cseq, "", "");
	expect("SIP/2.0 200");
}

static int start_with(unsigned rtp_lost_ms)
{
	struct uas_config config = {
		.listen = "127.0.0.1:0",
		.realm = REALM,
		.user = "agent",
		.password = "Secret123456",
		.invite = owner_invite,
		.ended = owner_ended,
		.rtp_lost_ms = rtp_lost_ms,
		.arg = &owner,
	};
	int err;

	memset(&owner, 0, sizeof(owner));
	err = mixer_new(&mixer);
	if (err == 0)
		err = uas_new(&config, &uas);
	if (err == 0)
		phone_open();
	return err;
}

static int start(void **state)
{
	(void)state;
	return start_with(60000);
}

static int start_impatient(void **state)
{
	(void)state;
	return start_with(300);
}

static int stop(void **state)
{
	(void)state;
	phone_close();
	uas_free(&uas);
	uas_free(&uas);
	mixer_free(&mixer);
	return 0;
}

static void test_an_invite_without_credentials_is_challenged(void **state)
{
	(void)state;
	take_challenge();
	assert_int_equal(owner.invites, 0);
}

static void test_a_wrong_password_is_forbidden(void **state)
{
	char headers[1024];

	(void)state;
	take_challenge();
	authorize(headers, sizeof(headers), "Secret654321");
	send_invite(headers, OFFER);
	expect("SIP/2.0 403");
	acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_a_nonce_of_somebody_else_is_challenged_again_as_stale(void **state)
{
	char headers[1024];

	(void)state;
	take_challenge();
	phone.nonce[20] = phone.nonce[20] == 'a' ? 'b' : 'a';
	authorize(headers, sizeof(headers), "Secret123456");
	send_invite(headers, OFFER);
	expect("SIP/2.0 407");
	assert_non_null(strstr(phone.message, "stale=true"));
	acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_the_owner_learns_who_calls_and_the_x_headers(void **state)
{
	(void)state;
	call_with("X-Ovx-Leg: 17\r\nUser-to-User: 4869\r\nSubject: no\r\n", USUAL);
	expect("SIP/2.0 100");
	expect("SIP/2.0 180");
	assert_string_equal(owner.who,
		"sip:agent@127.0.0.1 sip:conf@127.0.0.1 agent 127.0.0.1"
		" X-Ovx-Leg=17 User-to-User=4869");
	uas_leg_refuse(owner.leg, 404);
	expect("SIP/2.0 404 Not Found");
	acknowledge();
	assert_int_equal(owner.ended, 0);
}

static void test_the_owners_status_goes_to_the_caller(void **state)
{
	(void)state;
	owner.status = 603;
	call_with("", USUAL);
	expect("SIP/2.0 603 Decline");
	acknowledge();
	assert_int_equal(owner.ended, 0);
}

static void test_a_call_without_common_sound_is_not_acceptable(void **state)
{
	(void)state;
	call_with("", "18\r\na=rtpmap:18 G729/8000");
	expect("SIP/2.0 488");
	acknowledge();
	call_with("", NULL);
	expect("SIP/2.0 488");
	acknowledge();
	assert_int_equal(owner.invites, 0);
}

static void test_the_answer_names_pcmu_pcma_and_telephone_events(void **state)
{
	(void)state;
	call_up();
	assert_non_null(strstr(phone.message, " RTP/AVP 0 8 101"));
	assert_non_null(strstr(phone.message, "a=rtpmap:101 telephone-event/8000"));
}

static void test_cancel_ends_a_leg_that_rings(void **state)
{
	(void)state;
	call_with("", USUAL);
	expect("SIP/2.0 180");
	send_request("CANCEL", phone.invite_cseq, "", "");
	expect("SIP/2.0 487");
	acknowledge();
	expect_end("cancel");
}

static void test_a_retransmitted_invite_is_the_same_call(void **state)
{
	char headers[1024];

	(void)state;
	take_challenge();
	authorize(headers, sizeof(headers), "Secret123456");
	send_invite(headers, OFFER);
	send_request("INVITE", phone.invite_cseq, headers, OFFER);
	expect("SIP/2.0 180");
	expect("SIP/2.0 180");
	assert_int_equal(owner.invites, 1);
}

static void test_bye_ends_a_leg_and_takes_it_out_of_its_room(void **state)
{
	(void)state;
	call_up();
	assert_int_equal(mixer_join(mixer, "room", uas_leg_port(owner.leg)), 0);
	hang_up();
	expect_end("bye");
}

static void test_hanging_up_sends_bye_to_the_phone(void **state)
{
	(void)state;
	call_up();
	/* BYE waits for the ACK (RFC 3261 section 15), which may still be on its way. */
	uas_leg_hangup(owner.leg);
	expect("BYE sip:agent@127.0.0.1:");
	assert_int_equal(owner.ended, 0);
}

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
	call_up();
	expect_sound_both_ways();
}

static void test_a_leg_in_no_room_sends_silence_without_a_gap(void **state)
{
	uint16_t seq;

	(void)state;
	call_up();
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
	call_with("", "8");
	expect("SIP/2.0 200");
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
	call_up();
	expect_sound_both_ways();
	/* Nobody listens now: each packet earns an ICMP port unreachable. */
	phone_close();
	now = clock_mono_ms();
	assert_true(sandbox_run_until(quarter_second_passed, &now, DEADLINE_MS));
	assert_int_equal(owner.ended, 0);
	phone.sip = open_socket(phone.sip_port, &phone.sip_port);
	phone.rtp = open_socket(0, &phone.rtp_port);
	phone.cseq += 1000;
	phone.seq = 5;
	send_invite("", OFFER);
	expect("SIP/2.0 200");
	take_answer();
	acknowledge();
	expect_sound_both_ways();
	hang_up();
	expect_end("bye");
}

static void test_sound_goes_on_when_the_phone_comes_back_without_a_reinvite(void **state)
{
	(void)state;
	call_up();
	expect_sound_both_ways();
	(void)close(phone.rtp);
	phone.rtp = open_socket(phone.rtp_port, &phone.rtp_port);
	phone.seq += 5000;
	expect_sound_both_ways();
}

static void test_a_phone_on_hold_gets_no_packets(void **state)
{
	int64_t now;

	(void)state;
	call_up();
	expect_packet(0, 0xff);
	send_invite("", offer("0\r\na=sendonly"));
	expect("SIP/2.0 200");
	assert_non_null(strstr(phone.message, "a=recvonly"));
	acknowledge();
	while (packet_came(NULL))
		;
	now = clock_mono_ms();
	assert_true(sandbox_run_until(quarter_second_passed, &now, DEADLINE_MS));
	assert_false(packet_came(NULL));
	send_invite("", OFFER);
	expect("SIP/2.0 200");
	acknowledge();
	expect_packet(0, 0xff);
}

static void test_a_reinvite_without_offer_gets_one(void **state)
{
	(void)state;
	call_up();
	send_invite("", "");
	expect("SIP/2.0 200");
	assert_non_null(strstr(phone.message, "m=audio "));
	(void)close(phone.rtp);
	phone.rtp = open_socket(0, &phone.rtp_port);
	send_request("ACK", phone.invite_cseq, "", OFFER);
	expect_packet(0, 0xff);
}

static void test_a_bad_reinvite_leaves_the_call_as_it_was(void **state)
{
	(void)state;
	call_up();
	send_invite("", offer("18\r\na=rtpmap:18 G729/8000"));
	expect("SIP/2.0 488");
	acknowledge();
	expect_packet(0, 0xff);
	assert_int_equal(owner.ended, 0);
}

static void test_options_are_answered_and_an_unknown_dialog_is_denied(void **state)
{
	(void)state;
	phone.branch++;
	send_request("OPTIONS", ++phone.cseq, "", "");
	expect("SIP/2.0 200");
	call_up();
	phone.branch++;
	send_request("OPTIONS", ++phone.cseq, "", "");
	expect("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1");
	(void)snprintf(phone.to_tag, sizeof(phone.to_tag), "nobody");
	phone.branch++;
	send_request("OPTIONS", ++phone.cseq, "", "");
	expect("SIP/2.0 481");
	phone.branch++;
	send_request("BYE", ++phone.cseq, "", "");
	expect("SIP/2.0 481");
	assert_int_equal(owner.ended, 0);
}

static void test_a_leg_without_sound_from_the_phone_is_ended(void **state)
{
	(void)state;
	call_up();
	expect("BYE ");
	expect_end("rtp-timeout");
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
	call_up();
	assert_true(sandbox_run_until(talked_for_three_limits, &now, DEADLINE_MS));
	assert_int_equal(owner.ended, 0);
}

static void test_closing_the_uas_says_bye_to_every_phone(void **state)
{
	(void)state;
	call_up();
	(void)sandbox_run_until(packet_came, NULL, DEADLINE_MS);
	uas_free(&uas);
	expect("BYE ");
	assert_int_equal(owner.ended, 0);
}

static void test_rubbish_is_ignored(void **state)
{
	(void)state;
	send_text("hello\r\n\r\n");
	send_text("INVITE sip:x SIP/2.0\r\n\r\n");
	send_text("SIP/2.0 200 OK\r\n\r\n");
	send_text("\r\n\r\n");
	call_up();
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

#define UAS_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UAS_TEST(test_an_invite_without_credentials_is_challenged),
		UAS_TEST(test_a_wrong_password_is_forbidden),
		UAS_TEST(test_a_nonce_of_somebody_else_is_challenged_again_as_stale),
		UAS_TEST(test_the_owner_learns_who_calls_and_the_x_headers),
		UAS_TEST(test_the_owners_status_goes_to_the_caller),
		UAS_TEST(test_a_call_without_common_sound_is_not_acceptable),
		UAS_TEST(test_the_answer_names_pcmu_pcma_and_telephone_events),
		UAS_TEST(test_cancel_ends_a_leg_that_rings),
		UAS_TEST(test_a_retransmitted_invite_is_the_same_call),
		UAS_TEST(test_bye_ends_a_leg_and_takes_it_out_of_its_room),
		UAS_TEST(test_hanging_up_sends_bye_to_the_phone),
		UAS_TEST(test_an_answered_call_carries_sound_both_ways),
		UAS_TEST(test_a_leg_in_no_room_sends_silence_without_a_gap),
		UAS_TEST(test_a_phone_that_only_has_pcma_is_spoken_to_in_pcma),
		UAS_TEST(test_a_phone_that_was_killed_and_came_back_is_still_in_its_call),
		UAS_TEST(test_sound_goes_on_when_the_phone_comes_back_without_a_reinvite),
		UAS_TEST(test_a_phone_on_hold_gets_no_packets),
		UAS_TEST(test_a_reinvite_without_offer_gets_one),
		UAS_TEST(test_a_bad_reinvite_leaves_the_call_as_it_was),
		UAS_TEST(test_options_are_answered_and_an_unknown_dialog_is_denied),
		cmocka_unit_test_setup_teardown(
			test_a_leg_without_sound_from_the_phone_is_ended, start_impatient,
			stop),
		cmocka_unit_test_setup_teardown(
			test_a_phone_that_sends_even_silence_is_not_lost, start_impatient,
			stop),
		UAS_TEST(test_closing_the_uas_says_bye_to_every_phone),
		UAS_TEST(test_rubbish_is_ignored),
		UAS_TEST(test_an_address_that_cannot_be_told_to_phones_is_refused),
	};
	int failed;

	if (libre_init() != 0 || fd_setsize(1024) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return failed;
}
