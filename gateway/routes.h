/*
 * routes.h: every address of the program: who may call it and what answers. Read-only; any thread.
 */
#ifndef OMNIVOX_GATEWAY_ROUTES_H
#define OMNIVOX_GATEWAY_ROUTES_H

#include "gateway/api.h"

struct api_route {
	struct http_route http;
	unsigned roles; /* bits of enum api_role; API_ANYBODY: no sign-in */
	bool raw;       /* the handler reads the body itself */
	bool once;      /* takes an Idempotency-Key */
	bool person;    /* not for API keys */
	bool reads;     /* changes nothing though it is no GET: not in the audit log */
	bool slow;      /* may take many seconds: on workers of its own */
	void (*handle)(struct api_call *call, struct api_reply *reply);
	/* Instead: answered on the http thread's side of things. Takes the request. */
	int (*direct)(struct gateway *gw, struct http_request *request);
};

/* The row that a request matched. */
const struct api_route *api_route(const struct http_request *request);

/* The HTTP server's table, in the same order. Static storage. */
const struct http_route *api_routes(size_t *ret_count);

#endif
