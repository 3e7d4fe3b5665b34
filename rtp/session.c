/* session.c: carries packets between two sides. See session.h. */
#include "config.h"
#include "rtp/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define BATCH 16
#define PACKET_MAX 2048 /* more than an Ethernet frame; longer ones are dropped */

struct session_io {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	struct addr source[BATCH];
	uint8_t data[BATCH][PACKET_MAX];
};

int session_io_new(struct session_io **ret_io)
{
	struct session_io *io = calloc(1, sizeof(*io));

	if (io == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < BATCH; i++) {
		io->in_iov[i].iov_base = io->data[i];
		io->in_iov[i].iov_len = PACKET_MAX;
		io->in[i].msg_hdr.msg_iov = &io->in_iov[i];
		io->in[i].msg_hdr.msg_iovlen = 1;
		io->in[i].msg_hdr.msg_name = &io->source[i].sa;
		io->out[i].msg_hdr.msg_iov = &io->out_iov[i];
		io->out[i].msg_hdr.msg_iovlen = 1;
	}
	*ret_io = io;
	return 0;
}

void session_io_free(struct session_io **io)
{
	free(*io);
	*io = NULL;
}

/* One writer: no need for a locked instruction. */
static void count(_Atomic uint64_t *counter, uint64_t more)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + more, memory_order_relaxed);
}

static void init_side(struct session *session, enum rtp_side i, int64_t now_ms)
{
	struct session_side *side = &session->sides[i];

	side->rtp = (struct session_socket){
		.session = session, .side = i, .fd = side->ports.rtp};
	side->rtcp = (struct session_socket){
		.session = session, .side = i, .rtcp = true, .fd = side->ports.rtcp};
	side->heard_ms = now_ms;
	rtp_silence_init(&side->silence);
}

int session_new(struct port_pool *pool, uint64_t id,
	const struct rtp_side_params params[RTP_SIDES], struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));
	int64_t now_ms = clock_mono_ms();
	int err = 0;

	if (session == NULL)
		return -ENOMEM;
	session->id = id;
	list_init(&session->by_id);
	list_init(&session->live);
	for (int i = 0; i < RTP_SIDES; i++)
		session->sides[i].ports = (struct port_pair){.rtp = -1, .rtcp = -1};
	for (int i = 0; i < RTP_SIDES && err == 0; i++) {
		err = port_pair_open(pool, params[i].port, &session->sides[i].ports);
		if (err != 0)
			break;
		init_side(session, (enum rtp_side)i, now_ms);
		session_set_remote(session, (enum rtp_side)i, &params[i].remote,
			params[i].learn, now_ms);
	}
	if (err != 0)
		session_free(&session);
	else
		*ret_session = session;
	return err;
}

void session_free(struct session **ptr)
{
	struct session *session = *ptr;

	if (session == NULL)
		return;
	*ptr = NULL;
	list_remove(&session->by_id);
	list_remove(&session->live);
	for (int i = 0; i < RTP_SIDES; i++)
		port_pair_close(&session->sides[i].ports);
	free(session);
}

void session_set_signalling(
	struct session *session, enum rtp_side i, const struct addr *signalling)
{
	session->sides[i].latch.signalling = *signalling;
}

void session_set_remote(struct session *session, enum rtp_side i,
	const struct addr *remote, bool learn, int64_t now_ms)
{
	struct session_side *side = &session->sides[i];

	latch_start(&side->latch, remote, learn, now_ms);
	if (!side->latch.settled)
		side->rtcp_remote.len = 0;
	side->remote_ms = now_ms;
	side->heard = false;
}

static void tell(const struct session *session, enum rtp_side i, enum rtp_event_kind kind,
	const struct addr *remote)
{
	struct rtp_event event = {.kind = kind,
		.session = session->id,
		.side = i,
		.remote = *remote,
		.at_ms = clock_wall_ms()};

	if (session->config->event != NULL)
		session->config->event(session->config->arg, &event);
}

static bool let_rtp_through(struct session *session, enum rtp_side i,
	const struct addr *source, const struct rtp_head *head, int64_t now_ms)
{
	struct session_side *side = &session->sides[i];
	enum latch_verdict verdict = latch_judge(&side->latch, source, head, now_ms);

	if (verdict == LATCH_DROP)
		return false;
	side->ssrc = head->ssrc;
	side->heard_ms = now_ms;
	if (!side->heard) {
		side->heard = true;
		tell(session, i, RTP_FIRST, source);
	}
	if (verdict == LATCH_SETTLED) {
		side->rtcp_remote.len = 0;
		tell(session, i, RTP_LATCHED, source);
	}
	return true;
}

static struct addr rtcp_remote(const struct session_side *side)
{
	struct addr a = side->rtcp_remote;

	if (a.len == 0 && side->latch.remote.len > 0) {
		a = side->latch.remote;
		addr_set_port(&a, (uint16_t)(addr_port(&a) + 1));
	}
	return a;
}

/*
 * A NAT gives RTCP a port of its own. It is believed from the host that was settled on when it
 * names the SSRC that is heard from there.
 */
static bool let_rtcp_through(
	struct session_side *side, const struct addr *source, uint32_t ssrc)
{
	const struct latch *latch = &side->latch;
	struct addr expected = rtcp_remote(side);

