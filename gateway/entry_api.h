/* entry_api.h: the routes of one queue entry: what speaks against a call, skip, requeue, preview. */
#ifndef OMNIVOX_GATEWAY_ENTRY_API_H
#define OMNIVOX_GATEWAY_ENTRY_API_H

#include "gateway/api.h"

void entry_get(struct api_call *call, struct api_reply *reply);
void entry_update(struct api_call *call, struct api_reply *reply);
void entry_skip(struct api_call *call, struct api_reply *reply);
void entry_requeue(struct api_call *call, struct api_reply *reply);
void entry_next(struct api_call *call, struct api_reply *reply);

#endif
