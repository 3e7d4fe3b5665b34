/* call_control.c: hold and mute. See call_control.h. */
#include "gateway/call_control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/ticker.h"
#include "base/timers.h"
#include "db/controls.h"
#include "gateway/call_api.h"
#include "gateway/events.h"
#include "twilio/conferences.h"

#define LOOK_MS 1000
#define DUE_MAX 50
#define WAIT_MS 5000 /* who asks waits so long for Twilio */

struct controls {
	struct gateway *gw;
	struct ticker *ticker;
	struct db_control *due; /* what the ticker's round found */
	size_t due_count;
	struct list waiters;
};

/* An HTTP request that waits for Twilio's word on a leg. On the loop. */
struct waiter {
	struct list node;
	struct gateway *gw;
	int64_t leg_id, call_id;
	uint64_t request_id;
	struct timer timer;
};

/* ---- telling ---- */

json_t *call_controls_json(struct db *db, int64_t call_id)
{
	bool held = false, muted = false, agent_muted = false, confirmed = true;
	struct db_control *rows = NULL;
	size_t count = 0;

	if (db_control_of_call(db, call_id, &rows, &count) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool agent = strcmp(rows[i].kind, "agent") == 0;

		held = held || (!agent && rows[i].hold);
		muted = muted || (!agent && rows[i].muted);
		agent_muted = agent_muted || (agent && rows[i].muted);
		confirmed = confirmed && rows[i].hold == rows[i].is_hold &&
			    rows[i].muted == rows[i].is_muted;
	}
	free(rows);
	return json_pack("{s:b, s:b, s:b, s:b}", "customerHeld", held, "customerMuted",
		muted, "agentMuted", agent_muted, "confirmed", confirmed);
}

struct answer_job {
	struct job job;
	struct gateway *gw;
	uint64_t request_id;
	int64_t call_id;
	char refused[256];
};

static void answer_work(struct job *job, void *ctx)
{
	struct answer_job *task = list_entry(job, struct answer_job, job);
	json_t *controls = call_controls_json(ctx, task->call_id);
	bool confirmed = json_is_true(json_object_get(controls, "confirmed"));
	struct api_reply reply = {.status = 0};

	if (controls == NULL) {
		api_fail_db(&reply, -EIO, "call", ctx);
	} else if (task->refused[0] != '\0') {
		json_decref(controls);
		api_fail(&reply, 502, "TWILIO_REFUSED", "Twilio refused it: %s",
			task->refused);
	} else {
		api_ok(&reply, confirmed ? 200 : 202,
			json_pack("{s:o, s:o}", "callId", api_id(task->call_id),
				"controls", controls));
	}
	api_send(task->gw, task->request_id, &reply);
	free(task);
}

static void answer_drop(struct job *job)
{
	free(list_entry(job, struct answer_job, job));
}

/* Answers and frees. Without a place for the job the server answers 504. */
static void waiter_answer(struct waiter *waiter, const char *refused)
{
	struct answer_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = answer_work;
		task->job.drop = answer_drop;
		task->gw = waiter->gw;
		task->request_id = waiter->request_id;
		task->call_id = waiter->call_id;
		(void)snprintf(task->refused, sizeof(task->refused), "%s", refused);
		if (jobs_put(waiter->gw->db, &task->job) < 0)
			free(task);
	}
	timer_stop(&waiter->timer);
	list_remove(&waiter->node);
	free(waiter);
}

static void waiter_late(struct timer *timer)
{
	waiter_answer(list_entry(timer, struct waiter, timer), "");
}

/* ---- doing ---- */

static void act(struct gateway *gw, const struct db_control *control)
{
	int err = -EINVAL;

	if (control->conference_sid[0] != '\0' && control->leg_sid[0] != '\0')
		err = twilio_participant_update(gw->twilio, (uint64_t)control->leg_id,
			control->conference_sid, control->leg_sid,
			&(struct twilio_participant_change){
				.muted = control->muted ? "true" : "false",
				.hold = control->hold ? "true" : "false"});
	if (err < 0)
		log_warn("call", control->call_id, "hold or mute must wait (%d)", err);
}

struct wish_post {
	struct post post;
	struct gateway *gw;
	struct db_control control;
	uint64_t request_id;
};

static void wish_drop(struct post *post)
{
	free(list_entry(post, struct wish_post, post));
}

static void wish_run(struct post *post)
{
	struct wish_post *wish = list_entry(post, struct wish_post, post);
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct gateway *gw = wish->gw;

	if (waiter != NULL) {
		waiter->gw = gw;
		waiter->leg_id = wish->control.leg_id;
		waiter->call_id = wish->control.call_id;
		waiter->request_id = wish->request_id;
		waiter->timer.fire = waiter_late;
		list_add_tail(&gw->controls->waiters, &waiter->node);
		timer_start(gw->timers, &waiter->timer, WAIT_MS);
	}
	act(gw, &wish->control);
	free(wish);
}

/* ---- what is due ---- */

static void look_work(void *arg, void *ctx)
{
	struct controls *controls = arg;

	if (db_control_due(ctx, DUE_MAX, &controls->due, &controls->due_count) < 0)
		controls->due_count = 0;
}

static void look_done(void *arg)
{
	struct controls *controls = arg;

	for (size_t i = 0; i < controls->due_count; i++)
		act(controls->gw, &controls->due[i]);
	free(controls->due);
	controls->due = NULL;
	controls->due_count = 0;
}

void controls_wake(struct gateway *gw)
{
	if (gw->controls != NULL) /* else the worker starts, or is stopping */
		ticker_wake(gw->controls->ticker);
}

