/* agent_api.h: the routes of agents: accounts, phones, sessions. */
#ifndef OMNIVOX_GATEWAY_AGENT_API_H
#define OMNIVOX_GATEWAY_AGENT_API_H

#include "gateway/api.h"

void agents_list(struct api_call *call, struct api_reply *reply);
void agent_create(struct api_call *call, struct api_reply *reply);
void agent_get(struct api_call *call, struct api_reply *reply);
void agent_sip_password(struct api_call *call, struct api_reply *reply);
void agent_session_get(struct api_call *call, struct api_reply *reply);
void agent_session_start(struct api_call *call, struct api_reply *reply);
void agent_session_end(struct api_call *call, struct api_reply *reply);
void agent_session_ready(struct api_call *call, struct api_reply *reply);
void agent_session_pause(struct api_call *call, struct api_reply *reply);

#endif
