/*
 * agent_webhook.h: what Twilio tells of agents' legs: in the conference's webhook, and in the
 * status webhook of legs that it rings for us.
 */
#ifndef OMNIVOX_GATEWAY_AGENT_WEBHOOK_H
#define OMNIVOX_GATEWAY_AGENT_WEBHOOK_H

#include "gateway/gateway.h"
#include "http/server.h"

/* http thread. A status webhook whose URL names a leg; takes the request, or -EAGAIN. */
int agent_leg_status(struct gateway *gw, struct http_request *request);

/*
 * Any thread. A conference's webhook: a participant, whose label and SID are in it, joined or left,
 * and is no customer. Takes the request, or -EAGAIN.
 */
int agent_leg_conference(struct gateway *gw, struct http_request *request);

#endif
