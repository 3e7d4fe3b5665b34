/* peer.h: who is really asking, behind proxies that we were told to trust. Any thread. */
#ifndef OMNIVOX_HTTP_PEER_H
#define OMNIVOX_HTTP_PEER_H

#include <stddef.h>

#include "base/addr.h"

struct peer_trust;

/*
 * `proxies`: NULL-ended list of addresses or networks ("10.0.0.0/8", "::1"); NULL trusts
 * nobody. -EINVAL for anything that is neither.
 */
int peer_trust_new(const char *const *proxies, struct peer_trust **ret_trust);
void peer_trust_free(struct peer_trust **trust);

/*
 * Who sent a request that came over a connection from `sa`: that address, or when it is
 * trusted, the rightmost entry of X-Forwarded-For (`forwarded`, may be NULL) that is not.
 * Entries left of the first unreadable one are not believed.
 */
void peer_find(const struct peer_trust *trust, const struct sockaddr *sa,
	const char *forwarded, struct addr *ret_peer);

#endif
