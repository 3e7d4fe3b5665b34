/* server.c: the daemon's life: options, the clock thread, stopping in the right order. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/exchange.h"
#include "http/feeds.h"
#include "http/stream.h"

/*
 * One connection's buffers: the longest head (EXCHANGE_HEAD_MAX), what it is parsed into, and
 * the answer's head. libmicrohttpd clears all of it after each request, so it is not larger.
 */
#define CONNECTION_MEMORY (20 * 1024)
#define STOP_GRACE_MS 1000 /* for replies under way */
#define STOP_DRAIN_MS 200  /* for their last bytes */

struct http_server {
	struct exchange_rules rules;
	struct MHD_Daemon *daemon;
	struct feeds *feeds;
	struct MHD_Response *empty; /* what every webhook is answered with: made once */
	int listen_fd;              /* our own copy */
	pthread_t clock;
	bool clock_runs;
};

static void *run_clock(void *arg)
{
	struct http_server *server = arg;
	struct http_events *events = server->rules.config.events;
	int64_t beat_ms;

	do {
		beat_ms = events == NULL ? INT64_MAX
					 : stream_beat_all(events, clock_mono_ms());
	} while (waiting_run_clock(server->rules.waiting, beat_ms));
	return NULL;
}

/* Paths and queries stay as they were sent: signatures are over those bytes. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static int start_daemon(struct http_server *server)
{
	struct exchange_rules *rules = &server->rules;

	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO,
		0, NULL, NULL, exchange_step, rules, MHD_OPTION_LISTEN_SOCKET,
		server->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_open, rules,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_close, rules,
		MHD_OPTION_NOTIFY_CONNECTION, exchange_greet, rules,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_CONNECTION_LIMIT, rules->config.connections,
		MHD_OPTION_CONNECTION_TIMEOUT, rules->config.idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	return server->daemon == NULL ? -EIO : 0;
}

static int open_parts(struct http_server *server)
{
	struct exchange_rules *rules = &server->rules;
	const struct http_config *config = &rules->config;
	/* Half of the places are for signed requests alone: those are shed last. */
	size_t open_places = config->connections > 1 ? config->connections / 2 : 1;
	int err;

	err = route_table_new(config->routes, config->route_count, &rules->routes);
	if (err == 0)
		err = peer_trust_new(config->trusted_proxies, &rules->trust);
	if (err == 0)
		err = waiting_new(
			config->connections, open_places, exchange_late, &rules->waiting);
	if (err == 0)
		err = feeds_new(&server->feeds);
	if (err == 0)
		err = reply_empty(&server->empty);
	if (err != 0)
		return err;
	if (config->static_dir != NULL) {
		rules->static_fd =
			open(config->static_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (rules->static_fd < 0)
			return -errno;
	}
	server->listen_fd = fcntl(config->listen_fd, F_DUPFD_CLOEXEC, 0);
	return server->listen_fd < 0 ? -errno : 0;
}

int http_server_new(const struct http_config *config, struct http_server **ret_server)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int err;

	if (server == NULL)
		return -ENOMEM;
	assert(config->handle != NULL && config->connections > 0);
	server->rules.config = *config;
	server->rules.static_fd = -1;
	server->listen_fd = -1;
	err = open_parts(server);
	if (err != 0)
		goto out;
	if (config->events != NULL)
		stream_allow(config->events);
	err = -pthread_create(&server->clock, NULL, run_clock, server);
	if (err != 0)
		goto out;
	server->clock_runs = true;
	*ret_server = server; /* the first request may be handled before we return */
	err = start_daemon(server);
	if (err != 0) {
		*ret_server = NULL;
		goto out;
	}
	server = NULL;
out:
	http_server_free(&server);
	return err;
}

/*
 * libmicrohttpd may not be stopped while a connection is suspended. So: nobody new, an answer
 * for whoever waits, an end for every stream; from then on nothing suspends any more.
 */
static void stop_daemon(struct http_server *server)
{
	struct exchange_rules *rules = &server->rules;

	if (server->daemon != NULL)
		(void)MHD_quiesce_daemon(server->daemon);
	waiting_close(rules->waiting, STOP_GRACE_MS);
	if (rules->config.events != NULL)
		stream_stop_all(rules->config.events);
	if (server->feeds != NULL)
		feeds_stop(server->feeds);
	waiting_drain(rules->waiting, STOP_DRAIN_MS);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
}

void http_server_free(struct http_server **held)
{
	struct http_server *server = *held;

	if (server == NULL)
		return;
	if (server->rules.waiting != NULL)
		stop_daemon(server);
	if (server->clock_runs)
		(void)pthread_join(server->clock, NULL);
	if (server->listen_fd >= 0)
		(void)close(server->listen_fd);
	if (server->rules.static_fd >= 0)
		(void)close(server->rules.static_fd);
	if (server->empty != NULL)
		MHD_destroy_response(server->empty);
	waiting_free(&server->rules.waiting);
	feeds_free(&server->feeds);
	peer_trust_free(&server->rules.trust);
	route_table_free(&server->rules.routes);
	free(server);
	*held = NULL;
}

void http_reply(
	struct http_server *server, uint64_t request_id, const struct http_reply *reply)
{
	struct answer answer = {
		.status = reply->status, .response = server->empty, .shared = true};

	/* Without memory for the reply its deadline answers instead. */
	if (reply_is_empty(reply) || reply_make(reply, &answer) == 0)
		waiting_answer(server->rules.waiting, request_id, answer);
}

void http_proceed(struct http_server *server, struct http_request **request)
{
	struct answer answer = {.proceed = *request};

	assert((*request)->awaits_body);
	*request = NULL;
	waiting_answer(server->rules.waiting, answer.proceed->id, answer);
}

int http_events_attach(struct http_server *server, uint64_t request_id,
	const struct http_listener *listener, const char *last_event_id)
{
	struct http_events *events = server->rules.config.events;
	size_t max = server->rules.config.connections / 2;
	struct answer answer = {0};
	int err;

	assert(events != NULL);
	err = stream_new(events, max, listener, last_event_id, &answer);
	if (err == 0)
		waiting_answer(server->rules.waiting, request_id, answer);
	return err;
}

int http_feed_open(struct http_server *server, uint64_t request_id,
	const struct http_feed_config *config, struct http_feed **ret_feed)
{
	struct answer answer = {0};
	int err = feed_answer(server->feeds, config, ret_feed, &answer);

	if (err == 0)
		waiting_answer(server->rules.waiting, request_id, answer);
	return err;
}
