/*
 * session.h: the two sides of one session: what is let through, where it goes, and the silence
 * that stands in for a side that says nothing. Private to this room; the rtp thread's, except
 * session_new and session_stats.
 */
#ifndef OMNIVOX_RTP_SESSION_H
#define OMNIVOX_RTP_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/post.h"
#include "rtp/latch.h"
#include "rtp/packet.h"
#include "rtp/ports.h"
#include "rtp/relay.h"

#define SESSION_TICK_MS 20
#define SESSION_FEED_AFTER_MS 200

struct session;
struct session_io;

/* What epoll points to. */
struct session_socket {
	struct session *session;
	enum rtp_side side;
	bool rtcp;
	int fd;
};

/* One writer, the rtp thread; read by any. */
struct session_counts {
	_Atomic uint64_t received, sent, dropped, silence;
};

struct session_side {
	struct port_pair ports;
	struct session_socket rtp, rtcp;
	struct latch latch;
	struct addr rtcp_remote;    /* learned; len 0: the RTP port + 1 */
	uint32_t ssrc;              /* of the last packet let through */
	int64_t remote_ms;          /* when the remote was set */
	int64_t heard_ms;           /* last packet let through; at first the opening */
	bool heard;                 /* since the remote was set */
	int64_t told_ms;            /* last RTP_SILENT */
	struct rtp_silence silence; /* that is sent to this side */
	struct session_counts counts;
};

struct session {
	struct list by_id;  /* the registry's */
	struct list live;   /* the rtp thread's */
	struct post opened; /* the relay's */
	struct post closed; /* the relay's */
	struct rtp_relay *relay;
	uint64_t id;
	const struct rtp_config *config;
	struct session_side sides[RTP_SIDES];
};

/* Binds the sockets; errors as rtp_session_open. Any thread. */
int session_new(struct port_pool *pool, uint64_t id,
	const struct rtp_side_params params[RTP_SIDES], struct session **ret_session);
void session_free(struct session **session);

void session_set_signalling(
	struct session *session, enum rtp_side i, const struct addr *signalling);
void session_set_remote(struct session *session, enum rtp_side side,
	const struct addr *remote, bool learn, int64_t now_ms);

/* Reads what has come on a socket and sends on what is let through. */
void session_receive(
	const struct session_socket *socket, struct session_io *io, int64_t now_ms);

/* Every SESSION_TICK_MS: `ticks` of them have passed. */
void session_tick(struct session *session, unsigned ticks, int64_t now_ms);

/* Any thread, while the session is in the registry. */
void session_stats(const struct session *session, struct rtp_stats ret_stats[RTP_SIDES]);

/* Buffers for one batch, shared by all sessions of a thread. */
int session_io_new(struct session_io **ret_io);
void session_io_free(struct session_io **io);

#endif
