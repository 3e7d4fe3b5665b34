/*
 * ports.h: pairs of UDP sockets, RTP on an even port and RTCP on the next. Private to this
 * room. Any thread, but one at a time for one pool.
 */
#ifndef OMNIVOX_RTP_PORTS_H
#define OMNIVOX_RTP_PORTS_H

#include <stdint.h>

#include "base/addr.h"

struct port_pool {
	struct addr host;
	uint16_t lo, hi; /* 0, 0: the kernel picks */
	uint16_t
		next; /* walks round the range, so that a port rests before it is used again */
};

struct port_pair {
	int rtp, rtcp; /* non-blocking; -1: none */
	uint16_t port; /* the even one */
};

/* -EINVAL for a host that is no address or a range without an even pair. */
int port_pool_init(struct port_pool *pool, const char *host, uint16_t lo, uint16_t hi);

/*
 * `wanted` 0: a free pair. -EADDRINUSE for a wanted port, -EINVAL when that is odd, -EBUSY
 * when the range is used up, else what socket(2) and bind(2) say.
 */
int port_pair_open(struct port_pool *pool, uint16_t wanted, struct port_pair *ret_pair);
void port_pair_close(struct port_pair *pair);

#endif