int controls_new(struct gateway *gw, struct controls **ret_controls)
{
	struct controls *controls = calloc(1, sizeof(*controls));
	int err;

	if (controls == NULL)
		return -ENOMEM;
	controls->gw = gw;
	list_init(&controls->waiters);
	err = ticker_new(&(struct ticker_config){.timers = gw->timers,
				 .jobs = gw->db,
				 .rest_ms = LOOK_MS,
				 .work = look_work,
				 .done = look_done,
				 .arg = controls},
		&controls->ticker);
	if (err < 0) {
		free(controls);
		return err;
	}
	*ret_controls = controls;
	return 0;
}

void controls_free(struct controls **controls)
{
	struct list *node, *tmp;

	if (*controls == NULL)
		return;
	ticker_free(&(*controls)->ticker);
	free((*controls)->due);
	list_for_each(&(*controls)->waiters, node, tmp)
	{
		struct waiter *waiter = list_entry(node, struct waiter, node);

		timer_stop(&waiter->timer);
		list_remove(&waiter->node);
		free(waiter);
	}
	free(*controls);
	*controls = NULL;
}

/* ---- Twilio's answer ---- */

struct confirm_job {
	struct job job;
	struct gateway *gw;
	int64_t leg_id;
	bool refused, hold, muted;
	char message[256];
};

static void confirm_work(struct job *job, void *ctx)
{
	struct confirm_job *task = list_entry(job, struct confirm_job, job);
	struct db_control control;
	struct db_call call;
	int err = task->refused ? db_control_give_up(ctx, task->leg_id, &control)
				: db_control_confirm(ctx, task->leg_id, task->hold,
					  task->muted, &control);

	if (err < 0)
		return; /* it is due again */
	if (db_call_get(ctx, control.call_id, &call) == 0)
		events_control(task->gw, &call, call_controls_json(ctx, call.id));
}

static void confirm_drop(struct job *job)
{
	free(list_entry(job, struct confirm_job, job));
}

static void confirm_done(struct job *job)
{
	struct confirm_job *task = list_entry(job, struct confirm_job, job);
	struct list *node, *tmp;

	list_for_each(&task->gw->controls->waiters, node, tmp)
	{
		struct waiter *waiter = list_entry(node, struct waiter, node);

		if (waiter->leg_id == task->leg_id)
			waiter_answer(waiter, task->refused ? task->message : "");
	}
	free(task);
}

void controls_answer(struct gateway *gw, const struct twilio_answer *answer)
{
	struct confirm_job *task;
	bool done = answer->result == TWILIO_OK && answer->count > 0;

	/* Lost is not refused: it may be repeated, and is. */
	if (!done && answer->result != TWILIO_REFUSED)
		return;
	task = calloc(1, sizeof(*task));
	if (task == NULL)
		return;
	task->job.work = confirm_work;
	task->job.done = confirm_done;
	task->job.drop = confirm_drop;
	task->gw = gw;
	task->leg_id = (int64_t)answer->id;
	task->refused = !done;
	if (done) {
		task->hold = answer->list.participants[0].hold;
		task->muted = answer->list.participants[0].muted;
	}
	(void)snprintf(task->message, sizeof(task->message), "%s", answer->message);
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

/* ---- routes ---- */

static void ask(struct api_call *call, struct api_reply *reply,
	const struct db_control_wish *wish)
{
	struct wish_post *post = NULL;
	struct db_control control;
	int err = db_control_wish(call->db, wish, &control);

	if (err == -EBUSY) {
		api_fail(reply, 409, "NOT_BRIDGED",
			"Agent and customer are not talking: there is nothing to hold or mute.");
		return;
	}
	if (err == 0)
		post = calloc(1, sizeof(*post));
	if (err < 0 || post == NULL) {
		api_fail_db(reply, err < 0 ? err : -ENOMEM, "call", call->db);
		return;
	}
	post->post.run = wish_run;
	post->post.drop = wish_drop;
	post->gw = call->gw;
	post->control = control;
	post->request_id = call->request->id;
	reply->deferred = true;
	post_queue_answer(call->gw->queue, &post->post);
}

static void hold(struct api_call *call, struct api_reply *reply, bool on)
{
	static const char *const none[] = {NULL};
	struct db_call row;

	if (api_body_only(call, reply, none) == 0 && call_of_path(call, reply, &row) == 0)
		ask(call, reply,
			&(struct db_control_wish){
				.call_id = row.id, .hold = on, .muted = -1});
}

/* {"leg": "agent"} unless told. */
static void mute(struct api_call *call, struct api_reply *reply, bool on)
{
	static const char *const fields[] = {"leg", NULL};
	char leg[DB_WORD_SIZE] = "agent";
	struct db_call row;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "leg", false, leg, sizeof(leg)) < 0 ||
		call_of_path(call, reply, &row) < 0)
		return;
	if (strcmp(leg, "agent") != 0 && strcmp(leg, "customer") != 0) {
		api_fail_field(reply, "leg", "leg must be agent or customer.");
		return;
	}
	ask(call, reply,
		&(struct db_control_wish){.call_id = row.id,
			.agent = strcmp(leg, "agent") == 0,
			.hold = -1,
			.muted = on});
}

void call_hold(struct api_call *call, struct api_reply *reply)
{
	hold(call, reply, true);
}

void call_unhold(struct api_call *call, struct api_reply *reply)
{
	hold(call, reply, false);
}

void call_mute(struct api_call *call, struct api_reply *reply)
{
	mute(call, reply, true);
}

void call_unmute(struct api_call *call, struct api_reply *reply)
{
	mute(call, reply, false);
}
