/*
 * rate.h: how often may who ask? One table for addresses, signed-in principals and sign-ins.
 *
 * Bounded memory, of this process alone. Twilio's signed requests do not come here. Any thread.
 * All functions return 0 for "go on", else whole seconds to wait.
 */
#ifndef OMNIVOX_GATEWAY_RATE_H
#define OMNIVOX_GATEWAY_RATE_H

#include <stdint.h>

#include "base/addr.h"

struct rate;

/*
 * `per_second`: requests of one principal, with four times as many at once after a rest. An
 * address, behind which a whole call centre may sit, gets twenty times that. 0: no limit but
 * that of sign-ins.
 */
int rate_new(unsigned per_second, struct rate **ret_rate);
void rate_free(struct rate **rate);

/* One request from an address; of IPv6 the first 64 bits count. */
int rate_address(struct rate *rate, const struct addr *peer, int64_t now_ms);

/* One request of a principal: a user's id, or the negative id of an API key. */
int rate_principal(struct rate *rate, int64_t principal, int64_t now_ms);

/*
 * One sign-in: for a pair of address and name ten at once, then one in 6 s; for an address
 * whatever the names, sixty at once, then one a second.
 */
int rate_login(
	struct rate *rate, const struct addr *peer, const char *username, int64_t now_ms);

#endif
