/*
 * feed.h: a reply whose body is made while it is sent: the rows of a table, another server's
 * file.
 *
 * The producer writes from any thread, one at a time. What the reader has not taken yet waits in
 * the feed, at most FEED_FULL bytes and one write; nobody blocks: a write says that it is enough,
 * and `room` calls when most of it has been read.
 */
#ifndef OMNIVOX_HTTP_FEED_H
#define OMNIVOX_HTTP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/server.h"

#define FEED_FULL (128 * 1024) /* bytes waiting from which a write says: enough */
#define FEED_LOW (32 * 1024)   /* bytes waiting at which room() calls */

struct http_feed;

struct http_feed_config {
	int status;
	const char *content_type;
	int64_t length;                    /* of the whole body; -1: not known */
	const struct http_header *headers; /* besides those; copied */
	size_t header_count;
	/*
	 * Under the feed's lock, on the http thread: they may only post something, not call the
	 * feed. room(): after a write that returned 1, once. gone(): the reader left before the
	 * end, once, and then no room(); perhaps before http_feed_open() returns. Neither comes
	 * after http_feed_close().
	 */
	void (*room)(void *arg);
	void (*gone)(void *arg);
	void *arg;
};

/*
 * Any thread; instead of http_reply(). The handle is the caller's until http_feed_close(), also
 * beyond the server's life. -ENOMEM: nothing was answered.
 */
int http_feed_open(struct http_server *server, uint64_t request_id,
	const struct http_feed_config *config, struct http_feed **ret_feed);

/*
 * Copies. 0: go on; 1: taken, but wait for room() or gone() before the next; -EPIPE: nobody
 * reads it any more; -ENOMEM: lost, close it as broken.
 */
int http_feed_write(struct http_feed *feed, const void *data, size_t len);

/* `whole` false: the connection breaks, so that the reader sees that something is missing. */
void http_feed_close(struct http_feed **feed, bool whole);

#endif
