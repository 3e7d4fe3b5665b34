/* webhook_request.c: what handlers of signed requests share. See webhook_request.h. */
#include "gateway/webhook_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "twilio/client.h"

const char *webhook_text(const struct http_request *request, const char *name)
{
	const char *value = form_get(&request->form, name);

	return value != NULL ? value : form_get(&request->query, name);
}

const char *webhook_sid(const struct http_request *request, const char *name)
{
	const char *sid = webhook_text(request, name);

	return sid != NULL && strlen(sid) == TWILIO_SID_SIZE - 1 ? sid : NULL;
}

int webhook_int(
	const struct http_request *request, const char *name, int lo, int otherwise)
{
	const char *text = webhook_text(request, name);
	int64_t number;

	return text != NULL && text_int(text, lo, INT32_MAX, &number) == 0 ? (int)number
									   : otherwise;
}

int64_t webhook_at_ms(const struct http_request *request)
{
	const char *text = webhook_text(request, "Timestamp");
	struct tm tm = {0};
	const char *end =
		text == NULL ? NULL : strptime(text, "%a, %d %b %Y %H:%M:%S", &tm);

	if (end == NULL)
		return clock_wall_ms();
	return (int64_t)timegm(&tm) * 1000;
}

void webhook_reply(struct gateway *gw, uint64_t request_id, int status)
{
	static const char again[] =
		"{\"success\":false,\"error\":{\"code\":\"DATABASE_UNAVAILABLE\","
		"\"message\":\"The event could not be stored. Send it again.\"}}";
	struct http_reply reply = {.status = status};

	if (status >= 500) {
		reply.body = again;
		reply.body_len = sizeof(again) - 1;
		reply.retry_after_s = 1;
	}
	http_reply(gw->http, request_id, &reply);
}

void webhook_refuse(struct gateway *gw, uint64_t request_id, const char *what)
{
	struct buf body = {0};
	struct http_reply reply = {.status = 400};

	buf_printf(&body,
		"{\"success\":false,\"error\":{\"code\":\"BAD_WEBHOOK\",\"message\":"
		"\"The webhook has no usable %s. Nothing was changed.\"}}",
		what);
	reply.body = body.data;
	reply.body_len = body.len;
	http_reply(gw->http, request_id, &reply);
	buf_free(&body);
}

void webhook_job_free(struct webhook_job *task)
{
	http_request_free(&task->request);
	free(task);
}

static void webhook_job_drop(struct job *job)
{
	webhook_job_free(list_entry(job, struct webhook_job, job));
}

int webhook_job_put(struct gateway *gw, struct http_request *request,
	void (*work)(struct job *job, void *ctx))
{
	struct webhook_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return -EAGAIN;
	task->job.work = work;
	task->job.drop = webhook_job_drop;
	task->gw = gw;
	task->request = request;
	if (jobs_put(gw->db, &task->job) < 0) {
		free(task);
		return -EAGAIN;
	}
	return 0;
}
