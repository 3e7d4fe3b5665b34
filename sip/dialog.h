/*
 * dialog.h: a call that we start (INVITE), keep, and can take up again after a restart.
 *
 * Loop thread. A dialog ends once: `ended` is called, then the handle is gone. Callbacks come
 * from the loop, never from inside these functions, and each may call any of them. In-dialog
 * requests of the far end are answered here (re-INVITE and UPDATE with our SDP, OPTIONS, INFO
 * with 200; REFER with 603), BYE ends the dialog. Source: RFC 3261 12-15, RFC 3264.
 */
#ifndef OMNIVOX_SIP_DIALOG_H
#define OMNIVOX_SIP_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "sip/edge.h"

struct sip_dialog;

#define SIP_SDP_SIZE 2048
#define SIP_ROUTES_SIZE 1024

/* Everything needed to go on with a confirmed dialog in another process. Plain text. */
struct sip_dialog_state {
	char call_id[128];
	char local_uri[SIP_URI_SIZE], local_tag[80];
	char remote_uri[SIP_URI_SIZE], remote_tag[128];
	char remote_target[SIP_URI_SIZE];
	char routes[SIP_ROUTES_SIZE];  /* comma separated, in order of use */
	char next_hop[ADDR_TEXT_SIZE]; /* numeric; all requests go there */
	uint32_t local_seq, remote_seq;
	char local_sdp[SIP_SDP_SIZE], remote_sdp[SIP_SDP_SIZE];
};

enum sip_end {
	SIP_END_REFUSED, /* final answer >= 300: `status` */
	SIP_END_TIMEOUT, /* nobody answered in ring_ms, no reply at all (408), or ICMP (503) */
	SIP_END_CANCELED,  /* we cancelled */
	SIP_END_BYE_LOCAL, /* we hung up */
	SIP_END_BYE_REMOTE,
	SIP_END_LOST, /* an in-dialog request found nobody: 481, 408 */
};

struct sip_dialog_events {
	/* 180..183; `sdp` may be NULL. Optional. */
	void (*ringing)(void *arg, int status, const char *sdp);
	/* 2xx came and was acknowledged; ask sip_dialog_state() what to keep. */
	void (*answered)(void *arg, const char *sdp);
	/* A re-INVITE or UPDATE with new SDP, answered already. Optional. */
	void (*changed)(void *arg, const char *sdp);
	void (*ended)(void *arg, enum sip_end end, int status, const char *reason);
	void *arg;
};

struct sip_invite {
	const char *request_uri; /* "sip:agent1@10.0.0.7:5062" */
	const char *
		next_hop; /* numeric "ip:port" to send to; NULL: the URI's numeric host */
	const char *from_uri, *from_display;
	const char *to_uri;  /* NULL: request_uri */
	const char *headers; /* further header lines, each ended by "\r\n"; NULL: none */
	const char *sdp;     /* our offer, kept for re-offers */
	const char *auth_user, *auth_password; /* NULL: a challenge ends the call */
	unsigned ring_ms;
};

/* Copies everything; 0 or a negative errno (then no callback comes). */
int sip_dialog_invite(struct sip_edge *edge, const struct sip_invite *invite,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog);

/* Takes up a confirmed dialog; no message is sent. */
int sip_dialog_resume(struct sip_edge *edge, const struct sip_dialog_state *state,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog);

/*
 * CANCEL or BYE, whichever fits; `ended` comes later: after the far end's answer, or 4 s of
 * silence to a BYE, 32 s to a CANCEL. Harmless twice.
 */
void sip_dialog_hangup(struct sip_dialog *dialog);

/*
 * Asks the far end whether it still knows the dialog: one that does not, does not answer for
 * 32 s, or cannot be reached (ICMP) twice in a row, ends it as SIP_END_LOST. Any other answer
 * changes nothing. Harmless while one is out, and before or after the dialog is up.
 */
void sip_dialog_ask(struct sip_dialog *dialog);

/* Forgets the dialog without a message and without `ended`; sets NULL. */
void sip_dialog_free(struct sip_dialog **dialog);

/* Snapshot of a confirmed dialog; -ENOTCONN before that, -EMSGSIZE when something is too long. */
int sip_dialog_state(const struct sip_dialog *dialog, struct sip_dialog_state *ret_state);

#endif
