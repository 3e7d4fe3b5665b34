/* latch.c: settles on a source by rank and patience. See latch.h. */
#include "config.h"
#include "rtp/latch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

static const struct in6_addr *ip6(const struct addr *a)
{
	return &((const struct sockaddr_in6 *)(const void *)&a->sa)->sin6_addr;
}

/* In host byte order. */
static uint32_t ip4(const struct addr *a)
{
	return ntohl(((const struct sockaddr_in *)(const void *)&a->sa)->sin_addr.s_addr);
}

static bool is_unspecified(const struct addr *a)
{
	return a->sa.ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(ip6(a))
					   : ip4(a) == 0;
}

/* Not reachable from elsewhere, so the packets must come from another address. */
static bool is_private(const struct addr *a)
{
	uint32_t ip;

	if (a->sa.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(ip6(a)) || IN6_IS_ADDR_LINKLOCAL(ip6(a)) ||
		       (ip6(a)->s6_addr[0] & 0xfe) == 0xfc; /* RFC 4193 */
	ip = ip4(a);
	return ip >> 24 == 10 || ip >> 24 == 127 || ip >> 20 == 0xac1 || /* 172.16/12 */
	       ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe ||
	       ip >> 22 == 0x191; /* 100.64/10, RFC 6598 */
}

static bool is_near(const struct addr *a, const struct addr *b)
{
	if (a->sa.ss_family != b->sa.ss_family)
		return false;
	if (a->sa.ss_family == AF_INET6)
		return memcmp(ip6(a), ip6(b), 8) == 0;
	return ip4(a) >> 8 == ip4(b) >> 8;
}

static enum latch_rank rank_of(const struct latch *latch, const struct addr *source)
{
	const struct addr *sdp = &latch->sdp;

	if (addr_equal(sdp, source))
		return LATCH_EXACT;
	if (addr_same_host(sdp, source) || addr_same_host(&latch->signalling, source))
		return LATCH_HOST;
	if (is_near(sdp, source))
		return LATCH_NEAR;
	return is_private(sdp) ? LATCH_ANY : LATCH_FOREIGN;
}

void latch_start(struct latch *latch, const struct addr *sdp, bool learn, int64_t now_ms)
{
	bool nowhere = sdp->len == 0 || is_unspecified(sdp);
	bool same = !nowhere && latch->settled && learn && addr_equal(&latch->sdp, sdp);

	if (!same) {
		*latch = (struct latch){.signalling = latch->signalling};
		latch->learn = learn;
		if (!nowhere) {
			latch->sdp = *sdp;
			latch->remote = *sdp;
		}
	}
	memset(latch->candidates, 0, sizeof(latch->candidates));
	latch->heard_ms = now_ms;
	latch->window_end_ms = now_ms + LATCH_WINDOW_MS;
}

static enum latch_verdict settle(struct latch *latch, const struct addr *source,
	enum latch_rank rank, int64_t now_ms)
{
	assert(rank < LATCH_FOREIGN);
	latch->remote = *source;
	latch->settled = true;
	latch->rank = rank;
	latch->heard_ms = now_ms;
	memset(latch->candidates, 0, sizeof(latch->candidates));
	return LATCH_SETTLED;
}

/* How many packets in a row this source has sent, this one included. */
static unsigned count_run(
	struct latch *latch, const struct addr *source, const struct rtp_head *head)
{
	struct latch_candidate *c = NULL;

	for (size_t i = 0; i < LATCH_CANDIDATES; i++)
		if (addr_equal(&latch->candidates[i].source, source))
			c = &latch->candidates[i];
	if (c == NULL) {
		c = &latch->candidates[latch->next_candidate++ % LATCH_CANDIDATES];
		c->source = *source;
		c->run = 0;
	}
	if (c->run > 0 && c->ssrc == head->ssrc && (uint16_t)(c->seq + 1) == head->seq)
		c->run++;
	else
		c->run = 1;
	c->ssrc = head->ssrc;
	c->seq = head->seq;
	return c->run;
}

static bool may_take_over(const struct latch *latch, enum latch_rank rank, int64_t now_ms)
{
	if (!latch->settled || rank < latch->rank)
		return true;
	return rank == latch->rank && now_ms - latch->heard_ms >= LATCH_STALE_MS;
}

enum latch_verdict latch_judge(struct latch *latch, const struct addr *source,
	const struct rtp_head *head, int64_t now_ms)
{
	bool open = now_ms < latch->window_end_ms;
	enum latch_rank rank;

	if (latch->remote.len == 0)
		return LATCH_DROP;
	if ((latch->settled || !latch->learn) && addr_equal(&latch->remote, source)) {
		latch->heard_ms = now_ms;
		return LATCH_ACCEPT;
	}
	if (!latch->learn || (latch->settled && !open))
		return LATCH_DROP;

	rank = rank_of(latch, source);
	if (rank == LATCH_EXACT && may_take_over(latch, rank, now_ms))
		return settle(latch, source, rank, now_ms);
	/* A phone that starts late is still welcome, but only from where its SDP says. */
	if (rank == LATCH_FOREIGN || (!open && rank > LATCH_HOST))
		return LATCH_DROP;
	if (count_run(latch, source, head) < LATCH_RUN ||
		!may_take_over(latch, rank, now_ms))
		return LATCH_DROP;
	return settle(latch, source, rank, now_ms);
}
