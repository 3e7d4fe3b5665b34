/* campaign.c: the runner of campaigns: which of them run here, and why they do what they do. */
#include "gateway/campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/post.h"
#include "db/rate_state.h"
#include "gateway/campaign_run.h"
#include "gateway/drain.h"
#include "gateway/events.h"
#include "gateway/reason.h"

#define LEASE_MS 10000 /* how long a dead node keeps a campaign */
#define SAME_MS 1000   /* what it waits for is not another so soon before or after */
#define LOOK_MS 2000   /* leases are renewed, and lost news made good, this often */

struct run *run_find(struct campaigns *campaigns, int64_t campaign_id)
{
	struct list *node, *tmp;

	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (run->row.id == campaign_id)
			return run;
	}
	return NULL;
}

struct pacing_rules run_pacing(const struct db_campaign *row)
{
	return (struct pacing_rules){
		.batch = (unsigned)row->batch_size,
		.call_gap_ms = (unsigned)row->call_gap_ms,
		.batch_gap_ms = (unsigned)row->batch_gap_ms,
	};
}

static struct run *run_new(struct campaigns *campaigns, const struct db_campaign *row)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->row = *row;
	list_add_tail(&campaigns->runs, &run->node);
	log_info("campaign", 0, "%" PRId64 " \"%s\" runs here", row->id, row->name);
	return run;
}

static void run_free(struct run *run)
{
	list_remove(&run->node);
	free(run);
}

/* ---- why it does what it does ---- */

struct note_job {
	struct job job;
	struct gateway *gw;
	int64_t campaign_id, said, next_ms;
	char code[DB_WORD_SIZE], reason[256];
};

static void note_work(struct job *job, void *ctx)
{
	struct note_job *task = list_entry(job, struct note_job, job);

	(void)db_campaign_note(ctx, &(struct db_campaign_note){
					    .id = task->campaign_id,
					    .node = task->gw->node,
					    .code = task->code,
					    .reason = task->reason,
					    .next_ms = task->next_ms,
					    .said = task->said,
				    });
	free(task);
}

static void note_drop(struct job *job)
{
	free(list_entry(job, struct note_job, job));
}

/* Microseconds since 1970 where the clock allows it, growing in any case. */
static int64_t next_said(struct campaigns *campaigns)
{
	int64_t now = clock_wall_ms() * 1000;

	campaigns->said = now > campaigns->said ? now : campaigns->said + 1;
	return campaigns->said;
}

/* The same moment is not the same to the millisecond each time that it is reckoned. */
static bool says(
	const struct run *run, const char *code, const char *reason, int64_t next_ms)
{
	return strcmp(run->code, code) == 0 && strcmp(run->reason, reason) == 0 &&
	       run->next_ms - next_ms < SAME_MS && next_ms - run->next_ms < SAME_MS;
}

void run_say(struct gateway *gw, struct run *run, const char *code, const char *reason)
{
	run_say_until(gw, run, code, reason, 0);
}

void run_say_until(struct gateway *gw, struct run *run, const char *code,
	const char *reason, int64_t next_ms)
{
	struct note_job *task;

	if (says(run, code, reason, next_ms))
		return;
	(void)snprintf(run->code, sizeof(run->code), "%s", code);
	(void)snprintf(run->reason, sizeof(run->reason), "%s", reason);
	run->next_ms = next_ms;
	events_campaign(gw, run->row.id, reason);
	task = calloc(1, sizeof(*task));
	if (task == NULL) {
		run->code[0] = '\0'; /* said again the next time */
		return;
	}
	task->said = next_said(gw->campaigns);
	task->next_ms = next_ms;
	task->job.work = note_work;
	task->job.drop = note_drop;
	task->gw = gw;
	task->campaign_id = run->row.id;
	memcpy(task->code, run->code, sizeof(task->code));
	memcpy(task->reason, run->reason, sizeof(task->reason));
	if (jobs_put(gw->db, &task->job) < 0) {
		free(task);
		run->code[0] = '\0';
	}
}

/* ---- leases ---- */

struct lease_job {
	struct job job;
	struct gateway *gw;
	struct db_campaign *rows;
	size_t count;
	int err;
};

static void lease_work(struct job *job, void *ctx)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);

	if (drain_active(task->gw))
		return; /* leased none: what runs here is let go */
	(void)db_rate_recover(ctx);
	task->err = db_campaign_lease(
		ctx, task->gw->node, LEASE_MS, &task->rows, &task->count);
}

static void lease_drop(struct job *job)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);

	free(task->rows);
	free(task);
}

/* What it is now; a gap that has begun lasts as long as it says now. */
static void set_row(struct run *run, const struct db_campaign *row)
{
	struct pacing_rules was = run_pacing(&run->row), is = run_pacing(row);

	run->row = *row;
	run->turn.priority = row->priority;
	run->turn.weight = row->weight;
	run->leased = true;
	if (is.batch != was.batch || is.call_gap_ms != was.call_gap_ms ||
		is.batch_gap_ms != was.batch_gap_ms) {
		pacing_changed(&run->pacing, &is);
		if (strcmp(run->code, "gap") == 0)
			run->wait_until_ms = 0;
	}
	/* Somebody started it again before we saw that it was stopped. */
	if (row->run_code[0] == '\0')
		run->code[0] = '\0';
}

