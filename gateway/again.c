/* again.c: tries until it is settled. See again.h. */
#include "gateway/again.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/timers.h"

struct again {
	struct job job;
	struct list node; /* of gw->again, while its timer runs */
	struct timer timer;
	struct gateway *gw;
	struct again_wish wish;
	int64_t end_ms;
	bool settled;
};

static void again_free(struct again *again)
{
	again->wish.done(again->wish.arg);
	free(again);
}

static void work(struct job *job, void *ctx)
{
	struct again *again = list_entry(job, struct again, job);
	bool last = clock_mono_ms() >= again->end_ms;

	again->settled =
		again->wish.attempt(again->gw, ctx, again->wish.arg, last) || last;
}

static void drop(struct job *job)
{
	again_free(list_entry(job, struct again, job));
}

static void done(struct job *job);

static int put(struct again *again)
{
	again->job = (struct job){.work = work, .done = done, .drop = drop};
	return jobs_put(again->gw->db, &again->job);
}

static void fire(struct timer *timer)
{
	struct again *again = list_entry(timer, struct again, timer);

	list_remove(&again->node);
	if (put(again) == 0)
		return;
	/* The workers are busy: later, or never, in which case the server answers for us. */
	if (clock_mono_ms() >= again->end_ms) {
		again_free(again);
		return;
	}
	list_add_tail(&again->gw->again, &again->node);
	timer_start(again->gw->timers, &again->timer, again->wish.every_ms);
}

static void done(struct job *job)
{
	struct again *again = list_entry(job, struct again, job);

	if (again->settled) {
		again_free(again);
		return;
	}
	list_add_tail(&again->gw->again, &again->node);
	timer_start(again->gw->timers, &again->timer, again->wish.every_ms);
}

int again_start(struct gateway *gw, const struct again_wish *wish)
{
	struct again *again = calloc(1, sizeof(*again));
	int err;

	if (again == NULL)
		return -ENOMEM;
	again->gw = gw;
	again->wish = *wish;
	again->end_ms = clock_mono_ms() + wish->for_ms;
	again->timer.fire = fire;
	list_init(&again->node);
	err = put(again);
	if (err < 0)
		free(again);
	return err;
}

void again_stop(struct gateway *gw)
{
	struct list *node, *tmp;

	list_for_each(&gw->again, node, tmp)
	{
		struct again *again = list_entry(node, struct again, node);

		timer_stop(&again->timer);
		list_remove(&again->node);
		again_free(again);
	}
}
