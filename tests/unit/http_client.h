/* http_client.h: a plain HTTP/1.1 client for tests: raw bytes out, one reply in. */
#ifndef OMNIVOX_TESTS_HTTP_CLIENT_H
#define OMNIVOX_TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_DEADLINE_MS 5000

struct client {
	int fd;
	char *buf; /* bytes that have come and were not read yet */
	size_t len;
	size_t cap;
};

struct client_reply {
	int status; /* 0: the connection ended without one */
	char head[8192];
	char body[65536];
	size_t body_len;
};

void client_open(struct client *client, uint16_t port);
void client_close(struct client *client);
void client_send(struct client *client, const char *data, size_t len);

/* printf of a whole request, or a part of one. */
void client_printf(struct client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads one reply. `head_only`: the request was HEAD. False when none came in time. */
bool client_read(struct client *client, struct client_reply *reply, bool head_only);

/* Sends one request without a body and reads its reply. */
void client_get(uint16_t port, const char *target, struct client_reply *reply);

/* Whether the reply has this header with this value. */
bool client_has(const struct client_reply *reply, const char *name, const char *value);

/* Reads until the bytes contain `text`; the bytes up to its end are consumed. */
bool client_await(struct client *client, const char *text, int deadline_ms);

/* Waits for more bytes. False when none came in time, or none will. */
bool client_more(struct client *client);

/* Whether the other side has closed, or does within the deadline. */
bool client_ended(struct client *client);

#endif