static void leased(struct campaigns *campaigns, const struct lease_job *task)
{
	struct list *node, *tmp;
	const char *code;

	list_for_each(&campaigns->runs, node, tmp)
	{
		list_entry(node, struct run, node)->leased = false;
	}
	for (size_t i = 0; i < task->count; i++) {
		struct run *run = run_find(campaigns, task->rows[i].id);

		if (run == NULL)
			run = run_new(campaigns, &task->rows[i]);
		if (run != NULL)
			set_row(run, &task->rows[i]);
	}
	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (run->leased)
			continue;
		code = drain_active(campaigns->gw) ? "drain" : "stopped";
		run_say(campaigns->gw, run, code, reason_text(code));
		log_info("campaign", 0, "%" PRId64 " stopped here", run->row.id);
		run_free(run);
	}
	campaigns_turn(campaigns);
}

static void look(struct campaigns *campaigns);

static void lease_done(struct job *job)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);
	struct campaigns *campaigns = task->gw->campaigns;

	if (campaigns != NULL) { /* else the worker is stopping */
		campaigns->leasing = false;
		campaigns->away = task->err < 0;
		if (!campaigns->away)
			leased(campaigns, task);
		timer_start(campaigns->gw->timers, &campaigns->lease_timer, LOOK_MS);
		if (campaigns->again)
			look(campaigns);
	}
	lease_drop(job);
}

static void look(struct campaigns *campaigns)
{
	struct lease_job *task;

	campaigns->again = campaigns->leasing;
	if (campaigns->leasing)
		return;
	task = calloc(1, sizeof(*task));
	if (task != NULL) {
		task->job.work = lease_work;
		task->job.done = lease_done;
		task->job.drop = lease_drop;
		task->gw = campaigns->gw;
		if (jobs_put(campaigns->gw->db, &task->job) == 0) {
			campaigns->leasing = true;
			return;
		}
		free(task);
	}
	timer_start(campaigns->gw->timers, &campaigns->lease_timer, LOOK_MS);
}

static void look_fire(struct timer *timer)
{
	look(list_entry(timer, struct campaigns, lease_timer));
}

static void turn_fire(struct timer *timer)
{
	campaigns_turn(list_entry(timer, struct campaigns, turn_timer));
}

int campaigns_new(struct gateway *gw, struct campaigns **ret_campaigns)
{
	struct campaigns *campaigns = calloc(1, sizeof(*campaigns));

	if (campaigns == NULL)
		return -ENOMEM;
	campaigns->gw = gw;
	list_init(&campaigns->runs);
	campaigns->lease_timer.fire = look_fire;
	campaigns->turn_timer.fire = turn_fire;
	timer_start(gw->timers, &campaigns->lease_timer, 0);
	*ret_campaigns = campaigns;
	return 0;
}

void campaigns_free(struct campaigns **campaigns)
{
	struct list *node, *tmp;

	if (*campaigns == NULL)
		return;
	timer_stop(&(*campaigns)->lease_timer);
	timer_stop(&(*campaigns)->turn_timer);
	list_for_each(&(*campaigns)->runs, node, tmp)
		run_free(list_entry(node, struct run, node));
	free(*campaigns);
	*campaigns = NULL;
}

/* ---- from any thread ---- */

struct wake_post {
	struct post post;
	struct gateway *gw;
	int64_t campaign_id;
	bool changed;
};

static void wake_drop(struct post *post)
{
	free(list_entry(post, struct wake_post, post));
}

/*
 * An agent that comes free may be anybody's: all that waited for one get their chance. What a call
 * has left over of a limit is its campaign's.
 */
static void wake_run(struct post *post)
{
	struct wake_post *told = list_entry(post, struct wake_post, post);
	struct campaigns *campaigns = told->gw->campaigns;
	struct list *node, *tmp;

	if (campaigns == NULL) { /* the worker is stopping */
		wake_drop(post);
		return;
	}
	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (run->row.id == told->campaign_id && told->changed) {
			run->wait_until_ms = 0;
			run->generated_ms = 0;
		} else if (strcmp(run->code, "no_agent") == 0 ||
			   (run->row.id == told->campaign_id &&
				   strcmp(run->code, "under_way") == 0)) {
			run->wait_until_ms = 0;
		}
	}
	if (told->changed)
		look(campaigns);
	else
		campaigns_turn(campaigns);
	wake_drop(post);
}

static void wake_put(struct gateway *gw, int64_t campaign_id, bool changed)
{
	struct wake_post *told = calloc(1, sizeof(*told));

	if (told == NULL)
		return; /* the next look makes it good */
	told->post.run = wake_run;
	told->post.drop = wake_drop;
	told->gw = gw;
	told->campaign_id = campaign_id;
	told->changed = changed;
	post_queue_answer(gw->queue, &told->post);
}

void campaign_wake(struct gateway *gw, int64_t campaign_id)
{
	wake_put(gw, campaign_id, false);
}

void campaign_changed(struct gateway *gw, int64_t campaign_id)
{
	wake_put(gw, campaign_id, true);
}
