/* dial_api.h: POST /api/calls/rest-api: an agent dials a number by hand. */
#ifndef OMNIVOX_GATEWAY_DIAL_API_H
#define OMNIVOX_GATEWAY_DIAL_API_H

#include "gateway/api.h"

/* Through the same permission and claim as every call; waits at most 5 s for Twilio. */
void dial_rest_api(struct api_call *call, struct api_reply *reply);

#endif
