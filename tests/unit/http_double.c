/* http_double.c: routes of every kind, and what the double does with a request on each. */
#include "unit/http_double.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	ROUTE_ECHO,
	ROUTE_SMALL,
	ROUTE_SIGNED,
	ROUTE_SIGNED_HOLD,
	ROUTE_TWIML,
	ROUTE_TWIML_BUSY,
	ROUTE_HOLD,
	ROUTE_BUSY,
	ROUTE_EVENTS,
	ROUTE_VITAL,
	ROUTE_EMPTY,
	ROUTE_SPOOL,
	ROUTE_SPOOL_HOLD,
	ROUTE_LARGE
};

static const struct http_route routes[] = {
	[ROUTE_ECHO] = {.methods = HTTP_GET | HTTP_POST, .path = "/echo/:a/:b"},
	[ROUTE_SMALL] = {.methods = HTTP_POST, .path = "/small", .body_max = 10},
	[ROUTE_SIGNED] = {.methods = HTTP_POST,
		.path = "/signed",
		.flags = HTTP_ROUTE_SIGNED},
	[ROUTE_SIGNED_HOLD] = {.methods = HTTP_POST,
		.path = "/signed/hold",
		.flags = HTTP_ROUTE_SIGNED},
	[ROUTE_TWIML] = {.methods = HTTP_GET | HTTP_POST,
		.path = "/twiml",
		.flags = HTTP_ROUTE_SIGNED,
		.late_ms = 100,
		.late_type = "text/xml",
		.late_body = DOUBLE_LATE,
		.late_tail = DOUBLE_LATE_TAIL},
	[ROUTE_TWIML_BUSY] = {.methods = HTTP_GET,
		.path = "/twiml/busy",
		.flags = HTTP_ROUTE_SIGNED,
		.late_ms = 60000,
		.late_type = "text/xml",
		.late_body = DOUBLE_LATE,
		.late_tail = DOUBLE_LATE_TAIL},
	[ROUTE_HOLD] = {.methods = HTTP_GET | HTTP_POST, .path = "/hold"},
	[ROUTE_BUSY] = {.methods = HTTP_GET, .path = "/busy"},
	[ROUTE_EVENTS] = {.methods = HTTP_GET,
		.path = "/events",
		.flags = HTTP_ROUTE_EVENTS},
	[ROUTE_VITAL] = {.methods = HTTP_GET,
		.path = "/vital",
		.flags = HTTP_ROUTE_VITAL},
	[ROUTE_SPOOL] = {.methods = HTTP_POST,
		.path = "/spool",
		.flags = HTTP_ROUTE_SPOOLED,
		.body_max = DOUBLE_SPOOL_MAX},
	[ROUTE_SPOOL_HOLD] = {.methods = HTTP_POST,
		.path = "/spool/hold",
		.flags = HTTP_ROUTE_SPOOLED,
		.body_max = DOUBLE_SPOOL_MAX},
	[ROUTE_EMPTY] = {.methods = HTTP_POST, .path = "/empty"},
	[ROUTE_LARGE] = {.methods = HTTP_POST,
		.path = "/large",
		.body_max = DOUBLE_SPOOL_MAX},
};

static void add_form(struct buf *b, const char *title, const struct form *form)
{
	for (size_t i = 0; i < form->count; i++)
		buf_printf(b, "%s %s=%s\n", title, form->pairs[i].name,
			form->pairs[i].value);
}

