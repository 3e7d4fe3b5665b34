/*
 * webhook_batch.h: what webhooks tell of calls, many at once: what arrives while a batch is being
 * written waits for the next, and each batch is one statement and one commit.
 *
 * A webhook is answered when what it tells is stored: 204; or 503, when it could not be, and Twilio
 * sends it again. News of one call is stored in the order in which it was put.
 */
#ifndef OMNIVOX_GATEWAY_WEBHOOK_BATCH_H
#define OMNIVOX_GATEWAY_WEBHOOK_BATCH_H

#include "db/calls.h"
#include "gateway/gateway.h"
#include "http/server.h"

#define WEBHOOK_EVENTS_MAX 2

/* What one webhook tells. */
struct webhook_news {
	struct db_call_event events[WEBHOOK_EVENTS_MAX]; /* texts live in the request */
	size_t count;
	/*
	 * Of a conference's participant: the events are of the call whose customer has this label,
	 * and the label of nobody's customer goes to agent_leg_conference(). NULL: they name a call.
	 */
	const char *label;
};

/* After the database workers; freed after them. */
int webhooks_new(struct gateway *gw);
void webhooks_free(struct gateway *gw);

/* http thread. Takes the request. -EAGAIN when too many wait: it is still the caller's. */
int webhook_batch_put(struct gateway *gw, struct http_request *request,
	const struct webhook_news *news);

#endif
