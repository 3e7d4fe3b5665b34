/* campaign.c: the runner of campaigns. See campaign.h. */
#include "gateway/campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/calls.h"
#include "db/campaigns.h"
#include "dialer/pacing.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/drain.h"
#include "gateway/events.h"
#include "gateway/metrics.h"
#include "gateway/verdict.h"

#define LEASE_MS 10000   /* how long a dead node keeps a campaign */
#define LOOK_MS 2000     /* leases are renewed, and lost news made good, this often */
#define PLACING_MS 20000 /* a POST without an answer becomes ambiguous */
#define IDLE_MS 1000     /* between two looks at an empty queue or at busy agents */

/* A campaign that this node runs. On the loop. */
struct run {
	struct list node;
	struct gateway *gw;
	struct db_campaign row;
	struct pacing_state pacing;
	struct timer timer; /* the next look */
	bool claiming;      /* a claim is under way */
	bool leased;        /* seen in the newest answer to the lease */
	char reason[256];
};

struct campaigns {
	struct gateway *gw;
	struct list runs;
	struct timer timer;
	bool leasing; /* a lease job is under way */
	bool again;   /* somebody asked for another meanwhile */
};

static void step(struct run *run);

static struct run *run_find(struct campaigns *campaigns, int64_t campaign_id)
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

static void run_fire(struct timer *timer)
{
	step(list_entry(timer, struct run, timer));
}

static struct run *run_new(struct campaigns *campaigns, const struct db_campaign *row)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->gw = campaigns->gw;
	run->row = *row;
	run->timer.fire = run_fire;
	list_add_tail(&campaigns->runs, &run->node);
	log_info("campaign", 0, "%" PRId64 " \"%s\" runs here", row->id, row->name);
	return run;
}

static void run_free(struct run *run)
{
	timer_stop(&run->timer);
	list_remove(&run->node);
	free(run);
}

/* ---- why it does what it does ---- */

struct note_job {
	struct job job;
	int64_t campaign_id;
	char reason[256];
};

static void note_work(struct job *job, void *ctx)
{
	struct note_job *task = list_entry(job, struct note_job, job);

	(void)db_campaign_note(ctx, task->campaign_id, "", task->reason);
	free(task);
}

static void note_drop(struct job *job)
{
	free(list_entry(job, struct note_job, job));
}

/* Says the reason once, to listeners and in the row, where every node can read it. */
static void say(struct gateway *gw, int64_t campaign_id, char *last, size_t size,
	const char *reason)
{
	struct note_job *task;

	if (strcmp(last, reason) == 0)
		return;
	(void)snprintf(last, size, "%s", reason);
	events_campaign(gw, campaign_id, reason);
	task = calloc(1, sizeof(*task));
	if (task == NULL)
		return;
	task->job.work = note_work;
	task->job.drop = note_drop;
	task->campaign_id = campaign_id;
	(void)snprintf(task->reason, sizeof(task->reason), "%s", reason);
	if (jobs_put(gw->db, &task->job) < 0)
		free(task);
}

static void run_say(struct run *run, const char *reason)
{
	say(run->gw, run->row.id, run->reason, sizeof(run->reason), reason);
}

static void look_in(struct run *run, int64_t ms)
{
	timer_start(run->gw->timers, &run->timer, ms);
}

/* ---- claiming the next call ---- */

struct claim_job {
	struct job job;
	struct gateway *gw;
	int64_t campaign_id;
	struct db_claimed claimed;
	int err;
};

static void claim_work(struct job *job, void *ctx)
{
	struct claim_job *task = list_entry(job, struct claim_job, job);

	task->err = db_call_claim(ctx,
		&(struct db_claim){
			.campaign_id = task->campaign_id,
			.node = task->gw->node,
			.install = task->gw->install,
			.deadline_ms = PLACING_MS,
			.verdict = verdict_auto,
			.arg = task->gw,
		},
		&task->claimed);
	metrics_claim(task->err, &task->claimed);
	if (task->err < 0)
		log_warn("campaign", 0, "%" PRId64 " claim: %s", task->campaign_id,
			db_error(ctx));
	/* The POST goes out whatever became of the runner meanwhile: the claim is committed. */
	else if (task->claimed.result == DB_CLAIM_CALL)
		call_place(task->gw, &task->claimed, 0);
}

static void claim_drop(struct job *job)
{
	free(list_entry(job, struct claim_job, job));
}

static void claimed_nothing(struct run *run, const struct db_claimed *claimed)
{
	char reason[256];

	switch (claimed->result) {
	case DB_CLAIM_NO_ENTRY:
		run_say(run,
			claimed->next_ms == 0
				? "Every contact has been dialled."
				: "No contact is due: retries are waiting for their time.");
		look_in(run, IDLE_MS);
		break;
	case DB_CLAIM_NO_AGENT:
		run_say(run, "No agent is ready.");
		look_in(run, IDLE_MS);
		break;
	case DB_CLAIM_RATE:
		run_say(run, "Twilio's calls per second are used up for the moment.");
		look_in(run, claimed->wait_ms);
		break;
	case DB_CLAIM_HELD:
		run_say(run, claimed->reason);
		look_in(run, IDLE_MS);
		break;
	case DB_CLAIM_REFUSED:
		(void)snprintf(reason, sizeof(reason),
			"A contact may not be dialled: %.90s", claimed->reason);
		run_say(run, reason);
		look_in(run, 0);
		break;
	default:
		look_in(run, IDLE_MS);
		break;
	}
}

