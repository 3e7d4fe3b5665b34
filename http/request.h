/*
 * request.h: builds a struct http_request while it arrives.
 *
 * Head, texts and a short body of known length lie in one allocation; any other body, which
 * takes memory as it comes, and the forms have their own. http thread until the request is handed
 * over.
 */
#ifndef OMNIVOX_HTTP_REQUEST_H
#define OMNIVOX_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/peer.h"
#include "http/route.h"
#include "http/server.h"

#define REQUEST_PAIRS_MAX 256 /* of a query or a form; Twilio sends fewer than 60 */

/* The headers that anybody here reads. Those up to HEADER_RANGE are kept. */
enum request_header {
	HEADER_AUTHORIZATION,
	HEADER_COOKIE,
	HEADER_ORIGIN,
	HEADER_HOST,
	HEADER_SEC_FETCH_SITE,
	HEADER_IDEMPOTENCY_KEY,
	HEADER_LAST_EVENT_ID,
	HEADER_TWILIO_SIGNATURE,
	HEADER_TWILIO_TOKEN,
	HEADER_CONTENT_TYPE,
	HEADER_RANGE,
	HEADER_CONTENT_LENGTH,
	HEADER_TRANSFER_ENCODING,
	HEADER_FORWARDED_FOR,
	HEADER_IF_NONE_MATCH,
	HEADER_COUNT,
};

/* Borrowed texts; NULL when absent, the last one when repeated. */
struct request_head {
	const char *values[HEADER_COUNT];
	size_t lens[HEADER_COUNT];
	bool unclear; /* Content-Length or Transfer-Encoding came twice or distorted */
};

struct request_plan {
	enum http_method method;
	const char *path;
	const char *query; /* without '?'; "" when absent */
	const struct route_match *match;
	const struct request_head *head;
	const struct addr *peer;
	size_t body_max;
	bool spooled; /* the body will be in a file */
};

/* Notes one header line if anybody reads it. `name` is ended. */
void request_head_add(struct request_head *head, const char *name, size_t name_len,
	const char *value, size_t value_len);

/*
 * Whether everybody on the way sees the same end of the body: one length in digits, or chunks
 * alone, or neither (RFC 9112, 6.1 and 6.3).
 */
bool request_head_is_clear(const struct request_head *head);

/* Declared length of the body of a clear head; SIZE_MAX when it comes in chunks. */
size_t request_head_body_len(const struct request_head *head);

/* -EINVAL: a broken or forbidden byte in a path parameter or a header; -ENOMEM. */
int request_new(const struct request_plan *plan, struct http_request **ret_request);

/* Lets the body come into a file below `dir`. What spool_open() fails with. */
int request_spool(struct http_request *request, const char *dir);

/* -E2BIG past body_max; -ENOMEM; what spool_write() fails with. */
int request_add_body(struct http_request *request, const char *data, size_t len);

/* Parses query and form. -EINVAL: a broken escape; -E2BIG: too many pairs; -ENOMEM. */
int request_finish(struct http_request *request);

#endif
