/* http_double.h: a running server with a gateway that echoes, holds, refuses or attaches. */
#ifndef OMNIVOX_TESTS_HTTP_DOUBLE_H
#define OMNIVOX_TESTS_HTTP_DOUBLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/events.h"
#include "http/server.h"

#define DOUBLE_HELD_MAX 64
#define DOUBLE_CONNECTIONS 48
#define DOUBLE_SPOOL_MAX (1024 * 1024)
#define DOUBLE_LATE "<Response><Redirect>"
#define DOUBLE_LATE_TAIL "#rc=3&amp;rt=4</Redirect></Response>"

struct http_double {
	struct http_server *server;
	struct http_events *events;
	int listen_fd;
	uint16_t port;
	char static_dir[64];   /* "": none */
	unsigned idle_s;       /* 0: 2; for the next start */
	const char *spool_dir; /* NULL: /tmp; for the next start */
	pthread_mutex_t lock;
	pthread_cond_t held_more;
	uint64_t held[DOUBLE_HELD_MAX]; /* ids of requests on /hold routes */
	size_t held_count;
};

/* Starts the server over listen_fd, which it makes when it is -1. */
void http_double_start(struct http_double *d);
void http_double_stop(struct http_double *d);

void http_double_open(struct http_double *d, bool with_static);
void http_double_close(struct http_double *d);

/* Waits until `count` requests were held in all; returns the id of the last of them. */
uint64_t http_double_await_held(struct http_double *d, size_t count);

/* Replies 200 with this body. */
void http_double_reply(struct http_double *d, uint64_t id, const char *body);

#endif
