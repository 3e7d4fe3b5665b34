/* api.c: the way of a request to its handler and back. See api.h. */
#include "gateway/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "db/turn.h"
#include "gateway/admit.h"
#include "gateway/afterwork.h"
#include "gateway/api_reply.h"
#include "gateway/audit.h"
#include "gateway/idempotency.h"
#include "gateway/routes.h"
#include "twilio/signature.h"

/* ---- on a database worker ---- */

struct api_job {
	struct job job;
	struct gateway *gw;
	struct http_request *request;
};

/* The body as a JSON object; an empty one when nothing was sent. */
static int read_body(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	const struct http_request *request = call->request;
	json_error_t error;

	if (route->raw || request->body_len == 0) {
		call->body = json_object();
		return call->body == NULL ? -ENOMEM : 0;
	}
	if (strcmp(request->content_type, "application/json") != 0) {
		api_fail(reply, 415, "NOT_JSON",
			"The body must be application/json, not %.64s.",
			request->content_type[0] == '\0' ? "untyped"
							 : request->content_type);
		return -EINVAL;
	}
	call->body = json_loadb(
		request->body, request->body_len, JSON_REJECT_DUPLICATES, &error);
	if (call->body == NULL) {
		api_fail(reply, 400, "BAD_JSON",
			"The body is no valid JSON: %.120s (line %d).", error.text,
			error.line);
		return -EINVAL;
	}
	if (!json_is_object(call->body)) {
		api_fail(reply, 400, "BAD_JSON", "The body must be a JSON object.");
		return -EINVAL;
	}
	return 0;
}

/* A stored answer goes out as it is. */
static void repeat(struct api_call *call, int status, char *body)
{
	http_reply(call->gw->http, call->request->id,
		&(struct http_reply){
			.status = status, .body = body, .body_len = strlen(body)});
	free(body);
}

/* A path's last parameter, such as ":campaignId" of ".../campaigns/:campaignId/dial-method". */
static void last_param(const char *path, char *name, size_t size)
{
	const char *param = strrchr(path, ':');

	(void)snprintf(name, size, "%.*s", param == NULL ? 0 : (int)strcspn(param, "/"),
		param == NULL ? "" : param);
}

/* A PUT reads what it changes a part of: such requests for one thing take turns. */
static void run_handler(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	char what[40];
	int64_t id = 0;
	int err = 0;

	if ((call->request->method & (HTTP_PUT | HTTP_PATCH)) != 0)
		for (size_t i = HTTP_PARAMS_MAX; i > 0 && id == 0; i--)
			id = api_param_id(call, i - 1);
	last_param(route->http.path, what, sizeof(what));
	if (id != 0)
		err = db_turn_begin(call->db, what, id);
	if (err < 0) {
		api_fail_db(reply, err, "request", call->db);
		return;
	}
	route->handle(call, reply);
	if (id != 0)
		db_turn_end(call->db, what, id);
}

/*
 * Calls the handler of a request that changes something, with all that belongs to it. True: it
 * was answered, or somebody answers later.
 */
static bool change(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	struct gateway *gw = call->gw;
	struct after *after;
	char *stored = NULL;
	int64_t row = 0;

	if (!idempotency_begin(call, route, reply, &row, &stored)) {
		if (stored != NULL)
			repeat(call, reply->status, stored);
		return stored != NULL;
	}
	after = after_new(call, route, row);
	if (after == NULL) {
		api_fail_db(reply, -ENOMEM, "request", call->db);
		return false;
	}
	afterwork_keep(gw->afterwork, after);
	run_handler(call, route, reply);
	if (reply->deferred)
		return true;
	after = afterwork_take(gw->afterwork, call->request->id);
	if (after != NULL)
		audit_who(&after->audit, call);
	api_finish(gw, call->db, after, call->request->id, reply);
	return true;
}

static bool handle(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	/* A document is judged when it is there; of other bodies the head says something. */
	if (call->request->awaits_body && !route->raw)
		return false;
	if (call->request->method != HTTP_GET && !route->reads &&
		!call->request->awaits_body)
		return change(call, route, reply);
	route->handle(call, reply);
	return reply->deferred;
}

/* Who was told that there is no answer must not meet later what came of it. */
static bool in_time(const struct job *job, struct api_reply *reply)
{
	if (clock_mono_us() - job->put_us < HTTP_ANSWER_MS * INT64_C(1000))
		return true;
	api_fail(reply, 503, "OVERLOADED",
		"The server did not get to this request in time. Nothing was changed. Send it "
		"again.");
	return false;
}

static void api_work(struct job *job, void *ctx)
{
	struct api_job *task = list_entry(job, struct api_job, job);
	const struct api_route *route = api_route(task->request);
	struct api_call call = {.gw = task->gw, .db = ctx, .request = task->request};
	struct api_reply reply = {.status = 0};
	bool answered = in_time(job, &reply) && admit(&call, route, &reply) == 0 &&
			read_body(&call, route, &reply) == 0 &&
			handle(&call, route, &reply);

	json_decref(call.body);
	/* The handler has nothing against the head: it will be called again with the body. */
	if (task->request->awaits_body && !answered && reply.status == 0)
		http_proceed(task->gw->http, &task->request);
	else if (!answered)
		api_finish(task->gw, ctx, NULL, task->request->id, &reply);
	http_request_free(&task->request);
	free(task);
}

static void api_drop(struct job *job)
{
	struct api_job *task = list_entry(job, struct api_job, job);

	http_request_free(&task->request);
	free(task);
}

int api_handle(void *gateway, struct http_request *request)
{
	struct gateway *gw = gateway;
	const struct api_route *route = api_route(request);
	struct api_reply reply = {.status = 0};
	struct api_job *task;

	if (admit_address(gw, request, route, &reply) < 0) {
		api_finish(gw, NULL, NULL, request->id, &reply);
		http_request_free(&request);
		return 0;
	}
	if (route->direct != NULL)
		return route->direct(gw, request);
	task = calloc(1, sizeof(*task));
	if (task == NULL)
		return -EAGAIN;
	task->job.work = api_work;
	task->job.drop = api_drop;
	task->gw = gw;
	task->request = request;
	if (jobs_put(route->slow ? gw->slow : gw->db, &task->job) < 0) {
		free(task);
		return -EAGAIN;
	}
	return 0;
}

int api_verify(void *gateway, const struct http_request *request)
{
	struct gateway *gw = gateway;
	const char *secondary = config_text(gw->config, "TWILIO_AUTH_TOKEN_SECONDARY");
	const struct form *form = request->method == HTTP_GET ? NULL : &request->form;
	static struct log_seldom refused;
	unsigned unwritten;
	struct buf url = {0};
	int err = -EACCES;

	buf_printf(&url, "%s%s%s%s", gw->backend_url, request->path,
		request->query_text[0] != '\0' ? "?" : "", request->query_text);
	if (!url.failed && request->twilio_signature[0] != '\0') {
		err = twilio_signature_check(config_text(gw->config, "TWILIO_AUTH_TOKEN"),
			url.data, form, request->body, request->body_len,
			request->twilio_signature);
		if (err < 0 && secondary[0] != '\0')
			err = twilio_signature_check(secondary, url.data, form,
				request->body, request->body_len,
				request->twilio_signature);
	}
	if (err < 0 && log_seldom(&refused, clock_mono_ms(), &unwritten))
		log_warn("api", 0,
			"unsigned or wrongly signed request for %s unwritten=%u",
			request->path, unwritten);
	buf_free(&url);
	return err;
}
