/*
 * reply.h: makes libmicrohttpd responses: what gateway replies, and what the server itself
 * refuses, all with the same security headers. Any thread.
 */
#ifndef OMNIVOX_HTTP_REPLY_H
#define OMNIVOX_HTTP_REPLY_H

#include <microhttpd.h>

#include "http/server.h"

struct http_feed;
struct stream;

/* A reply on its way. Owns the response, unless that is shared. */
struct answer {
	int status;
	struct MHD_Response *response;
	bool shared;           /* by many answers: it must not be changed */
	bool late;             /* it stands for a reply that did not come */
	struct stream *stream; /* the response is this stream; NULL: it is not one */
	struct http_request *proceed; /* owned; no response yet: the body may come */
	struct http_feed *feed;       /* or: the response is this feed */
};

enum refusal {
	REFUSE_NOTHING,
	REFUSE_BROKEN,
	REFUSE_UNCLEAR_BODY, /* the connection ends with it */
	REFUSE_SIGNATURE,
	REFUSE_UNKNOWN_PATH,
	REFUSE_METHOD,
	REFUSE_LONG_BODY,
	REFUSE_LONG_URI,
	REFUSE_LONG_HEAD,
	REFUSE_NO_SPACE,
	REFUSE_NO_SPOOL,
	REFUSE_FAULT,
	REFUSE_BUSY,
	REFUSE_NO_ANSWER,
	REFUSE_COUNT,
};

/* All: -ENOMEM. */
int reply_make(const struct http_reply *reply, struct answer *ret_answer);
int reply_empty(struct MHD_Response **ret_response);
int reply_refuse(enum refusal why, unsigned allowed, struct answer *ret_answer);
int reply_late(const struct http_route *route, const char *path, const char *query,
	struct answer *ret_answer);

/* Whether the reply is nothing but a status, so that all of its kind can share one response. */
bool reply_is_empty(const struct http_reply *reply);

/* Adds one header; a NULL value is left out. */
int reply_header(struct MHD_Response *response, const char *name, const char *value);

/* The headers that every response carries, whoever made it. */
int reply_secure(struct MHD_Response *response);

/* Lets the response go. Harmless on an empty answer. */
void answer_drop(struct answer *answer);

#endif
