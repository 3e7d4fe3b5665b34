/* service_api.h: the routes that tell of the program itself, and the event stream. */
#ifndef OMNIVOX_GATEWAY_SERVICE_API_H
#define OMNIVOX_GATEWAY_SERVICE_API_H

#include "gateway/api.h"

int service_livez(struct gateway *gw, struct http_request *request);
void service_readyz(struct api_call *call, struct api_reply *reply);
void service_version(struct api_call *call, struct api_reply *reply);
/* Keeps the request open as a stream of server-sent events. */
void service_events(struct api_call *call, struct api_reply *reply);

#endif
