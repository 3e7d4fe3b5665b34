/* webhook.c: status webhooks in batches, conference webhooks. See webhook.h. */
#include "gateway/webhook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/batch.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "db/calls.h"
#include "gateway/agent.h"
#include "gateway/agent_webhook.h"
#include "gateway/amd_webhook.h"
#include "gateway/call.h"
#include "gateway/call_table.h"
#include "gateway/metrics.h"
#include "gateway/recording.h"
#include "gateway/webhook_request.h"
#include "twilio/errors.h"

#define WAITING_MAX 4096 /* status webhooks not yet written */

/* One parsed status webhook on its way to the database. Texts live in the request. */
struct status_post {
	struct post post;
	struct http_request *request;
	struct db_call_event event;
};

static void status_free(struct status_post *status)
{
	http_request_free(&status->request);
	free(status);
}

static void status_drop(struct post *post)
{
	status_free(list_entry(post, struct status_post, post));
}

static void status_done(struct gateway *gw, struct post *post, int err)
{
	struct status_post *status = list_entry(post, struct status_post, post);

	webhook_reply(gw, status->request->id, err < 0 ? 503 : 204);
	if (err == 0)
		metrics_webhook_told(status->event.at_ms);
	status_free(status);
}

/* What a webhook tells: who picked up, when it says so, then the status. */
static size_t events_of(struct post *post, struct db_call_event ret_events[2])
{
	const struct status_post *status = list_entry(post, struct status_post, post);
	size_t count = 0;

	if (amd_event(status->request, status->event.call_id, &ret_events[0]))
		count++;
	ret_events[count++] = status->event;
	return count;
}

static void write_batch(void *arg, void *ctx, struct post **posts, size_t count)
{
	struct db_call_event events[2 * BATCH_MAX] = {{.call_id = 0}};
	struct gateway *gw = arg;
	size_t total = 0;
	int all, err;

	for (size_t i = 0; i < count; i++)
		total += events_of(posts[i], &events[total]);
	all = calls_apply(gw, ctx, events, total);
	if (all < 0)
		log_warn("webhook", 0, "%zu status webhooks not stored: %s", count,
			db_error(ctx));
	/* One that the database chokes on must not hold up the others. */
	for (size_t i = 0; i < count; i++) {
		err = all;
		if (all < 0 && count > 1)
			err = calls_apply(gw, ctx, events, events_of(posts[i], events));
		status_done(gw, posts[i], err);
	}
}

/* Why a call failed, when Twilio gives no code of its own but SIP's says enough. */
static void read_sip_response(
	const struct http_request *request, struct db_call_event *event)
{
	const struct twilio_error *error =
		twilio_error_sip(webhook_int(request, "SipResponseCode", 1, 0));

	if (error == NULL)
		return;
	event->code = error->first;
	event->detail = error->what;
}

/* Fills the event from the request; names what is missing, or returns NULL. */
static const char *parse_status(
	const struct http_request *request, struct db_call_event *event)
{
	const char *status = webhook_text(request, "CallStatus");

	event->leg_sid = webhook_sid(request, "CallSid");
	if (event->leg_sid == NULL)
		return "CallSid";
	event->event = status == NULL ? NULL : call_table_event(status);
	if (event->event == NULL)
		return "CallStatus";
	event->source = "call";
	event->source_sid = event->leg_sid;
	event->at_ms = webhook_at_ms(request);
	event->sequence = webhook_int(request, "SequenceNumber", 0, -1);
	event->duration_s = webhook_int(request, "CallDuration", 0, -1);
	event->code = webhook_int(request, "ErrorCode", 1, 0);
	if (event->code != 0)
		event->detail = webhook_text(request, "ErrorMessage");
	else if (strcmp(event->event, "failed") == 0)
		read_sip_response(request, event);
	return NULL;
}

static int parse_call_id(const struct http_request *request, int64_t *ret_call_id)
{
	const char *call = form_get(&request->query, "call");

	return call == NULL ? -EINVAL : text_int(call, 1, INT64_MAX, ret_call_id);
}

