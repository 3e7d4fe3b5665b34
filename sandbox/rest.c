/* rest.c: the route table, authentication and the faults on creates. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/log.h"
#include "base/text.h"
#include "sandbox/cut.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/rest.h"

#define BODY_MAX (256 * 1024)
#define CONNECTIONS 1024
#define IDLE_S 60

#define HEADERS_MAX 12
#define ROWS_MAX 256
#define BACK_MS 50 /* for the last answer, and between two tries to listen */

/* With the headers that Twilio adds to every answer. */
void rest_send(struct rest *rest, const struct http_reply *reply)
{
	struct http_header headers[HEADERS_MAX] = {{"Twilio-Request-Duration", "0.001"},
		{"X-Home-Region", "us1"}, {"X-API-Domain", "api.twilio.com"},
		{"X-Powered-By", "AT-5000"}, {"X-Shenanigans", "none"}};
	struct http_reply dressed = *reply;
	char id[SID_SIZE], concurrent[16], seconds[24];
	int64_t retry_after_s = rest->sandbox->facts.retry_after_s;
	size_t count = 5, i;

	sandbox_sid(rest->sandbox, "RQ", id);
	(void)snprintf(concurrent, sizeof(concurrent), "%u", rest->sandbox->requests);
	headers[count++] = (struct http_header){"Twilio-Request-Id", id};
	headers[count++] = (struct http_header){"Twilio-Concurrent-Requests", concurrent};
	if (reply->status == 401)
		headers[count++] = (struct http_header){
			"WWW-Authenticate", "Basic realm=\"Twilio API\""};
	if (reply->status == 429 && retry_after_s > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%" PRId64, retry_after_s);
		headers[count++] = (struct http_header){"Retry-After", seconds};
	}
	for (i = 0; i < reply->header_count; i++)
		headers[count++] = reply->headers[i];
	dressed.headers = headers;
	dressed.header_count = count;
	/* Away since the request came: its answer is lost. */
	if (rest->sandbox->http != NULL)
		http_reply(rest->sandbox->http, rest->request->id, &dressed);
}

static void answer(struct rest *rest, int status, const char *body)
{
	rest_send(rest, &(struct http_reply){.status = status,
				.body = body,
				.body_len = body != NULL ? strlen(body) : 0});
}

/* The answer is lost on its way; the reply only makes the server clean up. */
static void fall_silent(struct rest *rest)
{
	if (cut_connection(&rest->request->peer) < 0)
		log_warn("rest", 0, "a connection to be cut was gone already");
	answer(rest, 500, NULL);
}

static void send_json(struct rest *rest, int status, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text == NULL)
		abort(); /* out of memory: memory.h's law */
	answer(rest, status, text);
	free(text);
}

void rest_reply(struct rest *rest, int status, json_t *object)
{
	if (rest->fault == NULL || status != 201) {
		if (object == NULL)
			answer(rest, status, NULL);
		else
			send_json(rest, status, object);
		return;
	}
	json_decref(object);
	if (rest->silent) {
		fall_silent(rest);
		return;
	}
	rest->fault = NULL;
	rest_error(rest, 500, 20500, "Internal Server Error");
}

void rest_error(struct rest *rest, int status, int code, const char *fmt, ...)
{
	char message[512], more[80];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	(void)snprintf(more, sizeof(more), "https://www.twilio.com/docs/errors/%d", code);
	log_debug("rest", 0, "%d %d %s", status, code, message);
	send_json(rest, status,
		json_pack("{s:i, s:s, s:s, s:i}", "code", code, "message", message,
			"more_info", more, "status", status));
}

void rest_not_found(struct rest *rest)
{
	rest_error(rest, 404, 20404, "The requested resource %s was not found",
		rest->request->path);
}

static bool is_pair(const char *given, const char *user, const char *password)
{
	char plain[512], expected[768] = "Basic ";
	int len = snprintf(plain, sizeof(plain), "%s:%s", user, password);

	if (len < 0 || (size_t)len >= sizeof(plain))
		return false;
	(void)EVP_EncodeBlock(
		(unsigned char *)expected + 6, (const unsigned char *)plain, len);
	return strlen(given) == strlen(expected) &&
	       text_differs(given, expected, strlen(expected)) == 0;
}

