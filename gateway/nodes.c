/* nodes.c: the heartbeat in the database, and the estate of dead nodes. See nodes.h. */
#include "gateway/nodes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timers.h"
#include "db/nodes.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/call.h"
#include "gateway/event_bus.h"

#define SEEN_MS 2000
#define NEWS_MS 200 /* between two looks for what other nodes changed */

struct nodes {
	struct gateway *gw;
	struct timer timer;
	int64_t seen_ms;  /* when the database last took our word; 0: never */
	int64_t since_ms; /* it has done so without a gap since then */
	bool others;      /* live besides us */
	bool looking;     /* a news_job is under way */
	struct timer news;
	struct db_node_ready *ready; /* on other nodes */
	size_t ready_count;
};

struct seen_job {
	struct job job;
	struct nodes *nodes;
	bool may_bury; /* we saw the database all the time in which others were not seen */
	bool away;     /* we were not seen: others may have buried us */
	int64_t *sessions; /* of ours, when `away` */
	size_t session_count;
	bool others; /* live */
	int err;
};

static void hang_up(struct gateway *gw, struct db *db, int64_t call_id)
{
	log_warn("nodes", call_id, "its agent's node is gone: hanging up");
	(void)call_tell(
		gw, db, call_id, "hangup", "The gateway of the agent's phone is gone.");
}

/* The loop learns how these sessions are now. */
static void tell_sessions(
	struct gateway *gw, struct db *db, const int64_t *ids, size_t count)
{
	struct db_agent_session row;

	for (size_t i = 0; i < count; i++)
		if (db_agent_session_get(db, ids[i], &row) == 0)
			agent_changed(gw, &row);
}

static void bury(struct gateway *gw, struct db *db)
{
	int64_t *ids = NULL;
	size_t count = 0;

	if (db_node_orphans(db, DB_NODE_DEAD_MS, &ids, &count) == 0)
		for (size_t i = 0; i < count; i++)
			hang_up(gw, db, ids[i]);
	free(ids);
	ids = NULL;
	count = 0;
	if (db_node_inherit(db, gw->node, DB_NODE_DEAD_MS, &ids, &count) == 0 &&
		count > 0) {
		log_warn("nodes", 0, "%zu agents of a dead node moved or signed out",
			count);
		tell_sessions(gw, db, ids, count);
	}
	free(ids);
}

static void seen_work(struct job *job, void *ctx)
{
	struct seen_job *task = list_entry(job, struct seen_job, job);
	struct gateway *gw = task->nodes->gw;

	task->err = db_node_seen(ctx, gw->node);
	if (task->err < 0)
		return;
	if (task->away)
		tell_sessions(gw, ctx, task->sessions, task->session_count);
	if (task->may_bury)
		bury(gw, ctx);
	(void)db_node_others(ctx, gw->node, &task->others);
}

static void seen_drop(struct job *job)
{
	struct seen_job *task = list_entry(job, struct seen_job, job);

	free(task->sessions);
	free(task);
}

static void seen_done(struct job *job)
{
	struct seen_job *task = list_entry(job, struct seen_job, job);
	struct nodes *nodes = task->nodes;
	int64_t now = timers_now(nodes->gw->timers);

	if (task->err < 0) {
		nodes->since_ms = INT64_MAX;
	} else {
		if (nodes->since_ms == INT64_MAX || task->away)
			nodes->since_ms = now;
		nodes->seen_ms = now;
		if (task->others && !timer_started(&nodes->news) && !nodes->looking)
			timer_start(nodes->gw->timers, &nodes->news, 0);
		nodes->others = task->others;
		event_bus_others(nodes->gw->bus, nodes->others);
		if (!nodes->others)
			nodes->ready_count = 0;
	}
	timer_start(nodes->gw->timers, &nodes->timer, SEEN_MS);
	seen_drop(job);
}

