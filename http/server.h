/*
 * server.h: the HTTP server: a route table, whole requests in, whole replies out.
 *
 * One libmicrohttpd thread parses, collects the body, checks what needs no domain knowledge
 * (size, content type, signature by callback) and hands each request to gateway as one struct.
 * Replies come from any thread, by id: a request that is gone drops its reply. Knows no domain.
 */
#ifndef OMNIVOX_HTTP_SERVER_H
#define OMNIVOX_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/form.h"

#define HTTP_PARAMS_MAX 4
#define HTTP_REFUSAL_MAX 512
#define HTTP_ANSWER_MS 30000 /* a request without a reply by then gets 504 */

struct http_server;
struct http_events;

enum http_method {
	HTTP_GET = 1 << 0, /* also answers HEAD */
	HTTP_POST = 1 << 1,
	HTTP_PUT = 1 << 2,
	HTTP_PATCH = 1 << 3,
	HTTP_DELETE = 1 << 4,
};

enum http_route_flag {
	/* Must pass http_config.verify; own admission limit, shed last. */
	HTTP_ROUTE_SIGNED = 1 << 0,
	/* The reply is an event stream of http_config.events once handle() calls attach. */
	HTTP_ROUTE_EVENTS = 1 << 1,
	/*
	 * The body goes to a file in http_config.spool_dir, not to memory, and only once
	 * gateway has agreed, as on every route that takes more than the server's body_max:
	 * handle() gets the head first (awaits_body), answers it with a reply or with
	 * http_proceed(), and then gets the request once more, with body_fd or body.
	 */
	HTTP_ROUTE_SPOOLED = 1 << 2,
	/* Shed as late as signed ones. Only for a route that handle() answers before it returns. */
	HTTP_ROUTE_VITAL = 1 << 3,
};

/*
 * One row of the table. `path` has ":name" segments: "/api/calls/:callId". A literal segment
 * wins over a ":name" at the same place. With `late_ms` > 0 a request that has no reply by
 * then gets `late_body` (200, late_type): TwiML routes never answer 5xx. With a `late_tail` the
 * body goes on with the request's own URL and then with that: the end of the path and the query,
 * relative because a proxy may have cut off the path's beginning, and escaped for XML.
 */
struct http_route {
	unsigned methods; /* bits of enum http_method */
	const char *path;
	unsigned flags;
	/*
	 * Bytes; 0: the server's. Larger bodies get 413. Where it is more than the server's the
	 * head is asked about first, as with HTTP_ROUTE_SPOOLED; such a route is not signed.
	 */
	size_t body_max;
	unsigned late_ms;
	const char *late_type;
	const char *late_body;
	const char *late_tail; /* NULL: late_body is all */
};

/* One whole request; owned by whoever holds the pointer, freed with http_request_free(). */
struct http_request {
	uint64_t id; /* never reused, never 0 */
	enum http_method method;
	size_t route;     /* index into http_config.routes */
	char *path;       /* without the query, undecoded */
	char *query_text; /* as on the wire, without '?'; "" when absent */
	/* Decoded ":name" segments in order of the template: UTF-8 without control characters. */
	char *params[HTTP_PARAMS_MAX];
	/* UTF-8. HTTP_ROUTE_SIGNED: '?' for what is none, after verify(), which sees it as sent. */
	struct form query;
	struct form form; /* the body when it is x-www-form-urlencoded */
	char *body;       /* NUL-terminated; "" when it is in body_fd */
	size_t body_len;
	int body_fd; /* HTTP_ROUTE_SPOOLED: a file of body_len bytes, closed with the request;
			       -1: none. Its offset is anywhere. */
	bool awaits_body;   /* see HTTP_ROUTE_SPOOLED: this is the head alone */
	char *content_type; /* lower case, without parameters; "" when absent */
	struct addr peer;   /* the client, after trusted proxies */
	/* The only headers that pass; "" when absent. */
	char *authorization;
	char *cookie;
	char *origin;
	char *host;
	char *sec_fetch_site;
	char *idempotency_key;
	bool has_idempotency_key; /* even an empty one */
	char *last_event_id;
	char *twilio_signature; /* X-Twilio-Signature */
	char *twilio_token;     /* I-Twilio-Idempotency-Token */
	char *range;            /* Range: http_range_parse() */
};

