/* campaign_claim.c: whose turn it is, and the claim of the next call. See campaign_run.h. */
#include "gateway/campaign_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/log.h"
#include "db/calls.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/reason.h"
#include "gateway/verdict.h"

#define PLACING_MS 20000   /* a POST without an answer becomes ambiguous */
#define NEXT_MS 20         /* after a contact that was refused: others get their turn */
#define IDLE_MS 1000       /* between two looks at an empty queue or at busy agents */
#define WHOLE_MS 10000     /* ... at a limit: somebody may have raised it */
#define GENERATE_MS 60000  /* ... through the lists, for new contacts */
#define GENERATE_REST 10   /* ... at least so many times as long as the last look took */
#define GENERATE_MAX 10000 /* contacts in one go */
#define SIFT_MAX 1000      /* entries that are looked through when one was refused */

struct claim_job {
	struct job job;
	struct gateway *gw;
	int64_t campaign_id;
	bool generate; /* when nothing is due */
	bool generated;
	int64_t made;
	int64_t began_ms; /* monotonic */
	struct db_claimed claimed;
	int err;
};

/* Nothing is due: perhaps the lists have got new contacts. */
static void look_for_more(struct claim_job *task, struct db *db)
{
	struct db_generate generate = {.max = GENERATE_MAX};

	task->generated = true;
	if (db_queue_generate(db, task->campaign_id, &generate) == 0)
		task->made = generate.added;
	if (task->made > 0) {
		task->claimed.next_ms = clock_wall_ms();
		task->claimed.locked = false;
	}
}

static void claim_work(struct job *job, void *ctx)
{
	struct claim_job *task = list_entry(job, struct claim_job, job);
	struct gateway *gw = task->gw;
	size_t refused;

	task->err = db_call_claim(ctx,
		&(struct db_claim){
			.campaign_id = task->campaign_id,
			.node = gw->node,
			.install = gw->install,
			.deadline_ms = PLACING_MS,
			.verdict = verdict_auto,
			.arg = gw,
		},
		&task->claimed);
	metrics_claim(task->err, &task->claimed);
	if (task->err < 0) {
		log_warn("campaign", 0, "%" PRId64 " claim: %s", task->campaign_id,
			db_error(ctx));
		return;
	}
	/* The POST goes out whatever became of the runner meanwhile: the claim is committed. */
	if (task->claimed.result == DB_CLAIM_CALL)
		call_place(gw, &task->claimed, 0);
	else if (task->claimed.result == DB_CLAIM_REFUSED && !task->claimed.whole)
		(void)db_queue_postpone(
			ctx, task->campaign_id, SIFT_MAX, verdict_auto, gw, &refused);
	else if (task->claimed.result == DB_CLAIM_NO_ENTRY && task->generate)
		look_for_more(task, ctx);
}

static void claim_drop(struct job *job)
{
	free(list_entry(job, struct claim_job, job));
}

/* Waits for `ms`, and says why. */
static void hold(struct gateway *gw, struct run *run, const char *code, int64_t ms)
{
	run_say(gw, run, code, reason_text(code));
	run->wait_until_ms = timers_now(gw->timers) + ms;
}

/* Such as a list that is being deleted. */
static void hold_locked(struct gateway *gw, struct run *run)
{
	run_say(gw, run, "locked",
		"Somebody else is working on the contacts that are due.");
	run->wait_until_ms = timers_now(gw->timers) + IDLE_MS;
}

static void refused(struct gateway *gw, struct run *run, const struct db_claimed *claimed)
{
	int64_t wait_ms = claimed->next_ms - clock_wall_ms();

	if (!claimed->whole) {
		run_say(gw, run, "sifting", reason_text("sifting"));
		run->wait_until_ms = timers_now(gw->timers) + NEXT_MS;
		return;
	}
	run_say_until(gw, run, claimed->code, claimed->reason, claimed->next_ms);
	if (claimed->next_ms == 0 || wait_ms > WHOLE_MS)
		wait_ms = WHOLE_MS;
	run->wait_until_ms =
		timers_now(gw->timers) + (wait_ms < IDLE_MS ? IDLE_MS : wait_ms);
}

static void claimed_nothing(
	struct campaigns *campaigns, struct run *run, const struct db_claimed *claimed)
{
	struct gateway *gw = campaigns->gw;

	switch (claimed->result) {
	case DB_CLAIM_NO_ENTRY:
		if (claimed->next_ms == 0)
			hold(gw, run, "exhausted", IDLE_MS);
		else if (claimed->locked)
			hold_locked(gw, run);
		else if (claimed->next_ms > clock_wall_ms())
			hold(gw, run, "waiting", IDLE_MS);
		else /* due by now */
			run->wait_until_ms = timers_now(gw->timers) + NEXT_MS;
		break;
	case DB_CLAIM_NO_AGENT:
		hold(gw, run, "no_agent", IDLE_MS);
		break;
	case DB_CLAIM_RATE:
		run_say(gw, run, "rate", reason_text("rate"));
		campaigns->rate_until_ms = timers_now(gw->timers) + claimed->wait_ms;
		break;
	case DB_CLAIM_HELD:
		run_say(gw, run, "twilio", claimed->reason);
		run->wait_until_ms = timers_now(gw->timers) + IDLE_MS;
		break;
	case DB_CLAIM_REFUSED:
		refused(gw, run, claimed);
		break;
	default: /* stopped: the next look at the leases says so */
		run->wait_until_ms = timers_now(gw->timers) + IDLE_MS;
	}
}

