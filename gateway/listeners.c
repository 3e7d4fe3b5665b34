/* listeners.c: ends streams whose listeners may listen no more. See listeners.h. */
#include "gateway/listeners.h"

#include <errno.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/timers.h"
#include "db/users.h"
#include "http/events.h"

#define LOOK_MS 2000
#define GRANTS_MAX 1024 /* more than connections */

struct listeners {
	struct gateway *gw;
	struct timer timer;
};

/* ---- at once ---- */

static bool has_grant(void *arg, const struct http_listener *listener)
{
	return listener->grant == *(const int64_t *)arg;
}

void listeners_end_grant(struct gateway *gw, int64_t grant)
{
	http_events_end(gw->events, has_grant, &grant);
}

struct user_but {
	int64_t user_id, keep_grant;
};

static bool is_user(void *arg, const struct http_listener *listener)
{
	const struct user_but *but = arg;

	return listener->owner == but->user_id && listener->grant != but->keep_grant;
}

void listeners_end_user(struct gateway *gw, int64_t user_id, int64_t keep_grant)
{
	struct user_but but = {user_id, keep_grant};

	http_events_end(gw->events, is_user, &but);
}

/* ---- by looking ---- */

struct look_job {
	struct job job;
	struct listeners *listeners;
	int64_t grants[GRANTS_MAX];
	size_t count;
};

static bool collect(void *arg, const struct http_listener *listener)
{
	struct look_job *task = arg;

	if (task->count < GRANTS_MAX)
		task->grants[task->count++] = listener->grant;
	return false;
}

static void look_work(struct job *job, void *ctx)
{
	struct look_job *task = list_entry(job, struct look_job, job);
	struct gateway *gw = task->listeners->gw;
	int64_t *ended = NULL;
	size_t count = 0;

	/* Without a database nobody is thrown out: it is asked again. */
	if (db_grants_ended(ctx, task->grants, task->count, &ended, &count) == 0)
		for (size_t i = 0; i < count; i++)
			listeners_end_grant(gw, ended[i]);
	free(ended);
}

static void look_drop(struct job *job)
{
	free(list_entry(job, struct look_job, job));
}

static void look_done(struct job *job)
{
	struct look_job *task = list_entry(job, struct look_job, job);
	struct listeners *listeners = task->listeners;

	timer_start(listeners->gw->timers, &listeners->timer, LOOK_MS);
	free(task);
}

static void look_fire(struct timer *timer)
{
	struct listeners *listeners = list_entry(timer, struct listeners, timer);
	struct look_job *task = calloc(1, sizeof(*task));

	if (task != NULL) {
		task->job.work = look_work;
		task->job.done = look_done;
		task->job.drop = look_drop;
		task->listeners = listeners;
		http_events_end(listeners->gw->events, collect, task);
		if (task->count > 0 && jobs_put(listeners->gw->db, &task->job) == 0)
			return;
		free(task);
	}
	timer_start(listeners->gw->timers, timer, LOOK_MS);
}

int listeners_new(struct gateway *gw, struct listeners **ret_listeners)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));

	if (listeners == NULL)
		return -ENOMEM;
	listeners->gw = gw;
	listeners->timer.fire = look_fire;
	timer_start(gw->timers, &listeners->timer, LOOK_MS);
	*ret_listeners = listeners;
	return 0;
}

void listeners_free(struct listeners **listeners)
{
	if (*listeners != NULL)
		timer_stop(&(*listeners)->timer);
	free(*listeners);
	*listeners = NULL;
}