static void echo(struct http_double *d, const struct http_request *r)
{
	char peer[ADDR_TEXT_SIZE];
	struct buf b = {0};

	buf_printf(&b, "path %s\nquery %s\n", r->path, r->query_text);
	for (size_t i = 0; i < HTTP_PARAMS_MAX && r->params[i] != NULL; i++)
		buf_printf(&b, "param %s\n", r->params[i]);
	add_form(&b, "query", &r->query);
	add_form(&b, "form", &r->form);
	buf_printf(&b, "type %s\nbody %zu %s\n", r->content_type, r->body_len, r->body);
	buf_printf(&b, "peer %s\n", addr_host(&r->peer, peer));
	buf_printf(&b, "host %s\norigin %s\ncookie %s\nauth %s\n", r->host, r->origin,
		r->cookie, r->authorization);
	buf_printf(&b, "site %s\nkey %s\nlast %s\ntoken %s\n", r->sec_fetch_site,
		r->idempotency_key, r->last_event_id, r->twilio_token);
	assert(b.failed == 0);
	http_reply(d->server, r->id,
		&(struct http_reply){.status = 201,
			.content_type = "text/plain",
			.body = b.data,
			.body_len = b.len,
			.set_cookie = "a=b; HttpOnly",
			.location = "/there",
			.retry_after_s = 7});
	buf_free(&b);
}

static void hold(struct http_double *d, uint64_t id)
{
	(void)pthread_mutex_lock(&d->lock);
	assert(d->held_count < DOUBLE_HELD_MAX);
	d->held[d->held_count++] = id;
	(void)pthread_cond_broadcast(&d->held_more);
	(void)pthread_mutex_unlock(&d->lock);
}

struct late_word {
	struct http_server *server;
	struct http_request *request;
};

static void *late_word(void *arg)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	struct late_word *word = arg;

	(void)nanosleep(&pause, NULL);
	http_proceed(word->server, &word->request);
	free(word);
	return NULL;
}

/* From a thread of its own, as gateway does. */
static void proceed_later(struct http_double *d, struct http_request **request)
{
	struct late_word *word = malloc(sizeof(*word));
	pthread_t thread;

	*word = (struct late_word){d->server, *request};
	*request = NULL;
	assert(pthread_create(&thread, NULL, late_word, word) == 0);
	(void)pthread_detach(thread);
}

/* Lets the body come unless the cookie is "no"; sends it back from wherever it is. */
static void take_if_allowed(struct http_double *d, struct http_request **request)
{
	struct http_request *r = *request;
	int fd;

	if (r->awaits_body && strcmp(r->cookie, "no") == 0) {
		http_reply(d->server, r->id,
			&(struct http_reply){.status = 401, .body = "no", .body_len = 2});
		return;
	}
	if (r->awaits_body && strcmp(r->cookie, "late") == 0) {
		proceed_later(d, request);
		return;
	}
	if (r->awaits_body) {
		http_proceed(d->server, request);
		return;
	}
	if (r->body_fd < 0) {
		http_reply(d->server, r->id,
			&(struct http_reply){.status = 200,
				.content_type = "text/plain",
				.body = r->body,
				.body_len = r->body_len});
		return;
	}
	fd = dup(r->body_fd);
	http_reply(d->server, r->id,
		&(struct http_reply){.status = 200,
			.content_type = "text/plain",
			.body_fd = &fd,
			.body_len = r->body_len});
}

static int handle(void *arg, struct http_request *request)
{
	struct http_double *d = arg;

	switch (request->route) {
	case ROUTE_ECHO:
	case ROUTE_SMALL:
	case ROUTE_SIGNED:
	case ROUTE_VITAL:
		echo(d, request);
		break;
	case ROUTE_BUSY:
	case ROUTE_TWIML_BUSY:
		return -EAGAIN;
	case ROUTE_EVENTS:
		/* The query is the listener's id, its owner and its grant. */
		if (http_events_attach(d->server, request->id,
			    &(struct http_listener){.hears = atoi(request->query_text),
				    .owner = atoi(request->query_text),
				    .grant = atoi(request->query_text)},
			    request->last_event_id) < 0)
			http_reply(d->server, request->id,
				&(struct http_reply){.status = 503});
		break;
	case ROUTE_SPOOL:
	case ROUTE_LARGE:
		take_if_allowed(d, &request);
		break;
	case ROUTE_EMPTY:
		http_reply(d->server, request->id, &(struct http_reply){.status = 204});
		break;
	default:
		hold(d, request->id);
		break;
	}
	http_request_free(&request);
	return 0;
}

