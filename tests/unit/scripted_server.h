/*
 * scripted_server.h: an HTTP/1.1 server on loopback that answers as a test tells it, well or
 * badly, and remembers what it was asked. Its steps are used up in the order of requests.
 */
#ifndef OMNIVOX_TESTS_SCRIPTED_SERVER_H
#define OMNIVOX_TESTS_SCRIPTED_SERVER_H

#include <stddef.h>
#include <stdint.h>

#define SERVER_STEPS_MAX 64

struct scripted_server;

enum step_kind {
	STEP_ANSWER,       /* status, headers, body; the connection stays */
	STEP_ANSWER_CLOSE, /* the same, then closes without having announced it */
	STEP_CLOSE,        /* reads the request, closes without an answer */
	STEP_RESET,        /* the same with a TCP reset */
	STEP_STALL,        /* reads the request, says nothing until the client leaves */
	STEP_HALF,         /* announces more body than it sends, closes */
	STEP_NOISE,        /* not HTTP */
};

struct step {
	enum step_kind kind;
	int status;
	const char *headers; /* each with CRLF; NULL: none */
	const char *body;
	unsigned delay_ms;
};

struct seen {
	int connection; /* 0, 1, ... in the order of accept */
	char head[2048];
	char body[4096];
};

struct scripted_server *server_start(const struct step *steps, size_t count);
void server_stop(struct scripted_server *server);
uint16_t server_port(const struct scripted_server *server);

/* How many requests were read whole. */
size_t server_seen_count(struct scripted_server *server);
const struct seen *server_seen(struct scripted_server *server, size_t i);

/* Waits until that many requests were read, or connections closed; 0, or -1 after 10 s. */
int server_wait_seen(struct scripted_server *server, size_t count);
int server_wait_closed(struct scripted_server *server, size_t count);

#endif
