/*
 * webhook.h: Twilio's status webhooks, many at once: what arrives while a batch is being
 * written waits for the next, and each batch is one statement and one commit.
 *
 * Signed routes only: the signature was checked on the http thread.
 */
#ifndef OMNIVOX_GATEWAY_WEBHOOK_H
#define OMNIVOX_GATEWAY_WEBHOOK_H

#include "gateway/gateway.h"
#include "http/server.h"

/* The batch of status webhooks; after the database workers. */
int webhooks_new(struct gateway *gw);
void webhooks_free(struct gateway *gw);

/* http thread. Takes the request. -EAGAIN when too many wait. */
int webhook_call_status(struct gateway *gw, struct http_request *request);
int webhook_conference(struct gateway *gw, struct http_request *request);

#endif
