/* agent_ring.c: agents whom Twilio rings, on the loop. See agent_ring.h. */
#include "gateway/agent_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/call_table.h"
#include "gateway/twilio_health.h"
#include "gateway/urls.h"
#include "gateway/verdict.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "twilio/errors.h"

#define RING_S 25
#define LEG_MAX_MS 45000 /* it rings, Twilio adds 5 s, and its webhooks may be late */
#define CHECK_MS 3000    /* of a leg that rings or is to end */
#define ALIVE_MS 60000   /* of one that is up: a lost webhook must not keep it for ever */
#define YOUNG_MS 5000    /* a leg that the agent made itself may be before its call */
#define GO_AGAIN_MS 1000

bool agent_is_rung(const struct agent *agent)
{
	return strcmp(agent->row.endpoint, "sip") != 0;
}

bool agent_gave_up(const struct db_agent_session *row)
{
	return !row->wants_ready &&
	       (strcmp(row->pause_reason, DB_REASON_UNANSWERED) == 0 ||
		       strcmp(row->pause_reason, DB_REASON_HUNG_UP) == 0 ||
		       strcmp(row->pause_reason, DB_REASON_REFUSED) == 0);
}

static bool leg_open(const struct agent *agent)
{
	return agent->row.leg_id != 0 && !agent->row.leg_left;
}

/* One that is renewed is ended first: a phone has one line. */
static bool leg_needed(const struct agent *agent)
{
	return agent_wanted(agent) && !agent->row.leg_renew;
}

static uint64_t leg_request(const struct agent *agent)
{
	return AGENT_RING_ID | (uint64_t)agent->row.leg_id;
}

static void leg_is_gone(struct agent *agent, enum db_leg_end how, const char *detail)
{
	struct agent_leg_news news = {
		.leg_id = agent->row.leg_id, .ended = true, .how = how};

	(void)text_copy(news.detail, sizeof(news.detail), detail);
	agent_leg_news(agent->gw, &news);
}

/* ---- ringing ---- */

struct ring_job {
	struct job job;
	struct gateway *gw;
	int64_t session_id;
	int err;
	int64_t wait_ms;
	struct db_agent_leg leg;
};

static void ring_drop(struct job *job)
{
	free(list_entry(job, struct ring_job, job));
}

static void ring_work(struct job *job, void *ctx)
{
	struct ring_job *task = list_entry(job, struct ring_job, job);
	struct db_leg_ring ring = {.session_id = task->session_id,
		.install = task->gw->install,
		.caller_id = config_text(task->gw->config, "TWILIO_PHONE_NUMBER")};
	struct db_agent_session session;
	int err = -ENOENT;

	task->err = db_agent_leg_ring(ctx, &ring, &task->leg, &task->wait_ms);
	/* The row tells the loop of the leg, or what is different from what the loop thought. */
	if (task->err == -EBUSY)
		err = db_agent_leg_held(ctx, &ring, &session);
	else if (task->err != -EAGAIN)
		err = db_agent_session_get(ctx, task->session_id, &session);
	if (err == 0)
		agent_changed(task->gw, &session);
}

static void address(const struct agent *agent, char *to, size_t size)
{
	if (strcmp(agent->row.endpoint, "phone") == 0)
		(void)snprintf(to, size, "%s", agent->row.endpoint_number);
	else
		(void)snprintf(to, size, "client:" AGENT_IDENTITY, agent->row.user_id);
}

static int ring_send(struct agent *agent, const struct db_agent_leg *leg)
{
	struct gateway *gw = agent->gw;
	char to[64], status[URL_SIZE], conference[URL_SIZE];

	address(agent, to, sizeof(to));
	url_leg_status(gw, leg->id, status);
	url_conference(gw, agent->row.id, conference);
	agent->rung_leg = leg->id;
	(void)text_copy(agent->rung_from, sizeof(agent->rung_from), leg->caller_id);
	return twilio_participant_create(gw->twilio, AGENT_RING_ID | (uint64_t)leg->id,
		&(struct twilio_participant){
			.conference = leg->conference,
			.from = leg->caller_id,
			.to = to,
			.label = leg->label,
			.timeout_s = RING_S,
			.early_media = false,
			.status_callback = status,
			.conference_status_callback = conference,
		});
}

static void ring_done(struct job *job)
{
	struct ring_job *task = list_entry(job, struct ring_job, job);
	struct agent *agent = agent_find(task->gw, task->session_id);
	struct agent_leg_news unsent = {
		.leg_id = task->leg.id, .ended = true, .how = DB_LEG_UNSENT};

	if (agent != NULL)
		agent->twilio.starting = false;
	if ((task->err == -EAGAIN || task->err == -EBUSY) && agent != NULL)
		timer_start(task->gw->timers, &agent->twilio.retry, task->wait_ms);
	else if (task->err < 0 && agent != NULL)
		agent_retry(&agent->twilio);
	else if (task->err == 0 && (agent == NULL || ring_send(agent, &task->leg) < 0))
		agent_leg_news(task->gw, &unsent);
	if (agent != NULL)
		agent_step(agent);
	free(task);
}

