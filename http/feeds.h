/*
 * feeds.h: the server's side of feed.h: the feeds that are being read, and their connections.
 */
#ifndef OMNIVOX_HTTP_FEEDS_H
#define OMNIVOX_HTTP_FEEDS_H

#include <microhttpd.h>

#include "http/feed.h"
#include "http/reply.h"

struct feeds;

int feeds_new(struct feeds **ret_feeds);
void feeds_free(struct feeds **feeds); /* nobody reads any more */

/*
 * Any thread. A feed and the answer that it is; the answer's response owns it along with the
 * producer. -ENOMEM.
 */
int feed_answer(struct feeds *feeds, const struct http_feed_config *config,
	struct http_feed **ret_feed, struct answer *ret_answer);

/* http thread: from now on the feed may suspend and resume this connection. */
void feed_begin(struct http_feed *feed, struct MHD_Connection *connection);

/* http thread: the connection is going away. */
void feed_end(struct http_feed *feed);

/* Breaks every feed and lets none wait any more: for a server that stops. */
void feeds_stop(struct feeds *feeds);

#endif
