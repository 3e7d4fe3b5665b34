/*
 * listeners.h: nobody listens to GET /api/events longer than it may.
 *
 * Signing out, a new password, another role, deactivation and revoked keys end the streams that
 * they concern at once on this node; what ends elsewhere or by its time is found within seconds.
 */
#ifndef OMNIVOX_GATEWAY_LISTENERS_H
#define OMNIVOX_GATEWAY_LISTENERS_H

#include "gateway/gateway.h"

struct listeners;

/* Loop thread, at start and end; the events hub is there. */
int listeners_new(struct gateway *gw, struct listeners **ret_listeners);
void listeners_free(struct listeners **listeners);

/* Any thread. A grant is a web session's id, or the negative id of an API key. */
void listeners_end_grant(struct gateway *gw, int64_t grant);
/* All streams of a user, but that of one grant; 0: none is kept. */
void listeners_end_user(struct gateway *gw, int64_t user_id, int64_t keep_grant);

#endif
