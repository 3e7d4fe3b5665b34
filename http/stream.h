/*
 * stream.h: the server's side of events.h: one open event stream and its connection.
 *
 * The hub's lock guards suspending and resuming, so that neither happens twice.
 */
#ifndef OMNIVOX_HTTP_STREAM_H
#define OMNIVOX_HTTP_STREAM_H

#include <microhttpd.h>
#include <stdint.h>

#include "http/events.h"
#include "http/reply.h"

/*
 * Any thread. The answer owns the stream; dropping it frees the stream. -EAGAIN: there are
 * `max` already; -ENOMEM.
 */
int stream_new(struct http_events *events, size_t max,
	const struct http_listener *listener, const char *last_event_id,
	struct answer *ret_answer);

/* http thread: from now on the stream may suspend and resume this connection. */
void stream_open(struct stream *stream, struct MHD_Connection *connection);

/* http thread: the connection is going away. */
void stream_close(struct stream *stream);

/* Clock thread: sends the heartbeat when it is time; gives the time of the next. */
int64_t stream_beat_all(struct http_events *events, int64_t now_ms);

/* Ends every stream and lets none wait, until allowed again: for a server that stops. */
void stream_stop_all(struct http_events *events);
void stream_allow(struct http_events *events);

#endif
