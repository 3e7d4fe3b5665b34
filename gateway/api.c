/* api.c: the way of a request to its handler and back. See api.h. */
#include "gateway/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "gateway/auth_api.h"
#include "gateway/routes.h"
#include "twilio/signature.h"

/* ---- replies ---- */

static json_t *error_json(struct api_reply *reply)
{
	json_t *error =
		json_pack("{s:s, s:s}", "code", reply->code, "message", reply->message);

	if (error != NULL && reply->details != NULL)
		(void)json_object_set_new(error, "details", reply->details);
	else
		json_decref(reply->details);
	reply->details = NULL;
	return json_pack("{s:b, s:o}", "success", 0, "error", error);
}

void api_send(struct gateway *gw, uint64_t request_id, struct api_reply *reply)
{
	struct http_reply out = {
		.status = reply->status, .retry_after_s = reply->retry_after_s};
	json_t *doc = reply->flat;
	char *text;

	if (doc == NULL)
		doc = reply->code[0] != '\0' ? error_json(reply)
					     : json_pack("{s:b, s:o}", "success", 1,
						       "data", reply->data);
	text = doc == NULL ? NULL
			   : json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (text == NULL)
		out.status = 500;
	else
		out.body_len = strlen(text);
	out.body = text;
	out.set_cookie = reply->set_cookie[0] != '\0' ? reply->set_cookie : NULL;
	http_reply(gw->http, request_id, &out);
	free(text);
	json_decref(doc);
	*reply = (struct api_reply){.status = 0};
}

/* ---- on a database worker ---- */

struct api_job {
	struct job job;
	struct gateway *gw;
	struct http_request *request;
};

static unsigned role_bit(const char *role)
{
	if (strcmp(role, "admin") == 0)
		return API_ADMIN;
	if (strcmp(role, "supervisor") == 0)
		return API_SUPERVISOR;
	return API_AGENT;
}

/* Who asks, and may they? 0, or the reply says why not. */
static int admit(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	int err;

	if (auth_same_site(call->request) < 0) {
		api_fail(reply, 403, "CROSS_SITE",
			"This request came from another site. Use the console's own pages.");
		return -EACCES;
	}
	if (route->roles == API_ANYBODY)
		return 0;
	err = auth_user(call->gw, call->db, call->request, &call->user);
	if (err == -EACCES)
		api_fail(reply, 401, "NOT_SIGNED_IN",
			"Sign in first: POST /api/auth/login gives a session cookie.");
	else if (err < 0)
		api_fail_db(reply, err, "session", call->db);
	else if ((role_bit(call->user.role) & route->roles) == 0)
		api_fail(reply, 403, "FORBIDDEN",
			"Your role, %s, may not do this. Ask an administrator.",
			call->user.role);
	else
		return 0;
	return -EACCES;
}

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

static void api_work(struct job *job, void *ctx)
{
	struct api_job *task = list_entry(job, struct api_job, job);
	const struct api_route *route = api_route(task->request);
	struct api_call call = {.gw = task->gw, .db = ctx, .request = task->request};
	struct api_reply reply = {.status = 0};

	if (admit(&call, route, &reply) == 0 && read_body(&call, route, &reply) == 0)
		route->handle(&call, &reply);
	json_decref(call.body);
	/* The handler has nothing against the head: it will be called again with the body. */
	if (task->request->awaits_body && reply.status == 0)
		http_proceed(task->gw->http, &task->request);
	else if (!reply.deferred)
		api_send(task->gw, task->request->id, &reply);
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
	struct api_job *task;

	if (route->direct != NULL)
		return route->direct(gw, request);
	task = calloc(1, sizeof(*task));
	if (task == NULL)
		return -EAGAIN;
	task->job.work = api_work;
	task->job.drop = api_drop;
	task->gw = gw;
	task->request = request;
	if (jobs_put(gw->db, &task->job) < 0) {
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
	if (err < 0)
		log_warn("api", 0, "unsigned or wrongly signed request for %s",
			request->path);
	buf_free(&url);
	return err;
}
