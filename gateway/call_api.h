/* call_api.h: the routes of calls. Handlers of routes.c: database workers. */
#ifndef OMNIVOX_GATEWAY_CALL_API_H
#define OMNIVOX_GATEWAY_CALL_API_H

#include "db/calls.h"
#include "gateway/api.h"

void calls_list(struct api_call *call, struct api_reply *reply);
void call_get(struct api_call *call, struct api_reply *reply);
void call_hangup(struct api_call *call, struct api_reply *reply);

json_t *call_json(const struct db_call *row);

/* The call of the path, when the caller may see it; else the reply says 404. */
int call_of_path(struct api_call *call, struct api_reply *reply, struct db_call *ret_row);

/*
 * The calls that the query asks for, of an agent its own. Texts are borrowed from the request.
 * -EINVAL: the reply says what is wrong with it.
 */
int call_filter(struct api_call *call, struct api_reply *reply,
	struct db_call_filter *ret_filter);

#endif
