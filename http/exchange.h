/*
 * exchange.h: one request and its reply, as libmicrohttpd's callbacks drive it. http thread.
 */
#ifndef OMNIVOX_HTTP_EXCHANGE_H
#define OMNIVOX_HTTP_EXCHANGE_H

#include <microhttpd.h>

#include "http/peer.h"
#include "http/route.h"
#include "http/server.h"
#include "http/waiting.h"

#define EXCHANGE_URI_MAX 4096        /* bytes; more is 414 */
#define EXCHANGE_HEAD_MAX (8 * 1024) /* bytes of request line and headers; more is 431 */
#define EXCHANGE_DRAIN_MAX \
	(256 * 1024) /* bytes of a refused body read to keep the line open */

/* What every exchange of one server reads; set before the first, never changed. */
struct exchange_rules {
	struct http_config config;
	struct route_table *routes;
	struct peer_trust *trust;
	struct waiting *waiting;
	int static_fd; /* -1: none */
};

/* libmicrohttpd's callbacks; `arg` is the struct exchange_rules. */
void exchange_greet(void *arg, struct MHD_Connection *connection, void **held,
	enum MHD_ConnectionNotificationCode code);
void *exchange_open(void *arg, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *arg, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version, const char *data,
	size_t *data_len, void **exchange);
void exchange_close(void *arg, struct MHD_Connection *connection, void **exchange,
	enum MHD_RequestTerminationCode why);

/* waiting_late_cb: the route's late body, 504 when it has none, 503 when closing. */
int exchange_late(const struct wait *wait, bool closing, struct answer *ret_answer);

#endif
