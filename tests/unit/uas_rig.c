/* uas_rig.c: writes SIP by hand, so that nothing is shared with the code under test. */
#include "config.h"

#include "unit/uas_rig.h"

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

struct uas *uas;
struct mixer *mixer;

struct owner owner;

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

struct phone phone;

int phone_open_socket(uint16_t port, uint16_t *ret_port)
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
	phone.sip = phone_open_socket(0, &phone.sip_port);
	phone.rtp = phone_open_socket(0, &phone.rtp_port);
	phone.server.sin_family = AF_INET;
	phone.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	phone.server.sin_port = htons((uint16_t)atoi(port + 1));
}

void phone_close(void)
{
	(void)close(phone.sip);
	(void)close(phone.rtp);
}

void phone_send_text(const char *text)
{
	assert_int_equal(sendto(phone.sip, text, strlen(text), 0,
				 (struct sockaddr *)&phone.server, sizeof(phone.server)),
		strlen(text));
}

void phone_send_request(
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
	phone_send_text(text);
}

static bool phone_message_came(void *arg)
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

	while (phone_message_came(NULL))
		if (strncmp(phone.message, start, strlen(start)) == 0)
			return true;
	return false;
}

void phone_expect(const char *start)
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

const char *phone_offer(const char *lines)
{
	static char sdp[512];

	(void)snprintf(sdp, sizeof(sdp),
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio %u RTP/AVP %s\r\n",
		phone.rtp_port, lines);
	return sdp;
}

void phone_authorize(char *dst, size_t size, const char *password)
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

void phone_send_invite(const char *headers, const char *body)
{
	phone.branch++;
	phone.invite_cseq = ++phone.cseq;
	phone_send_request("INVITE", phone.invite_cseq, headers, body);
}

void phone_acknowledge(void)
{
	phone_send_request("ACK", phone.invite_cseq, "", "");
}

void phone_take_challenge(void)
{
	phone_send_invite("", phone_offer(USUAL));
	phone_expect("SIP/2.0 407");
	assert_non_null(strstr(phone.message, "Digest realm=\"" REALM "\",qop=\"auth\""));
	assert_non_null(strstr(phone.message, "opaque=\""));
	find("nonce=\"", "\"", phone.nonce, sizeof(phone.nonce));
	phone_acknowledge();
}

void phone_call_with(const char *more_headers, const char *codecs)
{
	char headers[1024];

	phone_take_challenge();
	phone_authorize(headers, sizeof(headers), "Secret123456");
	(void)snprintf(headers + strlen(headers), sizeof(headers) - strlen(headers), "%s",
		more_headers);
	phone_send_invite(headers, codecs != NULL ? phone_offer(codecs) : "");
}

void phone_take_answer(void)
{
	char port[16];

	find("m=audio ", " ", port, sizeof(port));
	phone.media = phone.server;
	phone.media.sin_port = htons((uint16_t)atoi(port));
}

void phone_call_up(void)
{
	owner.answers = true;
	phone_call_with("", USUAL);
	phone_expect("SIP/2.0 200");
	find("To: <sip:conf@127.0.0.1>;tag=", "\r", phone.to_tag, sizeof(phone.to_tag));
	phone_take_answer();
	phone_acknowledge();
}

static bool owner_told_of_end(void *arg)
{
	(void)arg;
	return owner.ended > 0;
}

void rig_expect_end(const char *why)
{
	assert_true(sandbox_run_until(owner_told_of_end, NULL, DEADLINE_MS));
	assert_string_equal(owner.why, why);
	assert_int_equal(owner.ended, 1);
	assert_null(owner.leg);
}

void phone_hang_up(void)
{
	phone.branch++;
	phone_send_request("BYE", ++phone.cseq, "", "");
	phone_expect("SIP/2.0 200");
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

int rig_start(void **state)
{
	(void)state;
	return start_with(60000);
}

int rig_start_impatient(void **state)
{
	(void)state;
	return start_with(300);
}

int rig_stop(void **state)
{
	(void)state;
	phone_close();
	uas_free(&uas);
	uas_free(&uas);
	mixer_free(&mixer);
	return 0;
}