static void seen_fire(struct timer *timer)
{
	struct nodes *nodes = list_entry(timer, struct nodes, timer);
	struct seen_job *task = calloc(1, sizeof(*task));
	int64_t now = timers_now(nodes->gw->timers);

	if (task != NULL) {
		task->job.work = seen_work;
		task->job.done = seen_done;
		task->job.drop = seen_drop;
		task->nodes = nodes;
		task->away = now - nodes->seen_ms > DB_NODE_DEAD_MS / 2;
		task->may_bury = nodes->since_ms != INT64_MAX && !task->away &&
				 now - nodes->since_ms > DB_NODE_DEAD_MS;
		if (!task->away || agents_ids(nodes->gw, &task->sessions,
					   &task->session_count) == 0) {
			if (jobs_put(nodes->gw->db, &task->job) == 0)
				return;
		}
		seen_drop(&task->job);
	}
	timer_start(nodes->gw->timers, timer, SEEN_MS);
}

/* ---- what other nodes changed ---- */

struct news_job {
	struct job job;
	struct nodes *nodes;
	int64_t *ids, *versions;
	size_t count;
	struct db_node_ready *ready;
	size_t ready_count;
};

static void news_work(struct job *job, void *ctx)
{
	struct news_job *task = list_entry(job, struct news_job, job);
	struct gateway *gw = task->nodes->gw;
	int64_t *changed = NULL;
	size_t count = 0;

	if (db_node_news(ctx, gw->node,
		    &(struct db_node_known){task->ids, task->versions, task->count},
		    &changed, &count) == 0)
		tell_sessions(gw, ctx, changed, count);
	free(changed);
	(void)db_node_ready(ctx, gw->node, &task->ready, &task->ready_count);
}

static void news_drop(struct job *job)
{
	struct news_job *task = list_entry(job, struct news_job, job);

	free(task->ids);
	free(task->versions);
	free(task->ready);
	free(task);
}

static void news_done(struct job *job)
{
	struct news_job *task = list_entry(job, struct news_job, job);
	struct nodes *nodes = task->nodes;

	free(nodes->ready);
	nodes->ready = task->ready;
	nodes->ready_count = task->ready_count;
	task->ready = NULL;
	nodes->looking = false;
	if (nodes->others)
		timer_start(nodes->gw->timers, &nodes->news, NEWS_MS);
	news_drop(job);
}

static void news_fire(struct timer *timer)
{
	struct nodes *nodes = list_entry(timer, struct nodes, news);
	struct news_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = news_work;
		task->job.done = news_done;
		task->job.drop = news_drop;
		task->nodes = nodes;
		if (agents_ids(nodes->gw, &task->ids, &task->count) == 0)
			task->versions = calloc(task->count + 1, sizeof(*task->versions));
		if (task->versions != NULL) {
			agents_versions(nodes->gw, task->versions);
			if (jobs_put(nodes->gw->db, &task->job) == 0) {
				nodes->looking = true;
				return;
			}
		}
		news_drop(&task->job);
	}
	timer_start(nodes->gw->timers, timer, NEWS_MS);
}

unsigned nodes_ready(const struct gateway *gw, int64_t campaign_id)
{
	const struct nodes *nodes = gw->nodes;
	unsigned ready = 0;

	for (size_t i = 0; nodes != NULL && i < nodes->ready_count; i++)
		/* Of all campaigns (0): the claim knows whether this is one of them. */
		if (nodes->ready[i].campaign_id == campaign_id ||
			nodes->ready[i].campaign_id == 0)
			ready += nodes->ready[i].count;
	return ready;
}

int nodes_new(struct gateway *gw, struct nodes **ret_nodes)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (nodes == NULL)
		return -ENOMEM;
	nodes->gw = gw;
	nodes->since_ms = INT64_MAX;
	nodes->timer.fire = seen_fire;
	nodes->news.fire = news_fire;
	timer_start(gw->timers, &nodes->timer, 0);
	*ret_nodes = nodes;
	return 0;
}

void nodes_free(struct nodes **nodes)
{
	if (*nodes == NULL)
		return;
	timer_stop(&(*nodes)->timer);
	timer_stop(&(*nodes)->news);
	free((*nodes)->ready);
	free(*nodes);
	*nodes = NULL;
}
