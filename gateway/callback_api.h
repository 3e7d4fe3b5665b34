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

/*
 * Who is to keep the promise; 0 is anybody. 404 when the request has named who is no agent: -ENOENT.
 * Who is none any more, and was not named, keeps none: *agent_id becomes 0.
 */
int callback_check_owner(
	struct api_call *call, struct api_reply *reply, bool named, int64_t *agent_id);

#endif
