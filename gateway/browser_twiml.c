/* browser_twiml.c: what an agent's browser is to do. See browser_twiml.h. */
#include "gateway/browser_twiml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "db/calls.h"
#include "db/legs.h"
#include "db/users.h"
#include "dialer/number.h"
#include "gateway/agent.h"
#include "gateway/agent_ring.h"
#include "gateway/call.h"
#include "gateway/drain.h"
#include "gateway/metrics.h"
#include "gateway/twiml_reply.h"
#include "gateway/verdict.h"
#include "gateway/webhook_request.h"
#include "twilio/calls.h"

#define PLACING_MS 20000

#define SAY_SIGNED_OUT "You are not signed in. Sign in first, then call."
#define SAY_NO_BROWSER \
	"This agent does not work with a browser. An administrator can change that."
#define SAY_NO_CALL "You are signed in. You will be called when there is a call for you."
#define SAY_NUMBER "This is no number that can be called."
#define SAY_REFUSED "This call is not possible now."
#define SAY_WHICH_CAMPAIGN                                                 \
	"You are signed in to several campaigns. Sign in to the one that " \
	"this call is for."
#define SAY_NOT_PERMITTED "This call is not permitted."

/* The agent of From; 0: nobody of ours. */
static int64_t agent_of(const struct http_request *request)
{
	static const char prefix[] = "client:agent-";
	const char *from = webhook_text(request, "From");
	int64_t id = 0;

	if (from == NULL || strncmp(from, prefix, sizeof(prefix) - 1) != 0 ||
		text_int(from + sizeof(prefix) - 1, 1, INT64_MAX, &id) < 0)
		return 0;
	return id;
}

/* The agent's leg of before makes room for this one. */
static void end_other(
	struct gateway *gw, const struct db_agent_session *before, const char *sid)
{
	if (before->leg_id != 0 && !before->leg_left && before->leg_sid[0] != '\0' &&
		strcmp(before->leg_sid, sid) != 0)
		(void)twilio_call_update(
			gw->twilio, AGENT_RING_ID, before->leg_sid, "completed");
}

/* Claims the number for the agent whose leg this is. NULL: done; else what to say. */
static const char *dial(struct gateway *gw, struct db *db,
	const struct db_agent_session *session, const char *number, const char *sid)
{
	struct db_claimed claimed;
	int64_t known, campaign = session->campaign_id;
	int err;

	if (db_call_by_correlation(db, sid, &known) == 0)
		return NULL;
	if (campaign == 0 && db_agent_only_campaign(db, session->user_id, &campaign) < 0)
		return SAY_WHICH_CAMPAIGN;
	err = db_call_claim(db,
		&(struct db_claim){
			.campaign_id = campaign,
			.dial =
				&(struct db_dial){
					.number = number, .name = "", .correlation = sid},
			.session_id = session->id,
			.manual = true,
			.own_leg = true,
			.node = gw->node,
			.install = gw->install,
			.deadline_ms = PLACING_MS,
			.verdict = verdict_manual,
			.arg = gw,
		},
		&claimed);
	metrics_claim(err, &claimed);
	if (err < 0 && db_call_by_correlation(db, sid, &known) == 0)
		return NULL;
	if (err < 0 || claimed.result != DB_CLAIM_CALL)
		return err == 0 && claimed.result == DB_CLAIM_REFUSED ? SAY_NOT_PERMITTED
								      : SAY_REFUSED;
	call_place(gw, &claimed, 0);
	return NULL;
}

/* Nothing comes of this leg, and it is nobody's fault. */
static void give_up(struct gateway *gw, struct db *db, int64_t leg_id)
{
	const struct agent_leg_news news = {
		.leg_id = leg_id, .ended = true, .how = DB_LEG_UNSENT};

	(void)agent_leg_news_store(gw, db, &news);
}

/* NULL: it goes to the leg's conference; else what to say. */
static const char *admit(struct gateway *gw, struct db *db,
	const struct http_request *request, struct db_agent_leg *ret_leg)
{
	const char *sid = webhook_sid(request, "CallSid");
	const char *to = webhook_text(request, "To");
	bool dials = to != NULL && to[0] != '\0';
	struct db_agent_session before, session;
	char number[NUMBER_SIZE];
	const char *why = NULL;
	int64_t known;
	int err;

	if (dials && number_normalise(to, NULL, number) < 0)
		return SAY_NUMBER;
	err = db_agent_session_of_user(db, agent_of(request), &before);
	if (err == 0 && !before.nailed && !dials)
		return SAY_NO_CALL;
	/* Another call: its customer keeps the agent. Drained: the agent keeps the leg it has. */
	if (err == 0 && dials && (before.call_id != 0 || drain_active(gw)) &&
		db_call_by_correlation(db, sid, &known) < 0)
		return SAY_REFUSED;
	if (err == 0)
		err = db_agent_leg_own(db, before.user_id, sid, gw->install, ret_leg);
	if (err < 0)
		return err == -EPERM ? SAY_NO_BROWSER : SAY_SIGNED_OUT;
	end_other(gw, &before, sid);
	if (dials)
		why = dial(gw, db, &before, number, sid);
	if (why != NULL)
		give_up(gw, db, ret_leg->id);
	else if (db_agent_session_get(db, before.id, &session) == 0)
		agent_changed(gw, &session);
	return why;
}

static void browser_work(struct job *job, void *ctx)
{
	struct webhook_job *task = list_entry(job, struct webhook_job, job);
	const struct http_request *request = task->request;
	struct db_agent_leg leg = {.id = 0};
	const char *why = SAY_SIGNED_OUT;

	if (webhook_sid(request, "CallSid") != NULL && agent_of(request) != 0)
		why = admit(task->gw, ctx, request, &leg);
	if (why == NULL) {
		twiml_send_conference(task->gw, request->id, leg.agent_session_id,
			leg.conference, leg.label);
	} else {
		log_info("webhook", 0, "browser of agent %" PRId64 ": %s",
			agent_of(request), why);
		twiml_send_goodbye(task->gw, request->id, why);
	}
	webhook_job_free(task);
}

int twiml_browser(struct gateway *gw, struct http_request *request)
{
	return webhook_job_put(gw, request, browser_work);
}
