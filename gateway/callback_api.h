/* callback_api.h: the routes of callbacks. Handlers of routes.c: database workers. */
#ifndef OMNIVOX_GATEWAY_CALLBACK_API_H
#define OMNIVOX_GATEWAY_CALLBACK_API_H

#include "db/callbacks.h"
#include "gateway/api.h"

#define CALLBACK_GRACE_S 900 /* how long it is kept for its owner when nothing is said */

void callbacks_list(struct api_call *call, struct api_reply *reply);
void callback_create(struct api_call *call, struct api_reply *reply);
void callback_get(struct api_call *call, struct api_reply *reply);
void callback_update(struct api_call *call, struct api_reply *reply);
void callback_cancel(struct api_call *call, struct api_reply *reply);

/* 422 when the time is past, or more than a year ahead: -EINVAL. */
int callback_check_time(struct api_reply *reply, const char *field, int64_t due_ms);

/* 404 when there is no such agent: -ENOENT. Agent 0 is anybody. */
int callback_check_agent(
	struct api_call *call, struct api_reply *reply, int64_t agent_id);

#endif
