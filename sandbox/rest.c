/* rest.c: the route table, authentication and the faults on creates. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* With the headers that Twilio adds to every answer. */
void rest_send(struct rest *rest, const struct http_reply *reply)
{
	struct http_header headers[HEADERS_MAX] = {{"Twilio-Request-Duration", "0.001"},
		{"X-Home-Region", "us1"}, {"X-API-Domain", "api.twilio.com"},
		{"X-Powered-By", "AT-5000"}, {"X-Shenanigans", "none"}};
	struct http_reply dressed = *reply;
	char id[SID_SIZE], concurrent[16];
	size_t count = 5, i;

	sandbox_sid(rest->sandbox, "RQ", id);
	(void)snprintf(concurrent, sizeof(concurrent), "%u", 1u);
	headers[count++] = (struct http_header){"Twilio-Request-Id", id};
	headers[count++] = (struct http_header){"Twilio-Concurrent-Requests", concurrent};
	if (reply->status == 401)
		headers[count++] = (struct http_header){
			"WWW-Authenticate", "Basic realm=\"Twilio API\""};
	for (i = 0; i < reply->header_count; i++)
		headers[count++] = reply->headers[i];
	dressed.headers = headers;
	dressed.header_count = count;
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

static bool authorized(const struct rest *rest)
{
	const struct sandbox_settings *s = &rest->sandbox->settings;
	const char *given = rest->request->authorization;
	char plain[512], expected[768] = "Basic ";
	int len = snprintf(plain, sizeof(plain), "%s:%s", s->account_sid, s->auth_token);

	if (len < 0 || (size_t)len >= sizeof(plain))
		return false;
	(void)EVP_EncodeBlock(
		(unsigned char *)expected + 6, (const unsigned char *)plain, len);
	return strlen(given) == strlen(expected) &&
	       text_differs(given, expected, strlen(expected)) == 0 &&
	       strcmp(rest->request->params[0], s->account_sid) == 0;
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
	bool needs_account = (row->needs & REST_ACCOUNT) != 0 ||
			     ((row->needs & REST_MEDIA) != 0 && rest_needs_account(rest));

	rest->kind = row->kind;
	if (needs_account && !authorized(rest))
		rest_error(rest, 401, 20003, "Authenticate");
	else if ((row->needs & REST_CREATES) == 0 || !refuse_create(rest))
		row->handler(rest);
}

/* A request on its way from the http thread to the loop. */
struct arrival {
	struct post post;
	struct sandbox *sandbox;
	struct http_request *request;
};

static void drop_arrival(struct post *post)
{
	struct arrival *arrival = list_entry(post, struct arrival, post);

	http_request_free(&arrival->request);
	free(arrival);
}

static void run_arrival(struct post *post)
{
	struct arrival *arrival = list_entry(post, struct arrival, post);
	struct rest rest = {.sandbox = arrival->sandbox, .request = arrival->request};

	serve(&rest);
	drop_arrival(post);
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

int rest_open(struct sandbox *sandbox, int listen_fd)
{
	static struct http_route routes[ROWS_MAX];
	size_t i;

	assert(rest_row_count <= ROWS_MAX);
	for (i = 0; i < rest_row_count; i++)
		routes[i] = (struct http_route){
			.methods = rest_rows[i].method, .path = rest_rows[i].path};
	return http_server_new(&(struct http_config){.listen_fd = listen_fd,
				       .routes = routes,
				       .route_count = rest_row_count,
				       .body_max = BODY_MAX,
				       .connections = CONNECTIONS,
				       .idle_s = IDLE_S,
				       .handle = on_request,
				       .arg = sandbox},
		&sandbox->http);
}

void rest_close(struct sandbox *sandbox)
{
	http_server_free(&sandbox->http);
}
