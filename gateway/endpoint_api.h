/* endpoint_api.h: how an agent is reached: a SIP phone, a plain phone, a browser. */
#ifndef OMNIVOX_GATEWAY_ENDPOINT_API_H
#define OMNIVOX_GATEWAY_ENDPOINT_API_H

#include "db/endpoints.h"
#include "gateway/api.h"

/* PUT /api/agents/:agentId/endpoint; counts from the next sign-in on. */
void agent_endpoint_set(struct api_call *call, struct api_reply *reply);

/* {type, number?, nailed?}; NULL: a nailed SIP phone. -EINVAL with the reply filled. */
int endpoint_of_body(
	struct api_reply *reply, const json_t *body, struct db_endpoint *ret_endpoint);

#endif
