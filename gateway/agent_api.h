/* agent_api.h: the routes of agents: accounts and phones. */
#ifndef OMNIVOX_GATEWAY_AGENT_API_H
#define OMNIVOX_GATEWAY_AGENT_API_H

#include "gateway/api.h"

void agents_list(struct api_call *call, struct api_reply *reply);
void agent_create(struct api_call *call, struct api_reply *reply);
void agent_get(struct api_call *call, struct api_reply *reply);
void agent_sip_password(struct api_call *call, struct api_reply *reply);

/* The agent of the path, when the caller may touch it; 0 with the reply filled. */
int64_t agent_of_path(struct api_call *call, struct api_reply *reply);

/* Fills the reply with {agent}, as it now is. */
void agent_answer(struct api_call *call, struct api_reply *reply, int status, int64_t id);

#endif
