/*
 * nodes.h: this node among those that share the database: says that it lives, and takes over
 * what a dead one held: hangs up calls whose agent's phone hung on it, ends or moves its agents'
 * sessions. Campaigns and calls are taken over by their leases and deadlines.
 *
 * While others live, webhooks about this node's agents may come to them: what they changed is
 * looked for several times a second.
 */
#ifndef OMNIVOX_GATEWAY_NODES_H
#define OMNIVOX_GATEWAY_NODES_H

#include <stdint.h>

#include "gateway/gateway.h"

struct nodes;

/* Loop, at start and end. */
int nodes_new(struct gateway *gw, struct nodes **ret_nodes);
void nodes_free(struct nodes **nodes);

/* Loop. Agents of other nodes who could take a call of this campaign; a moment old. */
unsigned nodes_ready(const struct gateway *gw, int64_t campaign_id);

#endif