static void ring(struct agent *agent)
{
	struct ring_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = ring_work;
		task->job.done = ring_done;
		task->job.drop = ring_drop;
		task->gw = agent->gw;
		task->session_id = agent->row.id;
		if (jobs_put(agent->gw->db, &task->job) == 0) {
			agent->twilio.starting = true;
			return;
		}
		free(task);
	}
	agent_retry(&agent->twilio);
}

/* ---- what the row wants ---- */

static void end_leg(struct agent *agent)
{
	int64_t age_ms = clock_wall_ms() - agent->row.leg_created_ms;

	if (agent->row.leg_sid[0] != '\0')
		(void)twilio_call_update(agent->gw->twilio, leg_request(agent),
			agent->row.leg_sid, "completed");
	else if (age_ms > LEG_MAX_MS)
		leg_is_gone(agent, DB_LEG_UNSENT, "No news of it.");
}

/* Ends what nobody wants, at once; the check comes back to what does not end. */
static void look_after(struct agent *agent, bool needed)
{
	bool old = clock_wall_ms() - agent->row.leg_created_ms > YOUNG_MS;
	struct timers *timers = agent->gw->timers;

	if (needed) {
		agent->ending = false;
		if (!timer_started(&agent->join_check))
			timer_start(timers, &agent->join_check,
				agent->row.leg_joined ? ALIVE_MS : CHECK_MS);
		return;
	}
	if (agent->ending)
		return;
	agent->ending = agent->row.leg_joined || old;
	if (agent->ending)
		end_leg(agent);
	timer_start(timers, &agent->join_check, CHECK_MS);
}

/* Its end brings the next one, but later each time: Twilio may refuse them all. */
static void count_failure(struct agent *agent)
{
	const struct db_agent_session *row = &agent->row;

	if (row->leg_id == 0 || row->leg_joined || row->leg_id == agent->failed_leg)
		return;
	agent->failed_leg = row->leg_id;
	agent_retry(&agent->twilio);
}

bool agent_ring_step(struct agent *agent)
{
	if (leg_open(agent)) {
		if (agent->row.leg_joined)
			agent->twilio.failures = 0;
		look_after(agent, leg_needed(agent));
		return false;
	}
	timer_stop(&agent->join_check);
	agent->ending = false;
	count_failure(agent);
	if (agent_wanted(agent) && (agent->call_phone || agent->row.call_id != 0) &&
		!agent->twilio.starting && !timer_started(&agent->twilio.retry))
		ring(agent);
	return !agent->twilio.starting;
}

void agent_ring_check(struct agent *agent)
{
	struct gateway *gw = agent->gw;
	const struct db_agent_session *row = &agent->row;

	agent->ending = false;
	if (leg_open(agent) && leg_needed(agent)) {
		if (row->leg_joined && row->leg_sid[0] != '\0')
			(void)twilio_call_fetch(
				gw->twilio, leg_request(agent), row->leg_sid);
		else if (clock_wall_ms() - row->leg_created_ms > LEG_MAX_MS)
			leg_is_gone(agent, DB_LEG_HUNG_UP, "The agent did not answer.");
		else /* the join webhook may be lost */
			(void)twilio_conference_find(
				gw->twilio, (uint64_t)row->id, row->leg_conference);
	}
	agent_step(agent);
}

/* ---- the customer's turn ---- */

struct go_job {
	struct job job;
	struct gateway *gw;
	int64_t session_id, call_id;
	int err;
	struct db_claimed claimed;
};

static void go_drop(struct job *job)
{
	free(list_entry(job, struct go_job, job));
}

static void go_work(struct job *job, void *ctx)
{
	struct go_job *task = list_entry(job, struct go_job, job);
	const struct db_claimed *claimed = &task->claimed;
	struct call_news no = {.call_id = task->call_id,
		.events = {"unsent"},
		.count = 1,
		.at_ms = clock_wall_ms(),
		.duration_s = -1};

	task->err = db_call_go(ctx,
		&(struct db_go){.call_id = task->call_id,
			.node = task->gw->node,
			.manual = verdict_manual,
			.automatic = verdict_auto,
			.arg = task->gw},
		&task->claimed);
	if (task->err < 0 || claimed->result == DB_CLAIM_RATE)
		return;
	if (claimed->result == DB_CLAIM_CALL) {
		call_place(task->gw, claimed, 0);
		return;
	}
	(void)snprintf(no.detail, sizeof(no.detail), "%s",
		claimed->result == DB_CLAIM_REFUSED ? claimed->reason
						    : "The campaign was stopped.");
	call_news(task->gw, &no);
}

