/*
 * user_api.h: the routes of users. An agent is a user with the role agent, under the same id; a
 * supervisor sees and manages agents alone.
 */
#ifndef OMNIVOX_GATEWAY_USER_API_H
#define OMNIVOX_GATEWAY_USER_API_H

#include "gateway/api.h"

void users_list(struct api_call *call, struct api_reply *reply);
void user_create(struct api_call *call, struct api_reply *reply);
void user_get(struct api_call *call, struct api_reply *reply);
void user_update(struct api_call *call, struct api_reply *reply);
void user_deactivate(struct api_call *call, struct api_reply *reply);

#endif
