/* dialog_bench.c: see dialog_bench.h. */
#include "unit/dialog_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sip/sdp.h"

static void on_ringing(void *arg, int status, const char *sdp)
{
	struct bench *b = arg;

	(void)sdp;
	b->ringings++;
	b->ring_status = status;
}

static void on_answered(void *arg, const char *sdp)
{
	struct bench *b = arg;

	b->answers++;
	(void)snprintf(b->sdp, sizeof(b->sdp), "%s", sdp);
}

static void on_changed(void *arg, const char *sdp)
{
	struct bench *b = arg;

	b->changes++;
	(void)snprintf(b->sdp, sizeof(b->sdp), "%s", sdp);
}

static void on_ended(void *arg, enum sip_end end, int status, const char *reason)
{
	struct bench *b = arg;

	assert_non_null(reason);
	b->ends++;
	b->end = end;
	b->end_status = status;
	b->dialog = NULL;
}

struct sip_dialog_events events_of(struct bench *b)
{
	return (struct sip_dialog_events){.ringing = on_ringing,
		.answered = on_answered,
		.changed = on_changed,
		.ended = on_ended,
		.arg = b};
}

int dialog_bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	rig_start(&b->rig, 0);
	peer_open(&b->phone, &b->rig);
	*state = b;
	return 0;
}

int dialog_bench_close(void **state)
{
	struct bench *b = *state;

	peer_close(&b->phone);
	rig_stop(&b->rig);
	free(b);
	return 0;
}

void call(struct bench *b, const char *user, unsigned ring_ms)
{
	struct sip_dialog_events events = events_of(b);
	char sdp[SIP_SDP_SIZE];

	(void)snprintf(b->uri, sizeof(b->uri), "sip:agent1@phone.invalid");
	(void)snprintf(b->hop, sizeof(b->hop), "127.0.0.1:%u", (unsigned)b->phone.port);
	assert_int_equal(
		sdp_write(sdp, sizeof(sdp), "127.0.0.1", 4000, 77, 1, SDP_SENDRECV), 0);
	assert_int_equal(
		sip_dialog_invite(b->rig.edge,
			&(struct sip_invite){.request_uri = b->uri,
				.next_hop = b->hop,
				.from_uri = "sip:gw@127.0.0.1",
				.from_display = "Gateway",
				.headers = "Call-Info: <sip:gw>;answer-after=0\r\n"
					   "X-Ovx-Leg: abc\r\n",
				.sdp = sdp,
				.auth_user = user,
				.auth_password = user != NULL ? "pw" : NULL,
				.ring_ms = ring_ms},
			&events, &b->dialog),
		0);
	(void)strcpy(b->invite, peer_expect(&b->phone, "INVITE "));
}

const char *phone_contact(struct bench *b)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "Contact: <sip:agent1@127.0.0.1:%u>\r\n",
		(unsigned)b->phone.port);
	return text;
}

bool has_answered(void *arg)
{
	return ((struct bench *)arg)->answers > 0;
}

bool has_ended(void *arg)
{
	return ((struct bench *)arg)->ends > 0;
}

bool has_changed(void *arg)
{
	return ((struct bench *)arg)->changes > 0;
}

bool has_rung(void *arg)
{
	return ((struct bench *)arg)->ringings > 0;
}

void expect_end(struct bench *b, enum sip_end end, int status)
{
	assert_true(rig_run(&b->rig, has_ended, b, 10000));
	assert_int_equal(b->ends, 1);
	assert_int_equal(b->end, end);
	if (status != 0)
		assert_int_equal(b->end_status, status);
}

void connect_call(struct bench *b)
{
	call(b, NULL, RING_MS);
	peer_reply(&b->phone, b->invite, "180 Ringing", "pt", phone_contact(b), "");
	peer_reply(&b->phone, b->invite, "200 OK", "pt", phone_contact(b), PHONE_SDP);
	(void)peer_expect(&b->phone, "ACK ");
	assert_true(rig_run(&b->rig, has_answered, b, 5000));
}

void phone_asks(struct bench *b, const char *method, unsigned cseq, const char *body)
{
	char from[256], to[256], call_id[128];
	static unsigned count;

	(void)header_of(b->invite, "From", from, sizeof(from));
	(void)header_of(b->invite, "To", to, sizeof(to));
	(void)header_of(b->invite, "Call-ID", call_id, sizeof(call_id));
	peer_send(&b->phone,
		"%s sip:127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKp%u\r\n"
		"From: %s;tag=pt\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, (unsigned)b->rig.port, (unsigned)b->phone.port, ++count, to, from,
		call_id, cseq, method, phone_contact(b),
		body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}
