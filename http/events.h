/*
 * events.h: server-sent events (WHATWG HTML, 9.2): publish once, every attached stream gets it.
 *
 * A ring keeps the last events, so a client that comes back with Last-Event-ID misses nothing;
 * when the ring has moved past it, it first gets the event `resync`. A client that does not
 * read is cut off at a byte limit. A comment every `heartbeat_s` finds dead clients.
 */
#ifndef OMNIVOX_HTTP_EVENTS_H
#define OMNIVOX_HTTP_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_events;
struct http_server;

int http_events_new(size_t ring, unsigned heartbeat_s, struct http_events **ret_events);
void http_events_free(struct http_events **events);

/*
 * Any thread. `type` is the event's name, `data` one line of JSON; both copied. `audience` 0
 * is for everybody, else only for streams attached with that id or with 0 (a user id, so that
 * agents see only their own).
 */
void http_events_publish(
	struct http_events *events, const char *type, const char *data, int64_t audience);

/* More streams than one person has tabs open, and few beside those of a whole node. */
#define HTTP_STREAMS_PER_OWNER 20

/* Who reads a stream. `grant` means nothing here; see http_events_end(). */
struct http_listener {
	int64_t hears; /* 0: everything; else what is for everybody and for that id */
	/*
	 * Has HTTP_STREAMS_PER_OWNER at most: one more ends its oldest, whose reader is told to come
	 * again after a minute.
	 */
	int64_t owner;
	int64_t grant;
};

/*
 * Any thread. False while nobody reads and nobody who has left could come back for more: what
 * costs much to tell need not be published then.
 */
bool http_events_heard(struct http_events *events);

/*
 * Any thread; instead of http_reply(), for a request on an HTTP_ROUTE_EVENTS route.
 * `last_event_id` may be NULL or "". -EAGAIN: half of the server's connections are streams;
 * -ENOMEM. Then nothing was answered.
 */
int http_events_attach(struct http_server *server, uint64_t request_id,
	const struct http_listener *listener, const char *last_event_id);

/*
 * Any thread. Ends the streams of whom `ends` is true, at once. `ends` is called for every
 * stream under the hub's lock: no calls back, no waiting.
 */
void http_events_end(struct http_events *events,
	bool (*ends)(void *arg, const struct http_listener *listener), void *arg);

#endif