/* Of an API key, the path names the account. */
static bool authorized(const struct rest *rest)
{
	const struct sandbox_settings *s = &rest->sandbox->settings;
	const char *given = rest->request->authorization;

	return strncmp(rest->request->params[0], s->account_sid, SID_SIZE - 1) == 0 &&
	       (is_pair(given, s->account_sid, s->auth_token) ||
		       (*s->api_key_sid != '\0' &&
			       is_pair(given, s->api_key_sid, s->api_key_secret)));
}

/* Faults that keep a create from being processed; true when it is over. */
static bool refuse_create(struct rest *rest)
{
	struct faults *faults = &rest->sandbox->faults;

	if (faults_fire(faults, FAULT_HTTP429)) {
		rest_error(rest, 429, 20429, "Too Many Requests");
		return true;
	}
	if (faults_fire(faults, FAULT_HTTP500)) {
		rest_error(rest, 500, 20500, "Internal Server Error");
		return true;
	}
	if (faults_fire(faults, FAULT_SILENT_BEFORE_ACCEPT)) {
		fall_silent(rest);
		return true;
	}
	if (faults_fire(faults, FAULT_SILENT_AFTER_ACCEPT)) {
		rest->fault = fault_text(FAULT_SILENT_AFTER_ACCEPT);
		rest->silent = true;
	} else if (faults_fire(faults, FAULT_HTTP500_AFTER_ACCEPT)) {
		rest->fault = fault_text(FAULT_HTTP500_AFTER_ACCEPT);
	}
	return false;
}

static void serve(struct rest *rest)
{
	const struct rest_row *row = &rest_rows[rest->request->route];
	int64_t most = rest->sandbox->facts.rest_concurrency;
	bool needs_account = (row->needs & REST_ACCOUNT) != 0 ||
			     ((row->needs & REST_MEDIA) != 0 && rest_needs_account(rest));

	rest->kind = row->kind;
	if (needs_account && !authorized(rest))
		rest_error(rest, 401, 20003, "Authenticate");
	else if (needs_account && most > 0 && rest->sandbox->requests > most)
		rest_error(rest, 429, 20429, "Too Many Requests");
	else if ((row->needs & REST_CREATES) == 0 || !refuse_create(rest))
		row->handler(rest);
}

/* A request on its way from the http thread to the loop. */
struct arrival {
	struct post post;
	struct list node; /* sandbox->slow, of a slow one */
	struct timer timer;
	struct sandbox *sandbox;
	struct http_request *request;
};

static void arrival_free(struct arrival *arrival)
{
	list_remove(&arrival->node);
	timer_stop(&arrival->timer);
	http_request_free(&arrival->request);
	free(arrival);
}

static void drop_arrival(struct post *post)
{
	arrival_free(list_entry(post, struct arrival, post));
}

static void run(struct arrival *arrival)
{
	struct rest rest = {.sandbox = arrival->sandbox, .request = arrival->request};

	serve(&rest);
	arrival->sandbox->requests--;
	arrival_free(arrival);
}

static void on_slow(struct timer *timer)
{
	run(list_entry(timer, struct arrival, timer));
}

/* Slow ones are those of the account; the levers of the sandbox always work. */
static void run_arrival(struct post *post)
{
	struct arrival *arrival = list_entry(post, struct arrival, post);
	struct sandbox *sandbox = arrival->sandbox;
	bool slow = strncmp(arrival->request->path, "/sandbox/", 9) != 0 &&
		    faults_fire(&sandbox->faults, FAULT_SLOW);

	sandbox->requests++;
	if (!slow) {
		run(arrival);
		return;
	}
	arrival->timer.fire = on_slow;
	list_add_tail(&sandbox->slow, &arrival->node);
	loop_timer(sandbox->loop, &arrival->timer,
		sandbox->faults.kinds[FAULT_SLOW].delay_ms);
}

/* http thread */
static int on_request(void *arg, struct http_request *request)
{
	struct sandbox *sandbox = arg;
	struct arrival *arrival = memory_zero(sizeof(*arrival));
	int r;

	arrival->post.run = run_arrival;
	arrival->post.drop = drop_arrival;
	arrival->sandbox = sandbox;
	arrival->request = request;
	r = post_queue_put(loop_posts(sandbox->loop), &arrival->post);
	if (r < 0)
		free(arrival);
	return r;
}