static void go_done(struct job *job)
{
	struct go_job *task = list_entry(job, struct go_job, job);
	struct agent *agent = agent_find(task->gw, task->session_id);

	if (agent != NULL) {
		agent->going = false;
		if (task->err < 0 && task->err != -ENOENT)
			timer_start(task->gw->timers, &agent->go, GO_AGAIN_MS);
		else if (task->claimed.result == DB_CLAIM_RATE)
			timer_start(task->gw->timers, &agent->go, task->claimed.wait_ms);
		else
			agent->gone_call = task->call_id;
	}
	free(task);
}

void agent_ring_go(struct agent *agent)
{
	const struct db_agent_session *row = &agent->row;
	struct go_job *task;

	if (strcmp(row->call_state, "claimed") != 0 || !row->phone_up ||
		!row->twilio_up || agent->going || agent->gone_call == row->call_id ||
		timer_started(&agent->go))
		return;
	task = calloc(1, sizeof(*task));
	if (task != NULL) {
		task->job.work = go_work;
		task->job.done = go_done;
		task->job.drop = go_drop;
		task->gw = agent->gw;
		task->session_id = row->id;
		task->call_id = row->call_id;
		if (jobs_put(agent->gw->db, &task->job) == 0) {
			agent->going = true;
			return;
		}
		free(task);
	}
	timer_start(agent->gw->timers, &agent->go, GO_AGAIN_MS);
}

/* ---- what Twilio says ---- */

/* An agent who has signed out meanwhile needs nobody to know; the next one tells it. */
static void stop_caller(
	struct gateway *gw, const struct twilio_answer *answer, int64_t leg_id)
{
	struct list *node, *tmp;

	list_for_each(&gw->agents->all, node, tmp)
	{
		const struct agent *agent = list_entry(node, struct agent, node);

		if (agent->rung_leg == leg_id)
			twilio_health_caller(gw, answer, agent->rung_from);
	}
}

static void answer_create(struct gateway *gw, const struct twilio_answer *answer,
	struct agent_leg_news *news)
{
	const struct twilio_error *error =
		twilio_error(answer->code, answer->http_status);

	if (answer->result == TWILIO_LOST)
		return; /* it may be ringing: its webhooks tell, or the check */
	news->ended = answer->result != TWILIO_OK;
	/* What stops the account or the caller id is not the agent's fault. */
	news->how = answer->result == TWILIO_NOT_SENT || error->stop >= TWILIO_STOP_CALLER
			    ? DB_LEG_UNSENT
			    : DB_LEG_REFUSED;
	if (answer->result == TWILIO_REFUSED && error->stop == TWILIO_STOP_CALLER)
		stop_caller(gw, answer, news->leg_id);
	(void)text_copy(news->sid, sizeof(news->sid), answer->sid);
	if (answer->result == TWILIO_REFUSED)
		twilio_health_explain(answer, news->detail, sizeof(news->detail));
	else
		(void)snprintf(news->detail, sizeof(news->detail), "%s", answer->message);
	agent_leg_news(gw, news);
}

/* Of a leg that was fetched or ended: is it over? */
static void answer_call(struct gateway *gw, const struct twilio_answer *answer,
	struct agent_leg_news *news)
{
	static const char *const over[] = {
		"completed", "busy", "no-answer", "failed", "canceled", NULL};

	if (news->leg_id == 0)
		return;
	news->ended = twilio_call_over(answer);
	news->how = answer->op == TWILIO_CALL_UPDATE ? DB_LEG_HUNG_UP : DB_LEG_LOST;
	for (size_t i = 0;
		answer->result == TWILIO_OK && answer->count > 0 && over[i] != NULL;
		i++) {
		if (strcmp(answer->list.calls[0].status, over[i]) != 0)
			continue;
		news->ended = true;
		news->how = agent_leg_end(over[i]);
	}
	if (news->ended)
		agent_leg_news(gw, news);
}

void agent_ring_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	struct agent_leg_news news = {.leg_id = (int64_t)(answer->id & ~AGENT_RING_ID)};

	if (answer->result != TWILIO_OK)
		log_warn("agent", 0, "leg %" PRId64 ": Twilio: %s code=%d http=%d",
			news.leg_id, answer->message, answer->code, answer->http_status);
	if (answer->op == TWILIO_PARTICIPANT_CREATE)
		answer_create(gw, answer, &news);
	else
		answer_call(gw, answer, &news);
}
