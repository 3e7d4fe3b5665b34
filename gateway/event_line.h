/*
 * event_line.h: an event as one line of text, as nodes pass it on to each other. Pure.
 *
 *	TYPE AUDIENCE SESSION VERSION JSON\n
 */
#ifndef OMNIVOX_GATEWAY_EVENT_LINE_H
#define OMNIVOX_GATEWAY_EVENT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct event_line {
	const char *type;
	const char *data; /* JSON without line breaks */
	int64_t audience; /* as in http_events_publish() */
	int64_t session_id; /* whose state this is, so that it is told once; 0: no session's */
	int64_t version; /* of the session */
};

/* The event that tells streams to read everything anew. */
extern const struct event_line event_line_resync;
#define EVENT_LINE_RESYNC "resync 0 0 0 {}\n" /* its line */

/* Adds the line to `text`. */
void event_line_write(struct buf *text, const struct event_line *event);

/*
 * Takes the first line off *text, which it cuts up; the strings of *ret_event point into it.
 * False when no line is left. What is no event (of another version of this program) becomes a
 * resync.
 */
bool event_line_read(char **text, struct event_line *ret_event);

#endif
