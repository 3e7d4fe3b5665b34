/* http_client.c: sockets with a deadline on every read; a failure to send is not an error. */
#include "unit/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

void client_open(struct client *client, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	memset(client, 0, sizeof(*client));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(client->fd >= 0);
	assert(connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}

void client_close(struct client *client)
{
	(void)close(client->fd);
	free(client->buf);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

void client_send(struct client *client, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(client->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the server may have closed: the reply tells */
		data += n;
		len -= (size_t)n;
	}
}

void client_printf(struct client *client, const char *fmt, ...)
{
	char text[16384];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof(text));
	client_send(client, text, (size_t)len);
}

/* Waits for more bytes. 1, 0 at the end of the connection, -1 when the time is over. */
static int read_more(struct client *client, int64_t until_ms)
{
	struct pollfd pfd = {.fd = client->fd, .events = POLLIN};
	int64_t left = until_ms - clock_mono_ms();
	ssize_t n;

	if (client->cap - client->len < 4096) {
		client->cap = client->cap * 2 + 8192;
		client->buf = realloc(client->buf, client->cap);
		assert(client->buf != NULL);
	}
	if (left < 0 || poll(&pfd, 1, (int)left) <= 0)
		return -1;
	n = recv(client->fd, client->buf + client->len, client->cap - client->len - 1, 0);
	if (n <= 0)
		return 0;
	client->len += (size_t)n;
	client->buf[client->len] = '\0';
	return 1;
}

static void consume(struct client *client, size_t len)
{
	client->len -= len;
	memmove(client->buf, client->buf + len, client->len);
	client->buf[client->len] = '\0';
}

bool client_has(const struct client_reply *reply, const char *name, const char *value)
{
	const char *line = reply->head;
	size_t len = strlen(name);

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " ");
		return strncmp(line, value, strlen(value)) == 0 &&
		       line[strlen(value)] == '\r';
	}
	return false;
}

static size_t content_length(const struct client_reply *reply)
{
	const char *at = strcasestr(reply->head, "\r\nContent-Length:");

	return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

bool client_read(struct client *client, struct client_reply *reply, bool head_only)
{
	int64_t until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	char *end = NULL;
	size_t head_len;

	memset(reply, 0, sizeof(*reply));
	while (client->len == 0 || (end = strstr(client->buf, "\r\n\r\n")) == NULL)
		if (read_more(client, until_ms) <= 0)
			return false;
	head_len = (size_t)(end - client->buf) + 4;
	assert(head_len < sizeof(reply->head));
	memcpy(reply->head, client->buf, head_len);
	consume(client, head_len);
	reply->status = atoi(reply->head + strlen("HTTP/1.1 "));
	if (head_only || reply->status == 304)
		return true;
	reply->body_len = content_length(reply);
	assert(reply->body_len < sizeof(reply->body));
	while (client->len < reply->body_len)
		if (read_more(client, until_ms) <= 0)
			return false;
	memcpy(reply->body, client->buf, reply->body_len);
	consume(client, reply->body_len);
	return true;
}

void client_get(uint16_t port, const char *target, struct client_reply *reply)
{
	struct client client;

	client_open(&client, port);
	client_printf(&client, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", target);
	(void)client_read(&client, reply, false);
	client_close(&client);
}

bool client_await(struct client *client, const char *text, int deadline_ms)
{
	int64_t until_ms = clock_mono_ms() + deadline_ms;
	char *at = NULL;

	while (client->len == 0 || (at = strstr(client->buf, text)) == NULL)
		if (read_more(client, until_ms) <= 0)
			return false;
	consume(client, (size_t)(at - client->buf) + strlen(text));
	return true;
}

bool client_more(struct client *client)
{
	return read_more(client, clock_mono_ms() + CLIENT_DEADLINE_MS) > 0;
}

bool client_ended(struct client *client)
{
	int64_t until_ms = clock_mono_ms() + CLIENT_DEADLINE_MS;
	int more;

	while ((more = read_more(client, until_ms)) > 0)
		;
	return more == 0;
}
