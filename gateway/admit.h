/*
 * admit.h: who asks, and may they? Signed in or with a key, not too often, in the right role,
 * and (agents) about what is theirs.
 */
#ifndef OMNIVOX_GATEWAY_ADMIT_H
#define OMNIVOX_GATEWAY_ADMIT_H

#include "gateway/api.h"
#include "gateway/routes.h"

/* Database worker. Fills in who calls. 0, or -EACCES and the reply says why not. */
int admit(struct api_call *call, const struct api_route *route, struct api_reply *reply);

/* http thread, before anything is queued: 0, or -EACCES with a reply for an address that asks
 * too often. */
int admit_address(struct gateway *gw, const struct http_request *request,
	const struct api_route *route, struct api_reply *reply);

#endif
