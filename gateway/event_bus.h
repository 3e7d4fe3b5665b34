/*
 * event_bus.h: what one node tells is heard by the streams of all nodes (GET /api/events).
 *
 * While other nodes live, a thread with a connection of its own listens on the database's channel
 * and, while anybody hears at another node, passes on what this one tells, many events at once.
 * Events are hints: when some may be lost (a connection broke, a node has just begun), the
 * streams get a `resync`. A node that is alone has no connection for this and sends nothing.
 */
#ifndef OMNIVOX_GATEWAY_EVENT_BUS_H
#define OMNIVOX_GATEWAY_EVENT_BUS_H

#include <stdbool.h>

#include "gateway/event_line.h"
#include "gateway/gateway.h"

struct event_bus;

/* At start and end; gw->events is there. The end passes on what still waits. */
int event_bus_new(struct gateway *gw, struct event_bus **ret_bus);
void event_bus_free(struct event_bus **bus);

/* Loop: whether other nodes live. */
void event_bus_others(struct event_bus *bus, bool live);

/* Any thread. Whether anybody hears, here or elsewhere: else nothing need be told. */
bool event_bus_heard(struct gateway *gw);

/*
 * Any thread; of a session's state (`session_id`): the loop. Tells this node's streams and the
 * other nodes. A session's state may be learned by several nodes: each version is told once, and
 * none after a later one.
 */
void event_bus_tell(struct gateway *gw, const struct event_line *event);

#endif
