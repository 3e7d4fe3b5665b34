/* agent_store.c: writes what happened to an agent's legs, and tells the loop the new row. */
#include "gateway/agent_live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/agent.h"
#include "gateway/call.h"

#define AGAIN_MS 1000

enum store_what {
	STORE_ANSWERED,
	STORE_PHONE_ENDED,
	STORE_TWILIO_ENDED,
	STORE_PORTS,
	STORE_JOINED,
	STORE_MEDIA,
};

/* One job for all of them: what differs is a few fields. */
struct store_job {
	struct job job;
	struct gateway *gw;
	enum store_what what;
	enum rtp_side side;
	int64_t session_id, leg_id;
	enum phone_end how;
	int ports[RTP_SIDES];
	char label[64];
	char sid[DB_SID_SIZE];
	char media[ADDR_TEXT_SIZE];
	struct db_dialog dialog;
	unsigned told; /* of the side, when this happened */
	int err;
	/* While it waits to be tried again. */
	struct list node;
	struct timer again;
	bool tried;
};

static const char *side_word(enum rtp_side side)
{
	return side == RTP_PHONE ? "phone" : "twilio";
}

static int store_answered(
	struct store_job *task, struct db *db, struct db_agent_session *row)
{
	int err = db_dialog_put(db, &task->dialog);

	if (err < 0)
		return err;
	return task->side == RTP_PHONE
		       ? db_agent_session_phone(db, task->session_id, true, NULL, row)
		       : db_agent_session_get(db, task->session_id, row);
}

/* What the phone's end means for the call that holds its agent. */
static int tell_call(
	struct store_job *task, struct db *db, const struct db_agent_session *row)
{
	bool claimed = strcmp(row->call_state, "claimed") == 0;

	if (row->call_id == 0 || task->how == PHONE_LET_GO ||
		(!claimed && task->how != PHONE_HUNG_UP))
		return 0;
	return call_tell(task->gw, db, row->call_id, claimed ? "agent_missing" : "hangup",
		claimed ? "The agent did not answer." : "The agent hung up.");
}

/* Why a nailed agent is not to be called again by itself; NULL: it is. */
static const char *phone_reason(enum phone_end how)
{
	if (how == PHONE_HUNG_UP)
		return DB_REASON_HUNG_UP;
	return how == PHONE_REFUSED ? DB_REASON_UNANSWERED : NULL;
}

/*
 * The red button during a call ends the customer's call; while idle it signs out, if the agent
 * is nailed. A phone that does not answer when it is rung for a call leaves that to others.
 */
static int store_phone_ended(
	struct store_job *task, struct db *db, struct db_agent_session *row)
{
	bool hung_up = task->how == PHONE_HUNG_UP;
	int err;

	(void)db_dialog_delete(db, task->session_id, "phone");
	err = db_agent_session_phone(
		db, task->session_id, false, phone_reason(task->how), row);
	if (err < 0)
		return err;
	if (hung_up && row->nailed && row->call_id == 0 &&
		strcmp(row->state, "wrap_up") != 0) {
		err = db_agent_session_end(db, task->session_id);
		return err < 0 ? err : db_agent_session_get(db, task->session_id, row);
	}
	return tell_call(task, db, row);
}

static int store_twilio_ended(
	struct store_job *task, struct db *db, struct db_agent_session *row)
{
	(void)db_dialog_delete(db, task->session_id, "twilio");
	return db_agent_leg_lost(db, task->session_id, task->leg_id, row);
}

static void store_work(struct job *job, void *ctx)
{
	struct store_job *task = list_entry(job, struct store_job, job);
	struct db_agent_session row;
	int err = -EINVAL;

	switch (task->what) {
	case STORE_ANSWERED:
		err = store_answered(task, ctx, &row);
		break;
	case STORE_PHONE_ENDED:
		err = store_phone_ended(task, ctx, &row);
		break;
	case STORE_TWILIO_ENDED:
		err = store_twilio_ended(task, ctx, &row);
		break;
	case STORE_PORTS:
		err = db_agent_session_ports(ctx, task->session_id,
			task->ports[RTP_PHONE], task->ports[RTP_TWILIO]);
		if (err == 0)
			err = db_agent_session_get(ctx, task->session_id, &row);
		break;
	case STORE_JOINED:
		err = db_agent_leg_joined(ctx, task->label, task->sid, &row);
		break;
	case STORE_MEDIA:
		err = db_dialog_media(
			ctx, task->session_id, side_word(task->side), task->media);
		if (err == 0)
			goto out; /* nothing that the row shows */
		break;
	}
	if (err == 0)
		agent_changed(task->gw, &row);
	else if (!task->tried)
		log_warn("agent", 0, "session %" PRId64 " not stored (%d): %s",
			task->session_id, (int)task->what, db_error(ctx));
out:
	task->err = err;
}

static void try_later(struct store_job *task);

static void store_drop(struct job *job)
{
	free(list_entry(job, struct store_job, job));
}

/* Whether it is still so; what comes again by itself is not waited for. */
static bool is_true(const struct store_job *task)
{
	struct agent *agent = agent_find(task->gw, task->session_id);

	if (agent == NULL || task->what == STORE_JOINED || task->what == STORE_MEDIA)
		return false;
	if (task->what == STORE_PORTS)
		return true;
	return task->told ==
	       (task->side == RTP_PHONE ? agent->phone.told : agent->twilio.told);
}