	if (latch->remote.len == 0 || (latch->learn && !latch->settled))
		return false;
	if (addr_equal(&expected, source))
		return true;
	if (!latch->learn || side->rtcp_remote.len > 0 || !side->heard ||
		ssrc != side->ssrc || !addr_same_host(&latch->remote, source))
		return false;
	side->rtcp_remote = *source;
	return true;
}

static bool let_through(const struct session_socket *socket, const struct session_io *io,
	unsigned at, int64_t now_ms)
{
	struct session *session = socket->session;
	const struct mmsghdr *msg = &io->in[at];
	struct rtp_head head;
	uint32_t ssrc;

	if (msg->msg_hdr.msg_flags & MSG_TRUNC)
		return false;
	if (socket->rtcp)
		return rtcp_packet_read(io->data[at], msg->msg_len, &ssrc) == 0 &&
		       let_rtcp_through(
			       &session->sides[socket->side], &io->source[at], ssrc);
	return rtp_packet_read(io->data[at], msg->msg_len, &head) == 0 &&
	       let_rtp_through(session, socket->side, &io->source[at], &head, now_ms);
}

/* A packet that cannot be sent now is lost, as on any network; the next may get through. */
static void send_batch(
	struct session_io *io, unsigned n, struct session_side *to, bool rtcp)
{
	struct addr remote = rtcp ? rtcp_remote(to) : to->latch.remote;
	int fd = rtcp ? to->ports.rtcp : to->ports.rtp;
	unsigned at = 0;

	if (remote.len == 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		io->out[i].msg_hdr.msg_name = &remote.sa;
		io->out[i].msg_hdr.msg_namelen = remote.len;
	}
	while (at < n) {
		int sent = sendmmsg(fd, io->out + at, n - at, MSG_DONTWAIT);

		if (sent > 0)
			count(&to->counts.sent, (unsigned)sent);
		at += sent > 0 ? (unsigned)sent : 1;
	}
}

void session_receive(
	const struct session_socket *socket, struct session_io *io, int64_t now_ms)
{
	struct session_side *from = &socket->session->sides[socket->side];
	struct session_side *to = &socket->session->sides[1 - socket->side];
	unsigned through = 0;
	int n;

	for (unsigned i = 0; i < BATCH; i++)
		io->in[i].msg_hdr.msg_namelen = sizeof(io->source[i].sa);
	n = recvmmsg(socket->fd, io->in, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		io->source[i].len = io->in[i].msg_hdr.msg_namelen;
		if (!let_through(socket, io, (unsigned)i, now_ms))
			continue;
		io->out_iov[through].iov_base = io->data[i];
		io->out_iov[through].iov_len = io->in[i].msg_len;
		through++;
	}
	if (n <= 0)
		return;
	count(&from->counts.received, through);
	count(&from->counts.dropped, (unsigned)n - through);
	send_batch(io, through, to, socket->rtcp);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void feed(struct session_side *to, const struct session_side *from, int64_t now_ms)
{
	const struct addr *remote = &to->latch.remote;
	uint8_t packet[RTP_SILENCE_SIZE];
	ssize_t n;

	if (remote->len == 0 ||
		now_ms - later(from->heard_ms, to->remote_ms) < SESSION_FEED_AFTER_MS) {
		rtp_silence_pause(&to->silence);
		return;
	}
	rtp_silence_write(&to->silence, packet);
	n = sendto(to->ports.rtp, packet, sizeof(packet), MSG_DONTWAIT,
		(const struct sockaddr *)&remote->sa, remote->len);
	if (n == sizeof(packet))
		count(&to->counts.silence, 1);
}

static void watch(struct session *session, enum rtp_side i, int64_t now_ms)
{
	struct session_side *side = &session->sides[i];
	int64_t since_ms = later(later(side->heard_ms, side->remote_ms), side->told_ms);

	if (side->latch.remote.len == 0 || now_ms - since_ms < session->config->silent_ms)
		return;
	side->told_ms = now_ms;
	tell(session, i, RTP_SILENT, &side->latch.remote);
}

void session_tick(struct session *session, unsigned ticks, int64_t now_ms)
{
	struct session_side *phone = &session->sides[RTP_PHONE];
	struct session_side *twilio = &session->sides[RTP_TWILIO];

	for (unsigned i = 0; i < ticks; i++) {
		feed(phone, twilio, now_ms);
		feed(twilio, phone, now_ms);
	}
	watch(session, RTP_PHONE, now_ms);
	watch(session, RTP_TWILIO, now_ms);
}

void session_stats(const struct session *session, struct rtp_stats ret_stats[RTP_SIDES])
{
	for (int i = 0; i < RTP_SIDES; i++) {
		const struct session_counts *c = &session->sides[i].counts;

		ret_stats[i] = (struct rtp_stats){
			.received =
				atomic_load_explicit(&c->received, memory_order_relaxed),
			.sent = atomic_load_explicit(&c->sent, memory_order_relaxed),
			.dropped =
				atomic_load_explicit(&c->dropped, memory_order_relaxed),
			.silence =
				atomic_load_explicit(&c->silence, memory_order_relaxed),
		};
	}
}
