/*
 * latch.h: which source speaks for a side, and where to send to it. Private to this room.
 *
 * A side that does not learn is its SDP address and nothing else. A learning side (a phone
 * behind NAT) settles on a source: at once when that is the SDP address itself, else after
 * LATCH_RUN packets in a row, in a window after the SDP, and only from a source that the SDP
 * makes likely. Inside the window a likelier source may still take over, or an equal one when
 * the first has fallen silent (strays of an old port); afterwards nothing does. Nothing is
 * ever sent to an address that neither stood in the SDP nor was settled on.
 * Pure, no clock: time is handed in. Source: Enable Security ES2025-01 (RTP inject, bleed).
 */
#ifndef OMNIVOX_RTP_LATCH_H
#define OMNIVOX_RTP_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "rtp/packet.h"

#define LATCH_RUN 5
#define LATCH_WINDOW_MS 5000
#define LATCH_STALE_MS 500
#define LATCH_CANDIDATES 4 /* so that noise from one place does not hide another */

/* How likely a source is, given the SDP; less is likelier. */
enum latch_rank {
	LATCH_EXACT,  /* the SDP address */
	LATCH_HOST,   /* its host, another port; or the host that signals for this side */
	LATCH_NEAR,   /* its neighbourhood: IPv4 /24, IPv6 /64 */
	LATCH_ANY,    /* anywhere, when the SDP shows a private address */
	LATCH_FOREIGN /* anywhere, when it does not: never */
};

struct latch_candidate {
	struct addr source;
	uint32_t ssrc;
	uint16_t seq;
	unsigned run; /* packets in a row */
};

struct latch {
	struct addr sdp;
	struct addr signalling; /* where this side's SIP comes from; len 0: not known */
	struct addr remote;     /* where to send; len 0: nowhere */
	bool learn;
	bool settled;
	enum latch_rank rank; /* of remote, once settled */
	int64_t window_end_ms;
	int64_t heard_ms; /* last packet of remote */
	struct latch_candidate candidates[LATCH_CANDIDATES];
	unsigned next_candidate;
};

enum latch_verdict {
	LATCH_DROP,
	LATCH_ACCEPT,
	LATCH_SETTLED, /* accept; `remote` has just been settled on */
};

/*
 * New SDP; `sdp` len 0 or an unspecified host (0.0.0.0, ::): nowhere. The same SDP again (a
 * session refresh) keeps what was settled and opens the window.
 */
void latch_start(struct latch *latch, const struct addr *sdp, bool learn, int64_t now_ms);

enum latch_verdict latch_judge(struct latch *latch, const struct addr *source,
	const struct rtp_head *head, int64_t now_ms);

#endif