/* Of a call that came in: its URL is the number's and names no call. */
static void inbound_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	struct db_call_event event = {.call_id = 0};
	int err = 0;

	if (parse_status(task->request, &event) == NULL) {
		err = db_call_by_sid(ctx, event.leg_sid, &event.call_id);
		if (err == 0)
			err = calls_apply(task->gw, ctx, &event, 1);
	}
	/* One that never became a call of ours has nothing to end. */
	webhook_reply(task->gw, task->request->id, err < 0 && err != -ENOENT ? 503 : 204);
	webhook_job_free(task);
}

int webhooks_new(struct gateway *gw)
{
	return batch_new(
		&(struct batch_config){
			.jobs = gw->db,
			.limit = WAITING_MAX,
			.most = BATCH_MAX,
			.gather_us = 2000,
			.work = write_batch,
			.arg = gw,
		},
		&gw->statuses);
}

void webhooks_free(struct gateway *gw)
{
	batch_free(&gw->statuses);
}

int webhook_call_status(struct gateway *gw, struct http_request *request)
{
	struct status_post *status = calloc(1, sizeof(*status));
	const char *missing;
	int err;

	if (form_get(&request->query, "leg") != NULL) {
		free(status);
		return agent_leg_status(gw, request);
	}
	if (form_get(&request->query, "inbound") != NULL) {
		free(status);
		return webhook_job_put(gw, request, inbound_work);
	}
	if (status == NULL)
		return -EAGAIN;
	missing = parse_call_id(request, &status->event.call_id) < 0
			  ? "call in its URL"
			  : parse_status(request, &status->event);
	if (missing != NULL) {
		free(status);
		webhook_refuse(gw, request->id, missing);
		http_request_free(&request);
		return 0;
	}
	status->post.run = status_drop; /* only ever taken */
	status->post.drop = status_drop;
	status->request = request;
	err = batch_put(gw->statuses, &status->post);
	if (err < 0)
		free(status);
	return err;
}

/* A customer's leg: one more event of its call. */
static int conference_customer(struct gateway *gw, struct db *db,
	const struct http_request *request, const char *event, const char *label)
{
	const char *conference = webhook_sid(request, "ConferenceSid");
	struct db_call_event told = {
		.source = "conference",
		.source_sid = conference == NULL ? label : conference,
		.sequence = webhook_int(request, "SequenceNumber", 0, -1),
		.event = event,
		.at_ms = webhook_at_ms(request),
		.leg_sid = webhook_sid(request, "CallSid"),
		.duration_s = -1,
	};
	int err;

	err = db_call_by_label(db, label, &told.call_id);
	if (err < 0)
		return err;
	return calls_apply(gw, db, &told, 1);
}

/* What the person is told before the call is recorded was heard, or could not be played. */
static void announcement(
	struct gateway *gw, struct db *db, const struct http_request *request, bool heard)
{
	const char *session = form_get(&request->query, "session");
	int64_t id;

	if (session != NULL && text_int(session, 1, INT64_MAX, &id) == 0)
		recordings_announced(gw, db, id, heard);
}

static void conference_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const char *told = webhook_text(task->request, "StatusCallbackEvent");
	const char *label = webhook_text(task->request, "ParticipantLabel");
	const char *sid = webhook_sid(task->request, "CallSid");
	const char *event = NULL;
	int err = 0;

	if (told != NULL && strcmp(told, "participant-join") == 0)
		event = "joined";
	else if (told != NULL && strcmp(told, "participant-leave") == 0)
		event = "left";
	/* The other events tell nothing that the legs do not. */
	if (event != NULL && label != NULL && sid != NULL) {
		err = agent_leg_conference(task->gw, ctx, task->request, event);
		if (err == -ENOENT)
			err = conference_customer(
				task->gw, ctx, task->request, event, label);
	}
	if (told != NULL && strncmp(told, "announcement-", 13) == 0)
		announcement(task->gw, ctx, task->request, strcmp(told + 13, "end") == 0);
	webhook_reply(task->gw, task->request->id, err < 0 && err != -ENOENT ? 503 : 204);
	webhook_job_free(task);
}

int webhook_conference(struct gateway *gw, struct http_request *request)
{
	return webhook_job_put(gw, request, conference_work);
}