/*
 * What the HTTP server refuses, as Twilio writes it. Without ".json" Twilio answers in XML,
 * which the sandbox does only to say so.
 */
static bool on_refused(void *arg, const char *path, char *text, struct http_reply *reply)
{
	static const int codes[][2] = {{404, 20404}, {405, 20004}, {413, 20413}};
	const char *end = strrchr(path, '.');
	int code = 20500 + (reply->status == 503 ? 3 : 0);
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i][0] == reply->status)
			code = codes[i][1];
	if (end != NULL && strcmp(end, ".json") == 0) {
		(void)snprintf(text, HTTP_REFUSAL_MAX,
			"{\"code\":%d,\"message\":\"The requested resource was not found "
			"or not by this method\",\"more_info\":"
			"\"https://www.twilio.com/docs/errors/%d\",\"status\":%d}",
			code, code, reply->status);
	} else {
		reply->content_type = "application/xml";
		(void)snprintf(text, HTTP_REFUSAL_MAX,
			"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse>"
			"<RestException><Code>%d</Code><Message>Not here; addresses "
			"without .json have XML at Twilio, and nothing in the sandbox"
			"</Message><MoreInfo>https://www.twilio.com/docs/errors/%d"
			"</MoreInfo><Status>%d</Status></RestException>"
			"</TwilioResponse>",
			code, code, reply->status);
	}
	reply->body = text;
	reply->body_len = strlen(text);
	return true;
}

static int open_server(struct sandbox *sandbox)
{
	static struct http_route routes[ROWS_MAX];
	size_t i;

	assert(rest_row_count <= ROWS_MAX);
	for (i = 0; i < rest_row_count; i++)
		routes[i] = (struct http_route){
			.methods = rest_rows[i].method, .path = rest_rows[i].path};
	return http_server_new(&(struct http_config){.listen_fd = sandbox->listen_fd,
				       .routes = routes,
				       .route_count = rest_row_count,
				       .body_max = BODY_MAX,
				       .connections = CONNECTIONS,
				       .idle_s = IDLE_S,
				       .handle = on_request,
				       .refused = on_refused,
				       .arg = sandbox},
		&sandbox->http);
}

int rest_open(struct sandbox *sandbox, const struct addr *listen)
{
	int r = http_listen(listen, &sandbox->listen_fd, &sandbox->listen);

	if (r < 0)
		return r;
	sandbox->listening = true;
	return open_server(sandbox);
}

void rest_close(struct sandbox *sandbox)
{
	struct list *node, *tmp;

	timer_stop(&sandbox->away);
	if (sandbox->away_fd >= 0)
		(void)close(sandbox->away_fd);
	sandbox->away_fd = -1;
	http_server_free(&sandbox->http);
	list_for_each(&sandbox->slow, node, tmp)
	{
		sandbox->requests--;
		arrival_free(list_entry(node, struct arrival, node));
	}
	if (sandbox->listening)
		(void)close(sandbox->listen_fd);
	sandbox->listening = false;
}

/* Nobody listens at the port, and no client of the machine is given it as its own. -1: no luck. */
static int keep_port(const struct addr *addr)
{
	int fd = socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd >= 0 &&
		(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
			bind(fd, (const struct sockaddr *)&addr->sa, addr->len) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* The same port again; somebody else may have it for a moment. */
static void on_back(struct timer *timer)
{
	struct sandbox *sandbox = list_entry(timer, struct sandbox, away);
	struct addr listen = sandbox->listen;

	if (rest_open(sandbox, &listen) < 0) {
		rest_close(sandbox);
		sandbox->away_fd = keep_port(&listen);
		loop_timer(sandbox->loop, timer, BACK_MS);
	} else if (sandbox->away_fd >= 0) {
		(void)close(sandbox->away_fd);
		sandbox->away_fd = -1;
	}
}

static void on_away(struct timer *timer)
{
	struct sandbox *sandbox = list_entry(timer, struct sandbox, away);

	rest_close(sandbox);
	sandbox->away_fd = keep_port(&sandbox->listen);
	sandbox->away.fire = on_back;
	loop_timer(
		sandbox->loop, timer, sandbox->faults.kinds[FAULT_UNREACHABLE].delay_ms);
}

void rest_go_away(struct sandbox *sandbox)
{
	sandbox->away.fire = on_away;
	loop_timer(sandbox->loop, &sandbox->away, BACK_MS);
}
