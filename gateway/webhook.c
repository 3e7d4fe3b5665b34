/* webhook.c: status and conference webhooks, read. See webhook.h. */
#include "gateway/webhook.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/list.h"
#include "base/text.h"
#include "db/calls.h"
#include "gateway/agent_webhook.h"
#include "gateway/amd_webhook.h"
#include "gateway/call.h"
#include "gateway/call_table.h"
#include "gateway/recording.h"
#include "gateway/webhook_batch.h"
#include "gateway/webhook_request.h"
#include "twilio/errors.h"

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

int webhook_call_status(struct gateway *gw, struct http_request *request)
{
	struct db_call_event event = {.call_id = 0};
	struct webhook_news news = {.count = 0};
	const char *missing;

	if (form_get(&request->query, "leg") != NULL)
		return agent_leg_status(gw, request);
	if (form_get(&request->query, "inbound") != NULL)
		return webhook_job_put(gw, request, inbound_work);
	missing = parse_call_id(request, &event.call_id) < 0
			  ? "call in its URL"
			  : parse_status(request, &event);
	if (missing != NULL) {
		webhook_refuse(gw, request->id, missing);
		http_request_free(&request);
		return 0;
	}
	/* Who picked up, when it says so, then the status. */
	if (amd_event(request, event.call_id, &news.events[0]))
		news.count++;
	news.events[news.count++] = event;
	return webhook_batch_put(gw, request, &news);
}

/* What the person is told before the call is recorded was heard, or could not be played. */
static void announcement_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const char *told = webhook_text(task->request, "StatusCallbackEvent");
	int err = recordings_announced(
		task->gw, ctx, task->request, strcmp(told, "announcement-end") == 0);

	webhook_reply(task->gw, task->request->id, err < 0 ? 503 : 204);
	webhook_job_free(task);
}

/* As we make them: "ovx-", the install and numbers. What else is in a conference is not ours. */
static bool is_label(const char *label)
{
	return strncmp(label, "ovx-", 4) == 0 &&
	       label[strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Whoever joined or left, as if a customer: one more event of its call. False: nobody did. */
static bool parse_participant(const struct http_request *request, const char *told,
	struct webhook_news *ret_news)
{
	const char *conference = webhook_sid(request, "ConferenceSid");
	const char *label = webhook_text(request, "ParticipantLabel");
	const char *sid = webhook_sid(request, "CallSid");
	bool joined = strcmp(told, "participant-join") == 0;

	if ((!joined && strcmp(told, "participant-leave") != 0) || label == NULL ||
		!is_label(label) || sid == NULL)
		return false;
	*ret_news = (struct webhook_news){.count = 1, .label = label};
	ret_news->events[0] = (struct db_call_event){
		.source = "conference",
		.source_sid = conference == NULL ? label : conference,
		.sequence = webhook_int(request, "SequenceNumber", 0, -1),
		.event = joined ? "joined" : "left",
		.at_ms = webhook_at_ms(request),
		.leg_sid = sid,
		.duration_s = -1,
	};
	return true;
}

int webhook_conference(struct gateway *gw, struct http_request *request)
{
	const char *told = webhook_text(request, "StatusCallbackEvent");
	struct webhook_news news;

	if (told != NULL && strncmp(told, "announcement-", 13) == 0)
		return webhook_job_put(gw, request, announcement_work);
	if (told != NULL && parse_participant(request, told, &news))
		return webhook_batch_put(gw, request, &news);
	/* The other events tell nothing that the legs do not. */
	webhook_reply(gw, request->id, 204);
	http_request_free(&request);
	return 0;
}
