/* dialog_room.h: a dialog from inside, for the files that make, answer and resume it. */
#ifndef OMNIVOX_SIP_DIALOG_ROOM_H
#define OMNIVOX_SIP_DIALOG_ROOM_H

#include "sip/dialog.h"
#include "sip/room.h"

/*
 * CALLING -> UP -> CLOSING -> ENDED; CALLING -> CANCELING -> ENDED, or -> CLOSING when the
 * answer crosses our CANCEL. ENDED waits one timer turn for `ended` and for its burial, so that
 * nothing is freed inside a callback of sofia's.
 */
enum dialog_phase {
	DIALOG_CALLING,
	DIALOG_CANCELING,
	DIALOG_UP,
	DIALOG_CLOSING,
	DIALOG_ENDED,
};

struct sip_dialog {
	struct list node; /* in its edge */
	struct sip_edge *edge;
	struct sip_dialog_events events;
	enum dialog_phase phase;
	nta_leg_t *leg;
	nta_outgoing_t *invite, *bye;
	nta_outgoing_t *ask;      /* sip_dialog_ask() */
	bool unreached;           /* by the last one */
	nta_incoming_t *reinvite; /* answered, waits for its ACK */
	bool late_offer;          /* its ACK brings the answer to our offer */
	bool heard;               /* a provisional answer came: CANCEL may be sent */
	bool challenged;          /* one challenge was answered */
	struct timer timer;       /* ring, patience after CANCEL or BYE, then burial */
	enum sip_end end;         /* told when ENDED */
	int end_status;
	char end_reason[64];
	char request_uri[SIP_URI_SIZE];
	char next_hop[ADDR_TEXT_SIZE];
	char route[ADDR_TEXT_SIZE + 24]; /* next_hop as a URI */
	char *headers, *auth_user, *auth_password;
	char local_sdp[SIP_SDP_SIZE], remote_sdp[SIP_SDP_SIZE];
};

/* A dialog without a leg, in the edge's list. Frees itself with sip_dialog_free. */
int dialog_new(struct sip_edge *edge, const char *next_hop,
	const struct sip_dialog_events *events, struct sip_dialog **ret_dialog);

/* The leg with our callback; tags are in the addresses. */
int dialog_make_leg(struct sip_dialog *d, const char *call_id, const char *local,
	const char *remote, uint32_t local_seq, uint32_t remote_seq);

/* Ends it: `ended` comes from the loop's timers. The first reason stays. */
void dialog_end(struct sip_dialog *d, enum sip_end end, int status, const char *reason);

/* The body when it is SDP and fits; NULL: there is none. -ENOTSUP, -EMSGSIZE. */
int dialog_body(const sip_t *sip, char buf[SIP_SDP_SIZE], const char **ret_sdp);

/* dialog_server.c: requests of the far end, as nta_request_f. */
int dialog_on_request(
	struct sip_dialog *d, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);

#endif
