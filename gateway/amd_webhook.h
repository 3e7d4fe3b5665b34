/* amd_webhook.h: who picked up, as Twilio's answering machine detection heard it. */
#ifndef OMNIVOX_GATEWAY_AMD_WEBHOOK_H
#define OMNIVOX_GATEWAY_AMD_WEBHOOK_H

#include <stdbool.h>

#include "db/calls.h"
#include "gateway/gateway.h"
#include "http/server.h"

/* http thread. /webhook/amd. Takes the request; -EAGAIN when too many wait. */
int webhook_amd(struct gateway *gw, struct http_request *request);

/*
 * AnsweredBy of any webhook about call `call_id` as an event of its own: told twice, it is stored
 * once. Texts are borrowed from the request. False: there is none.
 */
bool amd_event(const struct http_request *request, int64_t call_id,
	struct db_call_event *ret_event);

#endif
