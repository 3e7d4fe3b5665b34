/* call_api.h: the routes of calls, and what a call looks like outside. */
#ifndef OMNIVOX_GATEWAY_CALL_API_H
#define OMNIVOX_GATEWAY_CALL_API_H

#include "db/calls.h"
#include "gateway/api.h"

void calls_list(struct api_call *call, struct api_reply *reply);
void call_get(struct api_call *call, struct api_reply *reply);
void call_hangup(struct api_call *call, struct api_reply *reply);

/* The call as the API shows it. */
json_t *call_json(const struct db_call *row);

#endif
