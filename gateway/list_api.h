/* list_api.h: the routes of data lists. */
#ifndef OMNIVOX_GATEWAY_LIST_API_H
#define OMNIVOX_GATEWAY_LIST_API_H

#include "gateway/api.h"

void lists_list(struct api_call *call, struct api_reply *reply);
void list_create(struct api_call *call, struct api_reply *reply);
void list_get(struct api_call *call, struct api_reply *reply);
void list_upload(struct api_call *call, struct api_reply *reply);

#endif
