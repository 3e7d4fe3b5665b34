/* session_api.h: an agent signs in and out, is ready, pauses. */
#ifndef OMNIVOX_GATEWAY_SESSION_API_H
#define OMNIVOX_GATEWAY_SESSION_API_H

#include "gateway/api.h"

void agent_session_get(struct api_call *call, struct api_reply *reply);
void agent_session_start(struct api_call *call, struct api_reply *reply);
void agent_session_end(struct api_call *call, struct api_reply *reply);
void agent_session_ready(struct api_call *call, struct api_reply *reply);
void agent_session_pause(struct api_call *call, struct api_reply *reply);

#endif
