/* agent_webhook.c: webhooks about agents' legs. See agent_webhook.h. */
#include "gateway/agent_webhook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "db/legs.h"
#include "gateway/agent.h"
#include "gateway/agent_ring.h"
#include "gateway/call_table.h"
#include "gateway/webhook_request.h"
#include "twilio/calls.h"

static bool is_over(const char *status)
{
	return strcmp(status, "completed") == 0 || strcmp(status, "busy") == 0 ||
	       strcmp(status, "no-answer") == 0 || strcmp(status, "failed") == 0 ||
	       strcmp(status, "canceled") == 0;
}

/* News of a leg that we do not know is no reason to send it again. */
static void task_done(struct webhook_job *task, int err)
{
	webhook_reply(task->gw, task->request->id, err < 0 && err != -ENOENT ? 503 : 204);
	webhook_job_free(task);
}

/* ---- a leg's own status ---- */

static const char *parse_status(
	const struct http_request *request, struct agent_leg_news *news)
{
	const char *leg = form_get(&request->query, "leg");
	const char *status = webhook_text(request, "CallStatus");
	const char *sid = webhook_sid(request, "CallSid");

	if (text_int(leg, 1, INT64_MAX, &news->leg_id) < 0)
		return "leg in its URL";
	if (sid == NULL)
		return "CallSid";
	if (status == NULL || call_table_event(status) == NULL)
		return "CallStatus";
	(void)text_copy(news->sid, sizeof(news->sid), sid);
	news->ended = is_over(status);
	news->how = agent_leg_end(status);
	(void)snprintf(news->detail, sizeof(news->detail), "Its leg: %s.", status);
	return NULL;
}

static void status_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	struct agent_leg_news news = {.leg_id = 0};

	(void)parse_status(task->request, &news);
	task_done(task, agent_leg_news_store(task->gw, ctx, &news));
}

int agent_leg_status(struct gateway *gw, struct http_request *request)
{
	struct agent_leg_news news = {.leg_id = 0};
	const char *missing = parse_status(request, &news);

	if (missing == NULL)
		return webhook_job_put(gw, request, status_work);
	webhook_refuse(gw, request->id, missing);
	http_request_free(&request);
	return 0;
}

/* ---- in the conference ---- */

/* A leg that joins though nobody wants it: given up before, or replaced since. */
static void end_stray(struct gateway *gw, const struct db_agent_session *session,
	const char *label, const char *sid)
{
	bool newest = strcmp(session->leg_label, label) == 0;

	if (strcmp(session->endpoint, "sip") == 0 || (newest && !session->leg_left))
		return;
	log_info("agent", session->call_id, "%s: a leg joined that was given up: ended",
		session->username);
	/* Of no leg's id: its own webhooks tell that it is gone. */
	(void)twilio_call_update(gw->twilio, AGENT_RING_ID, sid, "completed");
}

static int joined(struct gateway *gw, struct db *db, const char *label, const char *sid)
{
	struct db_agent_session session;
	int err = db_agent_leg_joined(db, label, sid, &session);

	if (err < 0)
		return err;
	end_stray(gw, &session, label, sid);
	agent_changed(gw, &session);
	return 0;
}

/* Who hangs up leaves with "participant_hung_up"; one that never joined could not be added. */
static enum db_leg_end why_left(const struct http_request *request)
{
	const char *why = webhook_text(request, "ReasonParticipantLeft");
	const char *status = webhook_text(request, "ParticipantCallStatus");

	if (why != NULL && strcmp(why, "participant_hung_up") != 0 &&
		strcmp(why, "participant_add_failed") != 0)
		return DB_LEG_LOST;
	return status != NULL ? agent_leg_end(status) : DB_LEG_HUNG_UP;
}

static int left(struct gateway *gw, struct db *db, const struct http_request *request,
	const char *label, const char *sid)
{
	struct agent_leg_news news = {.ended = true, .how = why_left(request)};
	struct db_agent_session session;
	int err;

	(void)text_copy(news.label, sizeof(news.label), label);
	(void)text_copy(news.sid, sizeof(news.sid), sid);
	err = agent_leg_news_store(gw, db, &news);
	if (err != -ENOENT)
		return err;
	/* A SIP phone's: its dialog tells the rest. */
	err = db_agent_leg_left(db, label, sid, &session);
	if (err == 0)
		agent_changed(gw, &session);
	return err;
}

static void conference_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const struct http_request *request = task->request;
	const char *label = webhook_text(request, "ParticipantLabel");
	const char *sid = webhook_sid(request, "CallSid");
	const char *event = webhook_text(request, "StatusCallbackEvent");

	task_done(task, strcmp(event, "participant-join") == 0
				? joined(task->gw, ctx, label, sid)
				: left(task->gw, ctx, request, label, sid));
}

int agent_leg_conference(struct gateway *gw, struct http_request *request)
{
	return webhook_job_put(gw, request, conference_work);
}
