/* drain.c: the end of a node's service. See drain.h. */
#include "gateway/drain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timers.h"
#include "db/nodes.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/api.h"
#include "gateway/campaign.h"
#include "gateway/data_dir.h"
#include "gateway/pulse.h"
#include "sip/loop.h"

#define LOOK_MS 250
#define GOODBYE_MS 3000 /* for phones to answer the BYE */

struct drain {
	struct gateway *gw;
	struct timer timer;
	bool begun;
	int64_t last_calls;
	int64_t leave_ms; /* agents were signed out; the loop stops then. 0: not yet */
};

bool drain_active(const struct gateway *gw)
{
	return atomic_load(&gw->pulse->draining);
}

bool drain_refuses(const struct gateway *gw, struct api_reply *reply)
{
	if (!drain_active(gw))
		return false;
	api_fail(reply, 503, "DRAINING",
		"This gateway is being taken out of service: it makes no new calls. Use "
		"another, or wait for its return.");
	reply->retry_after_s = 5;
	return true;
}

struct look_job {
	struct job job;
	struct drain *drain;
	bool over;     /* whatever calls there are */
	int64_t calls; /* still open; -1: not known */
};

static void sign_out(struct gateway *gw, struct db *db)
{
	struct db_agent_session row;
	int64_t *ids = NULL;
	size_t count = 0;

	if (db_node_sign_out(db, gw->node, &ids, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (db_agent_session_get(db, ids[i], &row) == 0)
			agent_changed(gw, &row);
	log_info("drain", 0, "%zu agents signed out", count);
	free(ids);
}

static void look_work(struct job *job, void *ctx)
{
	struct look_job *task = list_entry(job, struct look_job, job);
	struct gateway *gw = task->drain->gw;

	task->calls = -1;
	if (db_node_drain(ctx, gw->node) < 0 ||
		db_node_calls(ctx, gw->node, &task->calls) < 0)
		return;
	if (task->calls == 0 || task->over) {
		sign_out(gw, ctx);
		/* What was being claimed when the drain began: signing out waited for it. */
		if (db_node_calls(ctx, gw->node, &task->calls) < 0)
			task->calls = -1;
	}
}

static void look_drop(struct job *job)
{
	free(list_entry(job, struct look_job, job));
}

static void look_done(struct job *job)
{
	struct look_job *task = list_entry(job, struct look_job, job);
	struct drain *drain = task->drain;

	if (task->calls >= 0 && task->calls != drain->last_calls)
		log_info("drain", 0, "%" PRId64 " calls are live", task->calls);
	drain->last_calls = task->calls;
	if (task->over || task->calls == 0)
		drain->leave_ms = timers_now(drain->gw->timers) + GOODBYE_MS;
	timer_start(drain->gw->timers, &drain->timer, LOOK_MS);
	free(task);
}

static void drain_fire(struct timer *timer)
{
	struct drain *drain = list_entry(timer, struct drain, timer);
	struct gateway *gw = drain->gw;
	struct look_job *task;

	if (drain->leave_ms != 0) {
		if (agents_count(gw) == 0 || timers_now(gw->timers) >= drain->leave_ms) {
			log_info("drain", 0, "drained");
			sip_loop_stop(gw->loop);
			return;
		}
		timer_start(gw->timers, timer, LOOK_MS);
		return;
	}
	task = calloc(1, sizeof(*task));
	if (task != NULL) {
		task->job.work = look_work;
		task->job.done = look_done;
		task->job.drop = look_drop;
		task->drain = drain;
		task->over = pulse_drain_is_over(gw->pulse);
		if (jobs_put(gw->db, &task->job) == 0)
			return;
		free(task);
	}
	timer_start(gw->timers, timer, LOOK_MS);
}

void drain_begin(struct gateway *gw)
{
	struct drain *drain = gw->drain;

	if (drain->begun)
		return;
	drain->begun = true;
	pulse_drain(gw->pulse, config_int(gw->config, "DRAIN_TIMEOUT") * 1000);
	log_info("drain", 0, "no new calls are made here");
	campaign_changed(gw, 0); /* the runner looks, and lets its campaigns go */
	timer_start(gw->timers, &drain->timer, 0);
}

int drain_new(struct gateway *gw, struct drain **ret_drain)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (drain == NULL)
		return -ENOMEM;
	drain->gw = gw;
	drain->last_calls = -1;
	drain->timer.fire = drain_fire;
	*ret_drain = drain;
	if (drain_active(gw))
		drain_begin(gw);
	return 0;
}

void drain_free(struct drain **drain)
{
	if (*drain == NULL)
		return;
	timer_stop(&(*drain)->timer);
	free(*drain);
	*drain = NULL;
}

/* ---- the command ---- */

static int nothing_to_drain(const char *data_dir, int rc)
{
	if (rc == -EBUSY)
		(void)fprintf(stderr,
			"omnivox-gateway: No gateway runs in %s, but a backup, a restore or a "
			"migration is at work there, or a gateway just starts. Nothing was "
			"told to end.\n",
			data_dir);
	else if (rc == -ENOENT)
		(void)fprintf(
			stderr, "omnivox-gateway: No gateway runs in %s.\n", data_dir);
	else
		(void)fprintf(stderr,
			"omnivox-gateway: Whether a gateway runs in %s cannot be seen: %s.\n",
			data_dir, strerror(-rc));
	return rc == -EACCES ? EX_NOPERM : EX_UNAVAILABLE;
}

int drain_command(const struct config *config)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	const char *data_dir = config_text(config, "DATA_DIR");
	pid_t pid = 0, now = 0;
	int rc = data_dir_gateway(data_dir, &pid);

	if (rc < 0)
		return nothing_to_drain(data_dir, rc);
	if (kill(pid, SIGUSR1) < 0) {
		(void)fprintf(stderr, "omnivox-gateway: Process %d cannot be told: %s.\n",
			(int)pid, strerror(errno));
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	(void)printf(
		"Draining process %d. It ends when its calls have ended.\n", (int)pid);
	(void)fflush(stdout);
	while ((rc = data_dir_gateway(data_dir, &now)) == 0 && now == pid)
		(void)nanosleep(&pause, NULL);
	/* Its place is free, or somebody else's already. */
	if (rc < 0 && rc != -ENOENT && rc != -EBUSY) {
		(void)fprintf(stderr,
			"omnivox-gateway: Process %d was told to drain, but whether it has "
			"ended cannot be seen: %s.\n",
			(int)pid, strerror(-rc));
		return EX_UNAVAILABLE;
	}
	(void)printf("Drained.\n");
	return EX_OK;
}
