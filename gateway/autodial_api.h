/* autodial_api.h: the routes of auto-dial: start, stop, and why it dials or does not. */
#ifndef OMNIVOX_GATEWAY_AUTODIAL_API_H
#define OMNIVOX_GATEWAY_AUTODIAL_API_H

#include "gateway/api.h"

void autodial_status(struct api_call *call, struct api_reply *reply);
void autodial_start(struct api_call *call, struct api_reply *reply);
void autodial_stop(struct api_call *call, struct api_reply *reply);

#endif
