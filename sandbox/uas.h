/*
 * uas.h: the sandbox's SIP side: a SIP domain that takes calls with digest, as Twilio's does.
 *
 * Built on libre, so that nothing here shares code with the gateway that it checks. Main loop
 * only. Source: twilio.com/docs/voice/api/sending-sip.
 */
#ifndef OMNIVOX_SANDBOX_UAS_H
#define OMNIVOX_SANDBOX_UAS_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/mixer.h"

struct uas;
struct uas_leg;

struct uas_header {
	const char *name; /* "X-Ovx-Leg" */
	const char *value;
};

/* An authenticated INVITE, valid during the callback. */
struct uas_invite {
	const char *from, *to;            /* "sip:agent@domain" */
	const char *call_id;              /* SIP Call-ID */
	const char *source;               /* ip:port */
	const char *username;             /* digest user */
	const char *domain;               /* host of the Request-URI */
	const struct uas_header *headers; /* X-* and User-to-User */
	size_t header_count;
};

struct uas_config {
	const char *listen; /* "127.0.0.1:0": one address, because it goes into SDP */
	const char *realm;  /* "sip.twilio.com" */
	const char *user, *password;
	/* The password of a digest user; NULL: unknown. May itself be NULL: user and password. */
	const char *(*password_of)(void *arg, const char *user);
	/*
	 * 100 and 180 were sent. Return 0 and keep the leg (set its arg), or a SIP status.
	 * The leg may be answered inside; to refuse it, return the status.
	 */
	int (*invite)(void *arg, struct uas_leg *leg, const struct uas_invite *invite);
	/*
	 * The far end hung up ("bye"), cancelled ("cancel"), never acknowledged ("no-ack") or
	 * was lost ("rtp-timeout": no RTP for rtp_lost_ms), or did not take our call ("refused",
	 * uas_leg_status()); the leg is gone after.
	 */
	void (*ended)(void *arg, struct uas_leg *leg, const char *why);
	unsigned rtp_lost_ms; /* 60000 as at Twilio; 0: never */
	/* The far end pressed a key. The leg may be hung up inside. NULL: nobody asks. */
	void (*key)(void *arg, struct uas_leg *leg, char key);
	/* A leg that uas_call() made: it rings; it is answered. */
	void (*ringing)(void *arg, struct uas_leg *leg);
	void (*answered)(void *arg, struct uas_leg *leg);
	void *arg;
};

/*
 * Before it: libre_init(), and fd_setsize() to more than two descriptors a leg (libre takes
 * only 128 unless told). The strings of `config` are the caller's and outlive the UAS.
 * Negative errno: -EINVAL for a bad or wildcard address, -EADDRINUSE.
 */
int uas_new(const struct uas_config *config, struct uas **ret_uas);
void uas_free(struct uas **uas);             /* BYEs every leg; `ended` is not called */
const char *uas_addr(const struct uas *uas); /* "127.0.0.1:5080", the real one */

/* A call to somebody's SIP phone or server; borrowed. */
struct uas_call {
	const char *to, *from;       /* "sip:ana@127.0.0.1:5080", "sip:+15550001@..." */
	const char *user, *password; /* for a challenge; NULL: none */
	const char *headers;         /* whole lines with CR LF; "" */
	void *arg;                   /* the leg's */
};

/* Sends the INVITE, from the loop on. Negative errno: -EINVAL for an address. */
int uas_call(struct uas *uas, const struct uas_call *call, struct uas_leg **ret_leg);

/* Of the answer that refused it; 408 when there was none. */
int uas_leg_status(const struct uas_leg *leg);

void uas_leg_set_arg(struct uas_leg *leg, void *arg);
void *uas_leg_arg(const struct uas_leg *leg);

/*
 * 200 OK; audio flows through the port once it is in a room (silence before). Once a leg.
 * Negative errno: the leg stays, to be refused.
 */
int uas_leg_answer(struct uas_leg *leg);
void uas_leg_refuse(struct uas_leg *leg, int status); /* leg is gone after */
void uas_leg_hangup(struct uas_leg *leg);             /* BYE; leg is gone after */
/* As if its BYE had been lost: the far end hears nothing any more, and is not told. Leg is gone after. */
void uas_leg_forget(struct uas *uas, struct uas_leg *leg);
struct mixer_port *uas_leg_port(struct uas_leg *leg);

#endif