static void put_again(struct timer *timer)
{
	struct store_job *task = list_entry(timer, struct store_job, again);

	list_remove(&task->node);
	if (!is_true(task))
		free(task);
	else if (jobs_put(task->gw->db, &task->job) < 0)
		try_later(task);
}

static void try_later(struct store_job *task)
{
	task->tried = true;
	task->again.fire = put_again;
	list_add_tail(&task->gw->agents->unstored, &task->node);
	timer_start(task->gw->timers, &task->again, AGAIN_MS);
}

static void store_done(struct job *job)
{
	struct store_job *task = list_entry(job, struct store_job, job);
	bool away = task->err == -EIO || task->err == -EAGAIN || task->err == -ENOMEM ||
		    task->err == -ENOSPC;

	if (away && is_true(task))
		try_later(task);
	else
		free(task);
}

void agent_store_forget(struct agents *agents)
{
	struct list *node, *tmp;

	list_for_each(&agents->unstored, node, tmp)
	{
		struct store_job *task = list_entry(node, struct store_job, node);

		timer_stop(&task->again);
		list_remove(&task->node);
		free(task);
	}
}

/* On the loop; STORE_MEDIA on any thread. */
static void store_put(struct gateway *gw, const struct store_job *what)
{
	struct store_job *task = malloc(sizeof(*task));

	if (task == NULL)
		return;
	*task = *what;
	task->gw = gw;
	task->job.work = store_work;
	task->job.done = store_done;
	task->job.drop = store_drop;
	if (jobs_put(gw->db, &task->job) == 0)
		return;
	log_warn("agent", 0, "session %" PRId64 " not stored: database workers are busy",
		task->session_id);
	if (what->what != STORE_MEDIA && is_true(task))
		try_later(task);
	else
		free(task);
}

/* The same of a side whose dialog came up or ended. */
static void store_side(struct agent_side *side, struct store_job *what)
{
	what->side = side->side;
	what->session_id = side->agent->row.id;
	what->told = ++side->told;
	store_put(side->agent->gw, what);
}

static int dialog_copy(const struct agent_side *side, struct db_dialog *dialog)
{
	struct sip_dialog_state *state = malloc(sizeof(*state));
	int err;

	if (state == NULL)
		return -ENOMEM;
	err = sip_dialog_state(side->dialog, state);
	if (err < 0)
		goto out;
	dialog->agent_session_id = side->agent->row.id;
	dialog->leg_id = side->side == RTP_TWILIO ? side->agent->leg.id : 0;
	(void)text_copy(dialog->side, sizeof(dialog->side), side_word(side->side));
	(void)text_copy(dialog->call_id, sizeof(dialog->call_id), state->call_id);
	(void)text_copy(dialog->local_uri, sizeof(dialog->local_uri), state->local_uri);
	(void)text_copy(dialog->local_tag, sizeof(dialog->local_tag), state->local_tag);
	(void)text_copy(
		dialog->remote_uri, sizeof(dialog->remote_uri), state->remote_uri);
	(void)text_copy(
		dialog->remote_tag, sizeof(dialog->remote_tag), state->remote_tag);
	(void)text_copy(dialog->remote_target, sizeof(dialog->remote_target),
		state->remote_target);
	(void)text_copy(dialog->routes, sizeof(dialog->routes), state->routes);
	(void)text_copy(dialog->next_hop, sizeof(dialog->next_hop), state->next_hop);
	(void)text_copy(dialog->local_sdp, sizeof(dialog->local_sdp), state->local_sdp);
	(void)text_copy(
		dialog->remote_sdp, sizeof(dialog->remote_sdp), state->remote_sdp);
	dialog->local_seq = state->local_seq;
	dialog->remote_seq = state->remote_seq;
out:
	free(state);
	return err;
}

void agent_store_answered(struct agent_side *side)
{
	struct store_job task = {.what = STORE_ANSWERED};

	if (dialog_copy(side, &task.dialog) < 0) {
		log_error("agent", 0, "%s: the %s dialog cannot be kept",
			side->agent->row.username, side_word(side->side));
		return;
	}
	store_side(side, &task);
}

void agent_store_phone_ended(struct agent *agent, enum phone_end how)
{
	store_side(&agent->phone,
		&(struct store_job){.what = STORE_PHONE_ENDED, .how = how});
}

void agent_store_twilio_ended(struct agent *agent, int64_t leg_id)
{
	store_side(&agent->twilio,
		&(struct store_job){.what = STORE_TWILIO_ENDED, .leg_id = leg_id});
}

void agent_store_ports(struct agent *agent)
{
	store_put(agent->gw,
		&(struct store_job){.what = STORE_PORTS,
			.session_id = agent->row.id,
			.ports = {agent->ports[RTP_PHONE], agent->ports[RTP_TWILIO]}});
}

void agent_store_joined(struct gateway *gw, const char *label, const char *sid)
{
	struct store_job task = {.what = STORE_JOINED};

	(void)text_copy(task.label, sizeof(task.label), label);
	(void)text_copy(task.sid, sizeof(task.sid), sid);
	store_put(gw, &task);
}

void agent_rtp_event(void *gateway, const struct rtp_event *event)
{
	struct store_job task = {
		.what = STORE_MEDIA,
		.side = event->side,
		.session_id = (int64_t)event->session,
	};

	if (event->kind == RTP_SILENT)
		agent_silent(gateway, task.session_id, event->side);
	if (event->kind != RTP_LATCHED)
		return;
	(void)addr_text(&event->remote, task.media);
	store_put(gateway, &task);
}
