/* contact_api.h: the routes of contacts. */
#ifndef OMNIVOX_GATEWAY_CONTACT_API_H
#define OMNIVOX_GATEWAY_CONTACT_API_H

#include "gateway/api.h"

void contacts_list(struct api_call *call, struct api_reply *reply);
void contact_create(struct api_call *call, struct api_reply *reply);
void contact_get(struct api_call *call, struct api_reply *reply);
void contact_update(struct api_call *call, struct api_reply *reply);
void contact_delete(struct api_call *call, struct api_reply *reply);

#endif
