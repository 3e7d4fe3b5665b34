/* token_api.h: access tokens, with which an agent's browser becomes its phone. */
#ifndef OMNIVOX_GATEWAY_TOKEN_API_H
#define OMNIVOX_GATEWAY_TOKEN_API_H

#include "gateway/api.h"

/* GET /api/calls-twiml/token/:agentId and POST /api/calls/token; agents get only their own. */
void token_of_agent(struct api_call *call, struct api_reply *reply);
void token_create(struct api_call *call, struct api_reply *reply);

#endif