static void claim_done(struct job *job)
{
	struct claim_job *task = list_entry(job, struct claim_job, job);
	struct run *run = run_find(task->gw->campaigns, task->campaign_id);

	if (run == NULL)
		goto out;
	run->claiming = false;
	if (task->err < 0) {
		run_say(run, task->err == -ENOSPC ? "The database's disk is full."
						  : "The database does not answer.");
		look_in(run, IDLE_MS);
	} else if (task->claimed.result == DB_CLAIM_CALL) {
		struct pacing_rules rules = {
			.batch = (unsigned)run->row.batch_size,
			.call_gap_ms = (unsigned)run->row.call_gap_ms,
			.batch_gap_ms = (unsigned)run->row.batch_gap_ms,
		};

		pacing_dialled(&run->pacing, &rules, timers_now(task->gw->timers));
		run_say(run, "Dialling.");
		step(run);
	} else {
		claimed_nothing(run, &task->claimed);
	}
out:
	free(task);
}

static void claim(struct run *run)
{
	struct claim_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = claim_work;
		task->job.done = claim_done;
		task->job.drop = claim_drop;
		task->gw = run->gw;
		task->campaign_id = run->row.id;
		if (jobs_put(run->gw->db, &task->job) == 0) {
			run->claiming = true;
			return;
		}
		free(task);
	}
	look_in(run, IDLE_MS);
}

static void step(struct run *run)
{
	int64_t wait = 0;
	unsigned ready = agents_ready(run->gw, run->row.id);
	enum pacing_wait next;

	if (run->claiming)
		return;
	next = pacing_next(&run->pacing, ready, timers_now(run->gw->timers), &wait);
	if (next == PACING_DIAL) {
		claim(run);
		return;
	}
	run_say(run, pacing_reason(next));
	look_in(run, next == PACING_GAP ? wait : IDLE_MS);
}

/* ---- leases ---- */

struct lease_job {
	struct job job;
	struct campaigns *campaigns;
	struct db_campaign *rows;
	size_t count;
	int err;
};

static void lease_work(struct job *job, void *ctx)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);

	if (drain_active(task->campaigns->gw))
		return; /* leased none: what runs here is let go */
	task->err = db_campaign_lease(
		ctx, task->campaigns->gw->node, LEASE_MS, &task->rows, &task->count);
}

static void lease_drop(struct job *job)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);

	free(task->rows);
	free(task);
}

static void leased(struct campaigns *campaigns, const struct lease_job *task)
{
	struct list *node, *tmp;

	list_for_each(&campaigns->runs, node, tmp) list_entry(node, struct run, node)
		->leased = false;
	for (size_t i = 0; i < task->count; i++) {
		struct run *run = run_find(campaigns, task->rows[i].id);
		bool fresh = run == NULL;

		if (fresh)
			run = run_new(campaigns, &task->rows[i]);
		if (run == NULL)
			continue;
		run->row = task->rows[i];
		run->leased = true;
		if (fresh || !timer_started(&run->timer))
			step(run);
	}
	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (run->leased)
			continue;
		run_say(run, drain_active(run->gw)
				     ? "This node is being drained; another may go on."
				     : "Auto-dial is stopped.");
		log_info("campaign", 0, "%" PRId64 " stopped here", run->row.id);
		run_free(run);
	}
}

static void look(struct campaigns *campaigns);

static void lease_done(struct job *job)
{
	struct lease_job *task = list_entry(job, struct lease_job, job);
	struct campaigns *campaigns = task->campaigns;

	campaigns->leasing = false;
	if (task->err == 0)
		leased(campaigns, task);
	lease_drop(job);
	timer_start(campaigns->gw->timers, &campaigns->timer, LOOK_MS);
	if (campaigns->again)
		look(campaigns);
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
		task->campaigns = campaigns;
		if (jobs_put(campaigns->gw->db, &task->job) == 0) {
			campaigns->leasing = true;
			return;
		}
		free(task);
	}
	timer_start(campaigns->gw->timers, &campaigns->timer, LOOK_MS);
}

static void look_fire(struct timer *timer)
{
	look(list_entry(timer, struct campaigns, timer));
}

int campaigns_new(struct gateway *gw, struct campaigns **ret_campaigns)
{
	struct campaigns *campaigns = calloc(1, sizeof(*campaigns));

	if (campaigns == NULL)
		return -ENOMEM;
	campaigns->gw = gw;
	list_init(&campaigns->runs);
	campaigns->timer.fire = look_fire;
	timer_start(gw->timers, &campaigns->timer, 0);
	*ret_campaigns = campaigns;
	return 0;
}

void campaigns_free(struct campaigns **campaigns)
{
	struct list *node, *tmp;

	if (*campaigns == NULL)
		return;
	timer_stop(&(*campaigns)->timer);
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

static void wake_run(struct post *post)
{
	struct wake_post *told = list_entry(post, struct wake_post, post);
	struct campaigns *campaigns = told->gw->campaigns;
	struct run *run = run_find(campaigns, told->campaign_id);

	if (told->changed)
		look(campaigns);
	else if (run != NULL)
		step(run);
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
