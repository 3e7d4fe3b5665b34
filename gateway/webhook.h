/*
 * webhook.h: Twilio's webhooks about a call's status and about conferences. What they tell of calls
 * goes to the batch (webhook_batch.h).
 *
 * Signed routes only: the signature was checked on the http thread.
 */
#ifndef OMNIVOX_GATEWAY_WEBHOOK_H
#define OMNIVOX_GATEWAY_WEBHOOK_H

#include "gateway/gateway.h"
#include "http/server.h"

/* http thread. Takes the request. -EAGAIN when too many wait. */
int webhook_call_status(struct gateway *gw, struct http_request *request);
int webhook_conference(struct gateway *gw, struct http_request *request);

#endif