static int verify(void *arg, const struct http_request *request)
{
	(void)arg;
	return strcmp(request->twilio_signature, "good") == 0 ? 0 : -EACCES;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert(file != NULL);
	(void)fputs(text, file);
	(void)fclose(file);
}

static void make_static(struct http_double *d)
{
	char path[128];

	strcpy(d->static_dir, "/tmp/ovx-static-XXXXXX");
	assert(mkdtemp(d->static_dir) != NULL);
	write_file(d->static_dir, "index.html", "<p>console</p>");
	write_file(d->static_dir, ".secret", "no");
	(void)snprintf(path, sizeof(path), "%s/assets", d->static_dir);
	assert(mkdir(path, 0755) == 0);
	write_file(d->static_dir, "assets/app-1a2b.js", "run()");
	(void)snprintf(path, sizeof(path), "%s/link.html", d->static_dir);
	assert(symlink("/etc/passwd", path) == 0);
	(void)snprintf(path, sizeof(path), "%s/out", d->static_dir);
	assert(symlink("/etc", path) == 0);
}

static void remove_static(const struct http_double *d)
{
	static const char *const names[] = {
		"index.html", ".secret", "assets/app-1a2b.js", "link.html", "out"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->static_dir, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/assets", d->static_dir);
	(void)rmdir(path);
	(void)rmdir(d->static_dir);
}

void http_double_start(struct http_double *d)
{
	static const char *const proxies[] = {"127.0.0.1", "10.1.0.0/16",
		"::ffff:10.3.0.0/112", "::ffff:10.4.0.1", NULL};
	struct http_config config = {
		.listen_fd = d->listen_fd,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.body_max = 4096,
		.connections = DOUBLE_CONNECTIONS,
		.idle_s = d->idle_s == 0 ? 2 : d->idle_s,
		.static_dir = d->static_dir[0] != '\0' ? d->static_dir : NULL,
		.spool_dir = d->spool_dir == NULL ? "/tmp" : d->spool_dir,
		.trusted_proxies = proxies,
		.handle = handle,
		.verify = verify,
		.events = d->events,
		.arg = d,
	};

	assert(http_server_new(&config, &d->server) == 0);
}

void http_double_stop(struct http_double *d)
{
	http_server_free(&d->server);
	assert(d->server == NULL);
}

void http_double_open(struct http_double *d, bool with_static)
{
	struct addr any, bound;

	memset(d, 0, sizeof(*d));
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->held_more, NULL);
	assert(addr_parse("127.0.0.1:0", &any) == 0);
	assert(http_listen(&any, &d->listen_fd, &bound) == 0);
	d->port = addr_port(&bound);
	assert(http_events_new(8, 1, &d->events) == 0);
	if (with_static)
		make_static(d);
	http_double_start(d);
}

void http_double_close(struct http_double *d)
{
	http_double_stop(d);
	http_events_free(&d->events);
	(void)close(d->listen_fd);
	if (d->static_dir[0] != '\0')
		remove_static(d);
}

uint64_t http_double_await_held(struct http_double *d, size_t count)
{
	struct timespec until;
	uint64_t id = 0;
	int err = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	(void)pthread_mutex_lock(&d->lock);
	while (d->held_count < count && err == 0)
		err = pthread_cond_timedwait(&d->held_more, &d->lock, &until);
	if (d->held_count >= count)
		id = d->held[count - 1];
	(void)pthread_mutex_unlock(&d->lock);
	return id;
}

void http_double_reply(struct http_double *d, uint64_t id, const char *body)
{
	http_reply(d->server, id,
		&(struct http_reply){
			.status = 200, .body = body, .body_len = strlen(body)});
}
