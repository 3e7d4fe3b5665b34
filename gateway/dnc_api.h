/* dnc_api.h: the routes of numbers that must not be called. */
#ifndef OMNIVOX_GATEWAY_DNC_API_H
#define OMNIVOX_GATEWAY_DNC_API_H

#include "gateway/api.h"

void dnc_list(struct api_call *call, struct api_reply *reply);
void dnc_create(struct api_call *call, struct api_reply *reply);
void dnc_delete(struct api_call *call, struct api_reply *reply);
void dnc_check(struct api_call *call, struct api_reply *reply);
void dnc_bulk_import(struct api_call *call, struct api_reply *reply);

#endif
