/* webhook.c: status webhooks in batches, conference webhooks, /twiml-agent. See webhook.h. */
#include "gateway/webhook.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/text.h"
#include "db/calls.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/call_table.h"
#include "gateway/urls.h"
#include "twilio/client.h"
#include "twilio/twiml.h"

#define WAITING_MAX 4096 /* status webhooks not yet written */
#define BATCH_MAX 64     /* in one statement */

struct webhooks {
	struct gateway *gw;
	struct post_queue *waiting;
	/* True while a writer is under way; whoever turns it on submits the job. */
	atomic_bool writing;
};

/* One parsed status webhook on its way to the database. Texts live in the request. */
struct status_post {
	struct post post;
	struct http_request *request;
	struct db_call_event event;
};

struct writer_job {
	struct job job;
	struct webhooks *webhooks;
};

static void reply_status(struct gateway *gw, uint64_t id, int status)
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
	http_reply(gw->http, id, &reply);
}

static void reply_refused(struct gateway *gw, uint64_t id, const char *what)
{
	struct buf body = {0};
	struct http_reply reply = {.status = 400};

	buf_printf(&body,
		"{\"success\":false,\"error\":{\"code\":\"BAD_WEBHOOK\",\"message\":"
		"\"The webhook has no usable %s. Nothing was changed.\"}}",
		what);
	reply.body = body.data;
	reply.body_len = body.len;
	http_reply(gw->http, id, &reply);
	buf_free(&body);
}

static void status_free(struct status_post *status)
{
	http_request_free(&status->request);
	free(status);
}

static void status_drop(struct post *post)
{
	status_free(list_entry(post, struct status_post, post));
}

static void write_batch(
	struct gateway *gw, struct db *db, struct post **posts, size_t count)
{
	struct db_call_event events[BATCH_MAX];
	struct status_post *status;
	int err;

	for (size_t i = 0; i < count; i++)
		events[i] = list_entry(posts[i], struct status_post, post)->event;
	err = calls_apply(gw, db, events, count);
	if (err < 0)
		log_warn("webhook", 0, "%zu status webhooks not stored: %s", count,
			db_error(db));
	for (size_t i = 0; i < count; i++) {
		status = list_entry(posts[i], struct status_post, post);
		reply_status(gw, status->request->id, err < 0 ? 503 : 204);
		status_free(status);
	}
}

static void writer_work(struct job *job, void *ctx)
{
	struct writer_job *writer = list_entry(job, struct writer_job, job);
	struct webhooks *webhooks = writer->webhooks;
	struct post *posts[BATCH_MAX];
	size_t count;

	do {
		while ((count = post_queue_take(webhooks->waiting, posts, BATCH_MAX)) > 0)
			write_batch(webhooks->gw, ctx, posts, count);
		atomic_store(&webhooks->writing, false);
		/* One that came before the store found a writer and started none: look again. */
	} while (post_queue_waiting(webhooks->waiting) > 0 &&
		 !atomic_exchange(&webhooks->writing, true));
	free(writer);
}

static void writer_drop(struct job *job)
{
	free(list_entry(job, struct writer_job, job));
}

static void start_writer(struct webhooks *webhooks)
{
	struct writer_job *writer;

	if (atomic_exchange(&webhooks->writing, true))
		return;
	writer = calloc(1, sizeof(*writer));
	if (writer != NULL) {
		writer->job.work = writer_work;
		writer->job.drop = writer_drop;
		writer->webhooks = webhooks;
		if (jobs_put(webhooks->gw->db, &writer->job) == 0)
			return;
		free(writer);
	}
	/* The next webhook tries again; Twilio's read time-out bounds the wait of this one. */
	atomic_store(&webhooks->writing, false);
}

int webhooks_new(struct gateway *gw, struct webhooks **ret_webhooks)
{
	struct webhooks *webhooks = calloc(1, sizeof(*webhooks));
	int err;

	if (webhooks == NULL)
		return -ENOMEM;
	webhooks->gw = gw;
	err = post_queue_new(WAITING_MAX, &webhooks->waiting);
	if (err < 0) {
		free(webhooks);
		return err;
	}
	*ret_webhooks = webhooks;
	return 0;
}

