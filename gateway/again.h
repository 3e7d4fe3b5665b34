/*
 * again.h: a request that is tried on a database worker now and, as long as it is not settled,
 * again: an agent may come free, a call may end. Every wait has its end, at which it is settled.
 */
#ifndef OMNIVOX_GATEWAY_AGAIN_H
#define OMNIVOX_GATEWAY_AGAIN_H

#include <stdbool.h>

#include "gateway/gateway.h"

struct again_wish {
	unsigned every_ms, for_ms;
	/* Database worker. True: settled, somebody answers. Must be true when `last`. */
	bool (*attempt)(struct gateway *gw, struct db *db, void *arg, bool last);
	/* Once, when it is settled, or the gateway stops before. */
	void (*done)(void *arg);
	void *arg;
};

/* Any thread. 0: `arg` is taken. -EAGAIN, -ENOMEM: it is still the caller's. */
int again_start(struct gateway *gw, const struct again_wish *wish);

/* Loop thread, at the end: what waits for its next try is given up. */
void again_stop(struct gateway *gw);

#endif
