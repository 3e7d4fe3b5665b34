/*
 * addresses.h: DATA_DIR/run/addresses.json: where this gateway really listens, and its pids.
 *
 * Written when everything answers, replaced in one step. The next start with port 0 takes the
 * same ports again, so that phones and Twilio find what they knew.
 */
#ifndef OMNIVOX_GATEWAY_ADDRESSES_H
#define OMNIVOX_GATEWAY_ADDRESSES_H

#include <sys/types.h>

#include "base/addr.h"

struct addresses {
	pid_t supervisor, worker;
	char http[ADDR_TEXT_SIZE];
	char sip[ADDR_TEXT_SIZE];
	char metrics[ADDR_TEXT_SIZE]; /* "" without METRICS_LISTEN */
};

int addresses_write(const char *data_dir, const struct addresses *addresses);

/* What an earlier run wrote. -ENOENT. */
int addresses_read(const char *data_dir, struct addresses *ret_addresses);

/* The port to listen on: `wanted`'s own, or, when that is 0, the one of `before` on that host. */
void addresses_keep_port(const char *before, struct addr *wanted);

#endif