void webhooks_free(struct webhooks **webhooks)
{
	if (*webhooks == NULL)
		return;
	post_queue_free(&(*webhooks)->waiting);
	free(*webhooks);
	*webhooks = NULL;
}

/* The POST form, or the query of a GET. */
static const char *parameter(const struct http_request *request, const char *name)
{
	const char *value = form_get(&request->form, name);

	return value != NULL ? value : form_get(&request->query, name);
}

/* RFC 2822 in GMT, as Twilio writes it: "Fri, 20 Aug 2010 01:13:42 +0000". */
static int64_t timestamp_ms(const char *text)
{
	struct tm tm = {0};
	const char *end =
		text == NULL ? NULL : strptime(text, "%a, %d %b %Y %H:%M:%S", &tm);

	if (end == NULL)
		return clock_wall_ms();
	return (int64_t)timegm(&tm) * 1000;
}

static const char *sid_of(const struct http_request *request, const char *name)
{
	const char *sid = parameter(request, name);

	return sid != NULL && strlen(sid) == TWILIO_SID_SIZE - 1 ? sid : NULL;
}

/* Fills the event from the request; names what is missing, or returns NULL. */
static const char *parse_status(
	const struct http_request *request, struct db_call_event *event)
{
	const char *call = form_get(&request->query, "call");
	const char *status = parameter(request, "CallStatus");
	const char *sequence = parameter(request, "SequenceNumber");
	const char *duration = parameter(request, "CallDuration");
	const char *code = parameter(request, "ErrorCode");
	int64_t number;

	if (call == NULL || text_int(call, 1, INT64_MAX, &event->call_id) < 0)
		return "call in its URL";
	event->leg_sid = sid_of(request, "CallSid");
	if (event->leg_sid == NULL)
		return "CallSid";
	event->event = status == NULL ? NULL : call_table_event(status);
	if (event->event == NULL)
		return "CallStatus";
	event->source = "call";
	event->source_sid = event->leg_sid;
	event->at_ms = timestamp_ms(parameter(request, "Timestamp"));
	event->sequence = -1;
	if (sequence != NULL && text_int(sequence, 0, INT32_MAX, &number) == 0)
		event->sequence = number;
	event->duration_s = -1;
	if (duration != NULL && text_int(duration, 0, INT32_MAX, &number) == 0)
		event->duration_s = (int)number;
	if (code != NULL && text_int(code, 1, INT32_MAX, &number) == 0) {
		event->code = (int)number;
		event->detail = parameter(request, "ErrorMessage");
	}
	return NULL;
}

int webhook_call_status(struct gateway *gw, struct http_request *request)
{
	struct webhooks *webhooks = gw->webhooks;
	struct status_post *status = calloc(1, sizeof(*status));
	const char *missing;

	if (status == NULL)
		return -EAGAIN;
	missing = parse_status(request, &status->event);
	if (missing != NULL) {
		free(status);
		reply_refused(gw, request->id, missing);
		http_request_free(&request);
		return 0;
	}
	status->post.run = status_drop; /* only ever taken */
	status->post.drop = status_drop;
	status->request = request;
	if (post_queue_put(webhooks->waiting, &status->post) < 0) {
		free(status);
		return -EAGAIN;
	}
	start_writer(webhooks);
	return 0;
}

/* A request that one database job works off. */
struct request_job {
	struct job job;
	struct gateway *gw;
	struct http_request *request;
};

static void request_job_free(struct request_job *task)
{
	http_request_free(&task->request);
	free(task);
}

static void request_job_drop(struct job *job)
{
	request_job_free(list_entry(job, struct request_job, job));
}