static void dialled(struct campaigns *campaigns, struct run *run)
{
	struct pacing_rules rules = run_pacing(&run->row);

	fair_served(&campaigns->fair, &run->turn);
	pacing_dialled(&run->pacing, &rules, timers_now(campaigns->gw->timers));
	run_say(campaigns->gw, run, "dialling", reason_text("dialling"));
}

static void settle(struct campaigns *campaigns, const struct claim_job *task)
{
	struct run *run = run_find(campaigns, task->campaign_id);
	int64_t now = timers_now(task->gw->timers);

	if (run == NULL)
		return;
	/* Not looked through after all; and where there were some there may be more. */
	if (task->generate && (!task->generated || task->made > 0))
		run->generated_ms = 0;
	/* Nobody is dialled meanwhile: long lists are not read through for each new contact. */
	if (task->generated && task->made == 0)
		run->rest_until_ms = now + GENERATE_REST * (now - task->began_ms);
	if (task->err < 0)
		hold(task->gw, run, "database", IDLE_MS);
	else if (task->claimed.result == DB_CLAIM_CALL)
		dialled(campaigns, run);
	else
		claimed_nothing(campaigns, run, &task->claimed);
}

static void claim_done(struct job *job)
{
	struct claim_job *task = list_entry(job, struct claim_job, job);
	struct campaigns *campaigns = task->gw->campaigns;

	if (campaigns != NULL) { /* else the worker is stopping */
		campaigns->claiming = 0;
		settle(campaigns, task);
		campaigns_turn(campaigns);
	}
	free(task);
}

static int claim(struct campaigns *campaigns, struct run *run)
{
	struct claim_job *task = calloc(1, sizeof(*task));
	int64_t now = timers_now(campaigns->gw->timers);

	if (task == NULL)
		return -1;
	task->job.work = claim_work;
	task->job.done = claim_done;
	task->job.drop = claim_drop;
	task->gw = campaigns->gw;
	task->campaign_id = run->row.id;
	task->began_ms = now;
	task->generate =
		now >= run->rest_until_ms &&
		(run->generated_ms == 0 || now - run->generated_ms > GENERATE_MS);
	if (jobs_put(campaigns->gw->db, &task->job) < 0) {
		free(task);
		return -1;
	}
	/* From here on: what changes while it looks is looked for again. */
	if (task->generate)
		run->generated_ms = now;
	campaigns->claiming = run->row.id;
	run->could_ms = 0;
	return 0;
}

/* Whether it could dial now; else it says why not and waits. */
static bool can_dial(struct campaigns *campaigns, struct run *run, int64_t now)
{
	struct gateway *gw = campaigns->gw;
	int64_t wait = 0;
	enum pacing_wait next;

	if (now < run->wait_until_ms)
		return false;
	/* Whatever the agents do: without the database they stay as they are. */
	if (campaigns->away) {
		hold(gw, run, "database", IDLE_MS);
		return false;
	}
	next = pacing_next(&run->pacing, agents_ready(gw, run->row.id), now, &wait);
	if (next == PACING_DIAL)
		return true;
	if (next == PACING_GAP) {
		run_say_until(gw, run, "gap", reason_text("gap"), clock_wall_ms() + wait);
		run->wait_until_ms = now + (wait < IDLE_MS ? wait : IDLE_MS);
	} else {
		hold(gw, run, "no_agent", IDLE_MS);
	}
	return false;
}

/*
 * Whoever has agents and is not asked for is held up by nothing but the calls per second. Where
 * these suffice others are passed over for a moment only, of which nobody need be told.
 */
static void say_passed_over(struct campaigns *campaigns, int64_t now, bool spent)
{
	struct list *node, *tmp;

	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (run->could_ms != 0 && (spent || now - run->could_ms >= IDLE_MS))
			run_say(campaigns->gw, run, "rate", reason_text("rate"));
	}
}

/* Of those that can dial who goes first, or NULL; when somebody else may is *next at the latest. */
static struct run *pick_run(struct campaigns *campaigns, int64_t now, int64_t *next)
{
	struct run *best = NULL;
	struct list *node, *tmp;

	list_for_each(&campaigns->runs, node, tmp)
	{
		struct run *run = list_entry(node, struct run, node);

		if (can_dial(campaigns, run, now)) {
			if (run->could_ms == 0)
				run->could_ms = now;
			if (best == NULL ||
				fair_before(&campaigns->fair, &run->turn, &best->turn))
				best = run;
			continue;
		}
		run->could_ms = 0;
		if (run->wait_until_ms < *next)
			*next = run->wait_until_ms;
	}
	return best;
}

void campaigns_turn(struct campaigns *campaigns)
{
	struct timers *timers = campaigns->gw->timers;
	int64_t now = timers_now(timers), next = now + IDLE_MS;
	bool spent = now < campaigns->rate_until_ms;
	struct run *best;

	if (campaigns->claiming != 0)
		return;
	best = pick_run(campaigns, now, &next);
	if (spent && campaigns->rate_until_ms < next)
		next = campaigns->rate_until_ms;
	if (best != NULL && !spent)
		(void)claim(campaigns, best);
	say_passed_over(campaigns, now, spent);
	if (campaigns->claiming == 0)
		timer_start(timers, &campaigns->turn_timer, next > now ? next - now : 0);
}
