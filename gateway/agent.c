/* agent.c: agent sessions on the loop. See agent.h. */
#include "gateway/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/log.h"
#include "base/post.h"
#include "gateway/agent_live.h"
#include "gateway/agent_ring.h"
#include "gateway/call_control.h"
#include "gateway/campaign.h"
#include "gateway/events.h"
#include "gateway/nodes.h"

#define RETRY_MS 500
#define RETRY_MAX_MS 10000

static bool is(const struct agent *agent, const char *state)
{
	return strcmp(agent->row.state, state) == 0;
}

struct agent *agent_find(struct gateway *gw, int64_t session_id)
{
	struct list *node, *tmp;

	list_for_each(&gw->agents->all, node, tmp)
	{
		struct agent *agent = list_entry(node, struct agent, node);

		if (agent->row.id == session_id)
			return agent;
	}
	return NULL;
}

static void retry_fire(struct timer *timer)
{
	agent_step(list_entry(timer, struct agent_side, retry)->agent);
}

void agent_retry(struct agent_side *side)
{
	int64_t wait = RETRY_MS;

	for (unsigned i = 0; i < side->failures && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	side->failures++;
	timer_start(side->agent->gw->timers, &side->retry,
		wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

static void go_fire(struct timer *timer)
{
	agent_step(list_entry(timer, struct agent, go));
}

static void side_init(struct agent *agent, struct agent_side *side, enum rtp_side which)
{
	side->agent = agent;
	side->side = which;
	side->retry.fire = retry_fire;
}

static struct agent *agent_new(struct gateway *gw, const struct db_agent_session *row)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (agent == NULL)
		return NULL;
	agent->gw = gw;
	agent->row = *row;
	side_init(agent, &agent->phone, RTP_PHONE);
	side_init(agent, &agent->twilio, RTP_TWILIO);
	agent->join_check.fire = agent_check_fire;
	agent->go.fire = go_fire;
	list_add_tail(&gw->agents->all, &agent->node);
	return agent;
}

/* Without a message to anybody: the dialogs live on and are resumed by the next worker. */
static void agent_free(struct agent *agent)
{
	timer_stop(&agent->phone.retry);
	timer_stop(&agent->twilio.retry);
	timer_stop(&agent->join_check);
	timer_stop(&agent->go);
	sip_dialog_free(&agent->phone.dialog);
	sip_dialog_free(&agent->twilio.dialog);
	list_remove(&agent->node);
	free(agent);
}

int agents_new(struct gateway *gw, struct agents **ret_agents)
{
	struct agents *agents = calloc(1, sizeof(*agents));

	if (agents == NULL)
		return -ENOMEM;
	agents->gw = gw;
	list_init(&agents->all);
	list_init(&agents->unstored);
	*ret_agents = agents;
	return 0;
}

void agents_free(struct agents **agents)
{
	struct list *node, *tmp;

	if (*agents == NULL)
		return;
	list_for_each(&(*agents)->all, node, tmp)
		agent_free(list_entry(node, struct agent, node));
	agent_store_forget(*agents);
	free(*agents);
	*agents = NULL;
}

/* Signed out: hang up what is left; the last `ended` comes back here. */
static void agent_close(struct agent *agent)
{
	if (agent->phone.dialog != NULL || agent->twilio.dialog != NULL) {
		if (agent->phone.dialog != NULL)
			sip_dialog_hangup(agent->phone.dialog);
		if (agent->twilio.dialog != NULL)
			sip_dialog_hangup(agent->twilio.dialog);
		return;
	}
	if (agent->phone.starting || agent->twilio.starting)
		return; /* its job comes back and finds the session offline */
	if (agent->relay_open)
		rtp_session_close(agent->gw->relay, (uint64_t)agent->row.id);
	agent_free(agent);
}

bool agent_wanted(const struct agent *agent)
{
	return !is(agent, "offline") && (agent->row.nailed || agent->row.call_id != 0);
}

/*
 * Who is rung for each call is let go after it. The next call waits until the phone has been rung
 * for it, even while the end of this one is not confirmed.
 */
static void hang_up(struct agent *agent)
{
	agent->call_phone = false;
	if (agent->phone.dialog != NULL) {
		agent->phone.let_go = true;
		agent->phone.up = false;
		sip_dialog_hangup(agent->phone.dialog);
	}
	if (agent->twilio.dialog != NULL)
		sip_dialog_hangup(agent->twilio.dialog);
}

static bool on_a_call(const struct agent *agent)
{
	return is(agent, "reserved") || is(agent, "on_call");
}

/* Twilio soon ends this leg by itself: its end lets the next one begin, as after a loss. */
static void renew_leg(struct agent *agent)
{
	if (agent->row.leg_renew && agent->row.leg_id == agent->leg.id &&
		agent->twilio.dialog != NULL)
		sip_dialog_hangup(agent->twilio.dialog);
}

static void sip_step(struct agent *agent)
{
	static const struct rtp_side_params nowhere[RTP_SIDES];

	if (!agent->relay_open && agent_relay_open(agent, nowhere) < 0) {
		agent_retry(&agent->phone);
		return;
	}
	renew_leg(agent);
	/* Twilio answers before it knows what to do: what has joined has not failed. */
	if (agent->twilio.up && agent->row.twilio_up)
		agent->twilio.failures = 0;
	if (agent->phone.dialog == NULL && !agent->phone.starting && agent->call_phone &&
		!timer_started(&agent->phone.retry))
		agent_phone_start(agent);
	/* A customer who is there keeps the leg even while the phone is away. */
	if (agent->twilio.dialog == NULL && !agent->twilio.starting &&
		(agent->phone.up || (agent->row.nailed && on_a_call(agent))) &&
		!timer_started(&agent->twilio.retry))
		agent_twilio_start(agent);
	if (agent->twilio.up && !agent->row.twilio_up && agent->leg.id != 0 &&
		!timer_started(&agent->join_check))
		timer_start(agent->gw->timers, &agent->join_check, AGENT_CHECK_MS);
}

void agent_step(struct agent *agent)
{
	if (agent_is_rung(agent)) {
		if (agent_ring_step(agent) && is(agent, "offline")) {
			agent_free(agent);
			return;
		}
	} else if (is(agent, "offline")) {
		agent_close(agent);
		return;
	} else if (!agent_wanted(agent)) {
		hang_up(agent);
	} else {
		sip_step(agent);
	}
	agent_ring_go(agent);
}

/* ---- rows: from any thread to the loop ---- */

struct row_post {
	struct post post;
	struct gateway *gw;
	struct db_agent_session row;
};

static void row_drop(struct post *post)
{
	free(list_entry(post, struct row_post, post));
}

/*
 * Whether the phone is to be called, as the row changes: asked for by sign-in, Ready, or a call
 * for which it is rung; given up by a phone at Twilio that hung up or was not answered. What a
 * SIP phone does is seen by its dialog.
 */
static bool calls_phone(const struct agent *agent, const struct db_agent_session *now)
{
	const struct db_agent_session *was = &agent->row;

	if (now->wants_ready && !was->wants_ready)
		return true;
	if (!now->nailed)
		return now->call_id != 0 &&
		       (agent->call_phone || now->call_id != was->call_id);
	if (agent_is_rung(agent) && now->leg_left && !was->leg_left && agent_gave_up(now))
		return false;
	return agent->call_phone;
}

static bool wanted_anew(
	const struct db_agent_session *was, const struct db_agent_session *now)
{
	return (now->wants_ready && !was->wants_ready) ||
	       (now->call_id != 0 && now->call_id != was->call_id);
}

static void row_run(struct post *post)
{
	struct row_post *told = list_entry(post, struct row_post, post);
	struct gateway *gw = told->gw;
	struct agent *agent = agent_find(gw, told->row.id);
	bool offline = strcmp(told->row.state, "offline") == 0;

	/* Rows are read by several threads: one that was read earlier may come later. */
	if (agent != NULL && told->row.version < agent->row.version)
		goto out;
	events_agent(gw, &told->row);
	if (agent == NULL) {
		/* Another node's agent has its legs there. */
		if (offline || strcmp(told->row.node, gw->node) != 0)
			goto out;
		agent = agent_new(gw, &told->row);
		if (agent == NULL)
			goto out;
		agent->call_phone = true;
	}
	if (strcmp(agent->row.state, told->row.state) != 0)
		log_info("agent", told->row.call_id, "%s %s -> %s", told->row.username,
			agent->row.state, told->row.state);
	agent->call_phone = calls_phone(agent, &told->row);
	if (wanted_anew(&agent->row, &told->row)) {
		/* Legs that failed before are no reason to wait. */
		agent->twilio.failures = 0;
		timer_stop(&agent->twilio.retry);
	}
	/* A new leg in mid-call shall perhaps be muted, as the one before. */
	if (told->row.call_id != 0 && told->row.twilio_up && !agent->row.twilio_up)
		controls_wake(gw);
	agent->row = told->row;
	if (is(agent, "ready"))
		campaign_wake(gw, agent->row.campaign_id);
	agent_step(agent);
out:
	free(told);
}

void agent_changed(struct gateway *gw, const struct db_agent_session *session)
{
	struct row_post *told = calloc(1, sizeof(*told));

	if (told == NULL)
		return;
	told->post.run = row_run;
	told->post.drop = row_drop;
	told->gw = gw;
	told->row = *session;
	post_queue_answer(gw->queue, &told->post);
}

struct claimed_job {
	struct job job;
	struct gateway *gw;
	int64_t session_id;
};

static void claimed_work(struct job *job, void *ctx)
{
	struct claimed_job *task = list_entry(job, struct claimed_job, job);
	struct db_agent_session session;

	if (db_agent_session_get(ctx, task->session_id, &session) == 0)
		agent_changed(task->gw, &session);
	free(task);
}

static void claimed_drop(struct job *job)
{
	free(list_entry(job, struct claimed_job, job));
}

void agent_claimed(struct gateway *gw, int64_t session_id)
{
	struct claimed_job *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return; /* the call's deadline lets the agent go */
	task->job.work = claimed_work;
	task->job.drop = claimed_drop;
	task->gw = gw;
	task->session_id = session_id;
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

unsigned agents_ready(struct gateway *gw, int64_t campaign_id)
{
	struct list *node, *tmp;
	unsigned ready = nodes_ready(gw, campaign_id);

	list_for_each(&gw->agents->all, node, tmp)
	{
		struct agent *agent = list_entry(node, struct agent, node);

		/* Of all campaigns (0): the claim knows whether this is one of them. */
		if ((agent->row.campaign_id == campaign_id ||
			    agent->row.campaign_id == 0) &&
			is(agent, "ready"))
			ready++;
	}
	return ready;
}

size_t agents_count(struct gateway *gw)
{
	struct list *node, *tmp;
	size_t count = 0;

	list_for_each(&gw->agents->all, node, tmp) count++;
	return count;
}

int agents_ids(struct gateway *gw, int64_t **ret_ids, size_t *ret_count)
{
	struct list *node, *tmp;
	int64_t *ids = calloc(agents_count(gw) + 1, sizeof(*ids));
	size_t count = 0;

	if (ids == NULL)
		return -ENOMEM;
	list_for_each(&gw->agents->all, node, tmp) ids[count++] =
		list_entry(node, struct agent, node)->row.id;
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

void agents_versions(struct gateway *gw, int64_t *ret_versions)
{
	struct list *node, *tmp;

	list_for_each(&gw->agents->all, node, tmp) *ret_versions++ =
		list_entry(node, struct agent, node)->row.version;
}

/* ---- after a restart ---- */

static const struct db_dialog *dialog_of(const struct db_dialog *dialogs, size_t count,
	int64_t session_id, const char *side)
{
	for (size_t i = 0; i < count; i++)
		if (dialogs[i].agent_session_id == session_id &&
			strcmp(dialogs[i].side, side) == 0)
			return &dialogs[i];
	return NULL;
}

/* Where the relay shall send for a stored dialog: where it had settled, else the SDP's word. */
static void stored_remote(
	const struct db_dialog *dialog, bool learn, struct rtp_side_params *side)
{
	struct sdp_audio audio;

	side->learn = learn;
	if (dialog == NULL)
		return;
	if (addr_parse(dialog->media_remote, &side->remote) == 0)
		return;
	if (sdp_parse(dialog->remote_sdp, &audio) == 0)
		side->remote = audio.remote;
}

/* How many dialogs go on. The agent may be gone afterwards: signed out, and nothing left of it. */
static size_t agent_resume(struct agent *agent, const struct db_dialog *phone,
	const struct db_dialog *twilio)
{
	struct rtp_side_params sides[RTP_SIDES] = {{0}};
	size_t resumed;

	if (agent_is_rung(agent)) {
		agent->call_phone = !agent_gave_up(&agent->row);
		agent_step(agent);
		return 0;
	}
	stored_remote(phone, true, &sides[RTP_PHONE]);
	stored_remote(twilio, false, &sides[RTP_TWILIO]);
	if (agent_relay_open(agent, sides) < 0)
		phone = twilio = NULL;
	/* The session had a phone, or wants one. */
	agent->call_phone = agent->row.phone_up || phone != NULL ||
			    agent->row.call_id != 0 ||
			    (agent->row.nailed && agent->row.wants_ready);
	if (phone == NULL || agent_side_resume(&agent->phone, phone) < 0) {
		if (agent->row.phone_up)
			agent_store_phone_ended(agent, PHONE_LOST);
	}
	/* A leg of which we do not know that it joined is replaced. */
	if (twilio == NULL || !agent->row.twilio_up ||
		agent_side_resume(&agent->twilio, twilio) < 0) {
		if (twilio != NULL || agent->row.twilio_up)
			agent_store_twilio_ended(
				agent, twilio == NULL ? 0 : twilio->leg_id);
	}
	resumed = (size_t)agent->phone.up + agent->twilio.up;
	agent_step(agent);
	return resumed;
}

size_t agents_resume(struct gateway *gw, const struct db_agent_session *rows,
	size_t row_count, const struct db_dialog *dialogs, size_t dialog_count)
{
	size_t resumed = 0;

	for (size_t i = 0; i < row_count; i++) {
		struct agent *agent = agent_new(gw, &rows[i]);

		if (agent == NULL)
			continue;
		resumed += agent_resume(agent,
			dialog_of(dialogs, dialog_count, rows[i].id, "phone"),
			dialog_of(dialogs, dialog_count, rows[i].id, "twilio"));
	}
	return resumed;
}