static int request_job_put(struct gateway *gw, struct http_request *request,
	void (*work)(struct job *job, void *ctx))
{
	struct request_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return -EAGAIN;
	task->job.work = work;
	task->job.drop = request_job_drop;
	task->gw = gw;
	task->request = request;
	if (jobs_put(gw->db, &task->job) < 0) {
		free(task);
		return -EAGAIN;
	}
	return 0;
}

/* A customer's leg: one more event of its call. */
static int conference_customer(struct gateway *gw, struct db *db,
	const struct http_request *request, const char *event, const char *label)
{
	const char *sequence = parameter(request, "SequenceNumber");
	const char *conference = sid_of(request, "ConferenceSid");
	struct db_call_event told = {
		.source = "conference",
		.source_sid = conference == NULL ? label : conference,
		.sequence = -1,
		.event = event,
		.at_ms = timestamp_ms(parameter(request, "Timestamp")),
		.leg_sid = sid_of(request, "CallSid"),
		.duration_s = -1,
	};
	int64_t number;
	int err;

	err = db_call_by_label(db, label, &told.call_id);
	if (err < 0)
		return err;
	if (sequence != NULL && text_int(sequence, 0, INT32_MAX, &number) == 0)
		told.sequence = number;
	return calls_apply(gw, db, &told, 1);
}

static int conference_agent(struct gateway *gw, struct db *db, const char *event,
	const char *label, const char *sid)
{
	struct db_agent_session session;
	int err;

	err = strcmp(event, "joined") == 0 ? db_agent_leg_joined(db, label, sid, &session)
					   : db_agent_leg_left(db, label, sid, &session);
	if (err == 0)
		agent_changed(gw, &session);
	return err;
}

static void conference_work(struct job *job, void *ctx)
{
	struct request_job *task = list_entry(job, struct request_job, job);
	const char *told = parameter(task->request, "StatusCallbackEvent");
	const char *label = parameter(task->request, "ParticipantLabel");
	const char *sid = sid_of(task->request, "CallSid");
	const char *event = NULL;
	int err = 0;

	if (told != NULL && strcmp(told, "participant-join") == 0)
		event = "joined";
	else if (told != NULL && strcmp(told, "participant-leave") == 0)
		event = "left";
	/* The other events tell nothing that the legs do not. */
	if (event != NULL && label != NULL && sid != NULL) {
		err = conference_agent(task->gw, ctx, event, label, sid);
		if (err == -ENOENT)
			err = conference_customer(
				task->gw, ctx, task->request, event, label);
	}
	reply_status(task->gw, task->request->id, err < 0 && err != -ENOENT ? 503 : 204);
	request_job_free(task);
}

int webhook_conference(struct gateway *gw, struct http_request *request)
{
	return request_job_put(gw, request, conference_work);
}

static void twiml_agent_work(struct job *job, void *ctx)
{
	struct request_job *task = list_entry(job, struct request_job, job);
	const char *token = parameter(task->request, "SipHeader_" URL_LEG_HEADER);
	const char *sid = sid_of(task->request, "CallSid");
	struct http_reply reply = {.status = 200, .content_type = "text/xml"};
	struct db_agent_leg leg;
	struct buf doc = {0};
	char callback[URL_SIZE];

	twiml_begin(&doc);
	if (token != NULL && sid != NULL &&
		db_agent_leg_claim(ctx, token, sid, &leg) == 0) {
		url_conference(task->gw, leg.agent_session_id, callback);
		twiml_conference(&doc, &(struct twiml_conference){
					       .name = leg.conference,
					       .participant_label = leg.label,
					       .status_callback = callback,
				       });
	} else {
		log_warn("webhook", 0, "twiml-agent: no leg of ours sid=%s",
			sid == NULL ? "-" : sid);
		twiml_hangup(&doc);
	}
	twiml_end(&doc);
	reply.body = doc.data;
	reply.body_len = doc.len;
	http_reply(task->gw->http, task->request->id, &reply);
	buf_free(&doc);
	request_job_free(task);
}

int twiml_agent(struct gateway *gw, struct http_request *request)
{
	return request_job_put(gw, request, twiml_agent_work);
}
