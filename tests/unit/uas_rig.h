/* uas_rig.h: a UAS, an owner who remembers, and a scripted SIP phone on plain sockets. */
#ifndef OMNIVOX_TESTS_UAS_RIG_H
#define OMNIVOX_TESTS_UAS_RIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/uas.h"
#include "unit/sandbox_loop.h"

#define DEADLINE_MS 5000
#define REALM "sip.twilio.com"
#define USUAL "0 8 101\r\na=rtpmap:101 telephone-event/8000" /* codecs for phone_offer */

extern struct uas *uas;
extern struct mixer *mixer;

/* What the owner of the UAS saw, and what it shall say to an INVITE. */
struct owner {
	struct uas_leg *leg;
	int invites, ended;
	int status;
	bool answers;
	char who[512];
	char why[32];
};

extern struct owner owner;

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

extern struct phone phone;

/* Set-up and teardown of each test; the impatient UAS gives up after 300 ms without sound. */
int rig_start(void **state);
int rig_start_impatient(void **state);
int rig_stop(void **state);

/* The owner is told once, with that reason. */
void rig_expect_end(const char *why);

/* Non-blocking UDP on loopback. Port 0: any. */
int phone_open_socket(uint16_t port, uint16_t *ret_port);

/* As killed: without a word. */
void phone_close(void);

/* Anything. */
void phone_send_text(const char *text);

/*
 * With the dialog's names. `cseq` is given and the branch stays as it is, because ACK and CANCEL
 * repeat those of the INVITE.
 */
void phone_send_request(
	const char *method, int cseq, const char *headers, const char *body);

/* Runs the loop until a message with that start came; others before it are passed over. */
void phone_expect(const char *start);

/* SDP with these codecs and more lines; valid until the next call. */
const char *phone_offer(const char *lines);

/* The Proxy-Authorization line for the last challenge. */
void phone_authorize(char *dst, size_t size, const char *password);

/* A new transaction; within the dialog once there is one. */
void phone_send_invite(const char *headers, const char *body);

/* ACK for the last INVITE. */
void phone_acknowledge(void);

/* INVITE, 407, ACK. */
void phone_take_challenge(void);

/* The whole way to the final answer, which the caller expects. No codecs: no SDP. */
void phone_call_with(const char *more_headers, const char *codecs);

/* Where the answer in the last message wants sound. */
void phone_take_answer(void);

/* An answered and acknowledged call. */
void phone_call_up(void);

/* BYE, and its 200. */
void phone_hang_up(void);

#endif
