/*
 * relay.h: carries RTP and RTCP between two sides of a session, unchanged, on one thread.
 *
 * Side 0 is the agent's phone, side 1 is Twilio. A side either learns where to send from what
 * arrives (a phone behind NAT) or takes only its SDP address (Twilio). It learns only within
 * 5 s of SDP: the SDP address itself at once, a likely other one after 5 packets in a row
 * (latch.h). After it has learned, packets from elsewhere are dropped and counted. While one
 * side is silent for 200 ms the relay feeds the other PCMU silence, so that no leg dies of
 * missing RTP. What cannot be sent, or is answered by ICMP, is lost and nothing else.
 * Sources: RFC 3550, RFC 3551, RFC 4961 (symmetric RTP), ES2025-01 (RTP inject and bleed).
 */
#ifndef OMNIVOX_RTP_RELAY_H
#define OMNIVOX_RTP_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct rtp_relay;

enum rtp_side { RTP_PHONE, RTP_TWILIO, RTP_SIDES };

enum rtp_event_kind {
	RTP_FIRST,   /* first valid packet of a side since its remote was set */
	RTP_LATCHED, /* a learning side settled on `remote`: worth remembering */
	RTP_SILENT, /* nothing valid from a side for rtp_config.silent_ms, and for as long again */
};

struct rtp_event {
	enum rtp_event_kind kind;
	uint64_t session;
	enum rtp_side side;
	struct addr remote;
	int64_t at_ms; /* wall */
};

struct rtp_config {
	const char *bind_host;     /* numeric */
	uint16_t port_lo, port_hi; /* 0, 0: the kernel picks */
	unsigned silent_ms;        /* before RTP_SILENT */
	/*
	 * On the rtp thread: posts, and does not call back into the relay. May come before open
	 * returns and shortly after close. NULL: none.
	 */
	void (*event)(void *arg, const struct rtp_event *event);
	void *arg;
};

struct rtp_side_params {
	uint16_t port;      /* our even RTP port, RTCP is port + 1; 0: take a free pair */
	struct addr remote; /* from SDP; len 0: not known yet */
	bool learn;
};

/* Packets of one side, RTP and RTCP: let through from it, passed on to it, not let through. */
struct rtp_stats {
	uint64_t received, sent, dropped;
	uint64_t silence; /* made here and sent to it */
};

/* -EINVAL for a host that is no address, or a range without an even port. */
int rtp_relay_new(const struct rtp_config *config, struct rtp_relay **ret_relay);

/* Closes what is open, ends the thread. No other thread may be in a call. */
void rtp_relay_free(struct rtp_relay **relay);

/*
 * Any thread. Binds the sockets in the caller, so that ports are known and errors are seen:
 * -EADDRINUSE for a wanted port, -EINVAL when that is odd, -EBUSY when the range is used up,
 * -EEXIST for the id. A learning side that is opened with the `remote` of an earlier
 * RTP_LATCHED takes that source at once. Ports of a session closed before are free.
 */
int rtp_session_open(struct rtp_relay *relay, uint64_t session,
	const struct rtp_side_params sides[RTP_SIDES], uint16_t ret_ports[RTP_SIDES]);

/*
 * Any thread. New SDP for a side: `remote` len 0, or 0.0.0.0, stops sending to it. Learning
 * starts anew; when it is the same SDP again, what was learned holds until another source of
 * equal rank has taken over from a silent one. -ENOENT, -EAGAIN, -ENOMEM.
 */
int rtp_session_remote(struct rtp_relay *relay, uint64_t session, enum rtp_side side,
	const struct addr *remote, bool learn);

/*
 * Any thread. Where the SIP of a learning side comes from: packets from that host are as likely
 * as packets from the SDP's, which behind NAT shows an address that nobody can reach. Say it
 * before the SDP. Errors as above.
 */
int rtp_session_signalling(struct rtp_relay *relay, uint64_t session, enum rtp_side side,
	const struct addr *signalling);

/* Any thread. Unknown ids are fine. */
void rtp_session_close(struct rtp_relay *relay, uint64_t session);

/* Any thread. How many sessions are open. */
unsigned rtp_sessions_open(struct rtp_relay *relay);

/* Any thread. -ENOENT. */
int rtp_session_stats(
	struct rtp_relay *relay, uint64_t session, struct rtp_stats ret_stats[RTP_SIDES]);

#endif