struct http_header {
	const char *name, *value;
};

struct http_reply {
	int status;
	const char *content_type; /* NULL: application/json */
	const char *body;         /* copied; NULL: none */
	size_t body_len;
	const char *set_cookie; /* NULL: none */
	const char *location;   /* NULL: none */
	int retry_after_s;      /* 0: none */
	/*
	 * NULL: none. Else the body is this file's first body_len bytes; whatever becomes of the
	 * reply, the descriptor is closed.
	 */
	const int *body_fd;
	const struct http_header *headers; /* besides those; copied */
	size_t header_count;
};

/* One answer on its way out, for those who count. */
struct http_answered {
	size_t route; /* row of the table; SIZE_MAX: a file, or refused before a row was found */
	int status;
	bool late; /* late_body, 503 or 504 instead of a reply that did not come in time */
	int64_t took_us; /* since the request began to arrive */
};

struct http_config {
	int listen_fd; /* bound and listening; borrowed, never closed here */
	const struct http_route *routes; /* borrowed for life */
	size_t route_count;
	size_t body_max; /* bytes, unless the route says otherwise */
	/*
	 * At once. Half of them may wait for replies on routes that are not signed, half may be
	 * event streams.
	 */
	unsigned connections;
	/*
	 * Connection time-out. One that comes when three quarters are taken has 5 s until a request
	 * on it is answered well or its body is let in.
	 */
	unsigned idle_s;
	/* Folder of the files for GET outside the table; NULL: none. */
	const char *static_dir;
	const char *spool_dir; /* of HTTP_ROUTE_SPOOLED; NULL when no route has it */
	/* NULL-ended addresses or networks ("10.0.0.0/8"); may be NULL. */
	const char *const *trusted_proxies;
	/*
	 * http thread. Takes the request: answer it once by id, or attach it. What has no answer
	 * after 30 s gets 504 (late_body on such routes); nothing is executed twice by that.
	 * -EAGAIN: not taken, the server answers 503 with Retry-After (late_body on such routes).
	 */
	int (*handle)(void *arg, struct http_request *request);
	/* http thread. For HTTP_ROUTE_SIGNED: 0 or -EACCES. Cheap, no I/O. */
	int (*verify)(void *arg, const struct http_request *request);
	/*
	 * http thread. May write what the server itself refuses (404, 405, 413, ...) in words of
	 * its own: fills body and content type, whose memory is `text` (HTTP_REFUSAL_MAX) or
	 * static, and returns true. NULL: the server's words.
	 */
	bool (*refused)(
		void *arg, const char *path, char *text, struct http_reply *reply);
	/* http thread. Once for every answer; may be NULL. */
	void (*answered)(void *arg, const struct http_answered *answered);
	struct http_events *events; /* NULL: none. Outlives the server. */
	void *arg;
};

/*
 * Starts the threads. Copies the config struct. -EINVAL or -EEXIST for a bad route table or a
 * proxy that is no address; -ENOENT and the like for static_dir.
 */
int http_server_new(const struct http_config *config, struct http_server **ret_server);

/*
 * Stops accepting, waits at most a second for replies under way, gives 503 to the rest, ends
 * the streams and the threads. Other threads' replies count meanwhile; none once it returns.
 */
void http_server_free(struct http_server **server);

/* Any thread. Copies everything. A request that is gone, or answered before, drops it. */
void http_reply(
	struct http_server *server, uint64_t request_id, const struct http_reply *reply);

/*
 * Any thread. Takes a request with awaits_body and lets its body come. One that is gone, or
 * answered before, is freed.
 */
void http_proceed(struct http_server *server, struct http_request **request);

void http_request_free(struct http_request **request);

/* Value of one cookie into buf; -ENOENT when absent, -ENAMETOOLONG. */
int http_cookie(
	const struct http_request *request, const char *name, char *buf, size_t size);

/*
 * The part of a body of `size` bytes that a Range header asks for (RFC 9110, 14.1.2; one range
 * only). 0; -ENOENT: none, or one to be ignored: send all; -ERANGE: beyond the end: 416.
 */
int http_range_parse(const char *range, size_t size, size_t *ret_first, size_t *ret_len);

/* Binds and listens; the supervisor's job. Port 0 takes a free one. */
int http_listen(const struct addr *addr, int *ret_fd, struct addr *ret_addr);

#endif
