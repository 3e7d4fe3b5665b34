/* scripted_server.c: one thread accepts, one thread for each connection plays its steps. */
#include "config.h"
#include "unit/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define WAIT_S 10

struct connection {
	struct scripted_server *server;
	pthread_t thread;
	int number, fd;
};

struct scripted_server {
	int fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct step steps[SERVER_STEPS_MAX];
	size_t step_count, seen_count, closed_count, connection_count;
	struct seen seen[SERVER_STEPS_MAX];
	struct connection connections[CONNECTIONS_MAX];
	bool stopping;
};

static bool is_stopping(struct scripted_server *s)
{
	bool stopping;

	(void)pthread_mutex_lock(&s->lock);
	stopping = s->stopping;
	(void)pthread_mutex_unlock(&s->lock);
	return stopping;
}

/* Reads until `stop` says so, the client leaves or the test ends. False when it has ended. */
static bool wait_readable(struct scripted_server *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!is_stopping(s))
		if (poll(&p, 1, 20) > 0)
			return true;
	return false;
}

static bool read_request(struct connection *c, struct seen *seen)
{
	char data[8192];
	size_t len = 0, want = 0;
	const char *end = NULL, *length;

	memset(seen, 0, sizeof(*seen));
	seen->connection = c->number;
	while (end == NULL || len < want) {
		ssize_t n;

		if (!wait_readable(c->server, c->fd))
			return false;
		n = recv(c->fd, data + len, sizeof(data) - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		data[len] = '\0';
		end = strstr(data, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(data, "\r\nContent-Length:");
		want = (size_t)(end - data) + 4;
		if (length != NULL && length < end)
			want += strtoul(length + 17, NULL, 10);
	}
	(void)snprintf(seen->head, sizeof(seen->head), "%.*s", (int)(end - data), data);
	(void)snprintf(seen->body, sizeof(seen->body), "%s", end + 4);
	return true;
}

static void send_text(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void send_answer(int fd, const struct step *step, size_t extra)
{
	char out[16384];
	const char *body = step->body != NULL ? step->body : "";

	(void)snprintf(out, sizeof(out),
		"HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		step->status, step->headers != NULL ? step->headers : "",
		strlen(body) + extra, body);
	send_text(fd, out);
}

/* Whether the connection stays open. */
static bool play(struct connection *c, const struct step *step)
{
	struct linger abort_close = {.l_onoff = 1, .l_linger = 0};
	struct timespec delay = {.tv_sec = step->delay_ms / 1000,
		.tv_nsec = (long)(step->delay_ms % 1000) * 1000000L};

	(void)nanosleep(&delay, NULL);
	switch (step->kind) {
	case STEP_ANSWER:
		send_answer(c->fd, step, 0);
		return true;
	case STEP_ANSWER_CLOSE:
		send_answer(c->fd, step, 0);
		return false;
	case STEP_STALL:
		(void)wait_readable(c->server, c->fd);
		return false;
	case STEP_RESET:
		(void)setsockopt(
			c->fd, SOL_SOCKET, SO_LINGER, &abort_close, sizeof(abort_close));
		return false;
	case STEP_HALF:
		send_answer(c->fd, step, 100);
		return false;
	case STEP_NOISE:
		send_text(c->fd, "SSH-2.0-nonsense\r\n\r\n");
		return false;
	case STEP_CLOSE:
		return false;
	}
	return false;
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct scripted_server *s = c->server;
	bool open = true;

	while (open) {
		static const struct step nothing_left = {
			.kind = STEP_ANSWER, .status = 599};
		struct step step = nothing_left;
		struct seen seen;

		if (!read_request(c, &seen))
			break;
		(void)pthread_mutex_lock(&s->lock);
		if (s->seen_count < s->step_count)
			step = s->steps[s->seen_count];
		if (s->seen_count < SERVER_STEPS_MAX)
			s->seen[s->seen_count++] = seen;
		(void)pthread_cond_broadcast(&s->changed);
		(void)pthread_mutex_unlock(&s->lock);
		open = play(c, &step);
	}
	(void)close(c->fd);
	(void)pthread_mutex_lock(&s->lock);
	s->closed_count++;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void *run_accept(void *arg)
{
	struct scripted_server *s = arg;

	while (wait_readable(s, s->fd) && s->connection_count < CONNECTIONS_MAX) {
		struct connection *c = &s->connections[s->connection_count];

		c->server = s;
		c->number = (int)s->connection_count;
		c->fd = accept(s->fd, NULL, NULL);
		if (c->fd < 0)
			continue;
		if (pthread_create(&c->thread, NULL, serve, c) != 0)
			abort();
		s->connection_count++;
	}
	return NULL;
}

struct scripted_server *server_start(const struct step *steps, size_t count)
{
	struct scripted_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	if (s == NULL || count > SERVER_STEPS_MAX)
		abort();
	if (count > 0)
		memcpy(s->steps, steps, count * sizeof(*steps));
	s->step_count = count;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
		listen(s->fd, 16) != 0 ||
		getsockname(s->fd, (struct sockaddr *)&sin, &len) != 0 ||
		pthread_create(&s->thread, NULL, run_accept, s) != 0)
		abort();
	s->port = ntohs(sin.sin_port);
	return s;
}

void server_stop(struct scripted_server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->stopping = true;
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	for (size_t i = 0; i < s->connection_count; i++)
		(void)pthread_join(s->connections[i].thread, NULL);
	(void)close(s->fd);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

uint16_t server_port(const struct scripted_server *s)
{
	return s->port;
}

size_t server_seen_count(struct scripted_server *s)
{
	size_t count;

	(void)pthread_mutex_lock(&s->lock);
	count = s->seen_count;
	(void)pthread_mutex_unlock(&s->lock);
	return count;
}

const struct seen *server_seen(struct scripted_server *s, size_t i)
{
	return i < server_seen_count(s) ? &s->seen[i] : NULL;
}

static int wait_count(struct scripted_server *s, const size_t *count, size_t want)
{
	struct timespec deadline;
	int err = 0;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	(void)pthread_mutex_lock(&s->lock);
	while (*count < want && err == 0)
		err = pthread_cond_timedwait(&s->changed, &s->lock, &deadline);
	(void)pthread_mutex_unlock(&s->lock);
	return err == 0 ? 0 : -1;
}

int server_wait_seen(struct scripted_server *s, size_t count)
{
	return wait_count(s, &s->seen_count, count);
}

int server_wait_closed(struct scripted_server *s, size_t count)
{
	return wait_count(s, &s->closed_count, count);
}
