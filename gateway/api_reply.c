/* api_reply.c: a filled reply becomes text, is written down where it must be, and goes out. */
#include "gateway/api_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"

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

/* The reply's document as text (malloc); NULL without memory. The reply keeps its data. */
static char *render(struct api_reply *reply)
{
	json_t *doc;
	char *text;

	if (reply->flat != NULL)
		doc = json_incref(reply->flat);
	else if (reply->code[0] != '\0')
		doc = error_json(reply);
	else
		doc = json_pack("{s:b, s:O}", "success", 1, "data", reply->data);
	text = doc == NULL ? NULL
			   : json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(12));
	json_decref(doc);
	return text;
}

static void let_go(struct api_reply *reply)
{
	json_decref(reply->data);
	json_decref(reply->flat);
	json_decref(reply->details);
	*reply = (struct api_reply){.status = 0};
}

/* Sends it, and frees what the reply owns and the text. */
static void dispatch(
	struct gateway *gw, uint64_t request_id, struct api_reply *reply, char *text)
{
	struct http_reply out = {
		.status = text == NULL ? 500 : reply->status,
		.body = text,
		.body_len = text == NULL ? 0 : strlen(text),
		.set_cookie = reply->set_cookie[0] != '\0' ? reply->set_cookie : NULL,
		.retry_after_s = reply->retry_after_s,
	};

	http_reply(gw->http, request_id, &out);
	free(text);
	let_go(reply);
}

void api_finish(struct gateway *gw, struct db *db, struct after *after,
	uint64_t request_id, struct api_reply *reply)
{
	char *text = render(reply);

	if (after != NULL && text != NULL)
		after_write(db, after, reply, text);
	free(after);
	dispatch(gw, request_id, reply, text);
}

struct send_job {
	struct job job;
	struct gateway *gw;
	struct after *after;
	uint64_t request_id;
	struct api_reply reply;
};

static void send_work(struct job *job, void *ctx)
{
	struct send_job *task = list_entry(job, struct send_job, job);

	api_finish(task->gw, ctx, task->after, task->request_id, &task->reply);
	free(task);
}

static void send_drop(struct job *job)
{
	struct send_job *task = list_entry(job, struct send_job, job);

	free(task->after);
	let_go(&task->reply);
	free(task);
}

void api_send(struct gateway *gw, uint64_t request_id, struct api_reply *reply)
{
	struct after *after = afterwork_take(gw->afterwork, request_id);
	struct send_job *task = after == NULL ? NULL : calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = send_work;
		task->job.drop = send_drop;
		task->gw = gw;
		task->after = after;
		task->request_id = request_id;
		task->reply = *reply;
		if (jobs_put(gw->db, &task->job) == 0) {
			*reply = (struct api_reply){.status = 0};
			return;
		}
		free(task);
	}
	/* Nothing to write down, or no way to: the answer goes out all the same. */
	free(after);
	dispatch(gw, request_id, reply, render(reply));
}
