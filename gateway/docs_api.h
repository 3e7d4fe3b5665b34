/* docs_api.h: the routes that show the contract of the API. For anybody; http thread. */
#ifndef OMNIVOX_GATEWAY_DOCS_API_H
#define OMNIVOX_GATEWAY_DOCS_API_H

#include "gateway/gateway.h"

struct http_request;

int docs_html(struct gateway *gw, struct http_request *request);
int docs_css(struct gateway *gw, struct http_request *request);
int docs_yaml(struct gateway *gw, struct http_request *request);
int docs_json(struct gateway *gw, struct http_request *request);

#endif
