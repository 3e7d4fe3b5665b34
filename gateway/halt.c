/* halt.c: the answer to a stop waits for what is under way. See halt.h. */
#include "gateway/halt.h"

#include <stdlib.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/queue.h"

#define LOOK_MS 20
#define WAIT_MS 5000

/* Somebody who waits for the answer. On the loop, but for its job. */
struct halt {
	struct post post;
	struct job job;
	struct timer timer;
	struct gateway *gw;
	int64_t campaign_id, until_ms;
	uint64_t request_id;
	struct api_reply reply;
	bool quiet;
};

static void answer(struct halt *halt)
{
	api_send(halt->gw, halt->request_id, &halt->reply);
	free(halt);
}

static void look_work(struct job *job, void *ctx)
{
	struct halt *halt = list_entry(job, struct halt, job);
	int64_t placing = 0;

	halt->quiet = db_campaign_placing(ctx, halt->campaign_id, &placing) == 0 &&
		      placing == 0;
}

static void look_done(struct job *job)
{
	struct halt *halt = list_entry(job, struct halt, job);

	if (halt->quiet || timers_now(halt->gw->timers) >= halt->until_ms)
		answer(halt);
	else
		timer_start(halt->gw->timers, &halt->timer, LOOK_MS);
}

/* The worker is stopping: its HTTP server takes the request with it. */
static void look_drop(struct job *job)
{
	struct halt *halt = list_entry(job, struct halt, job);

	json_decref(halt->reply.data);
	free(halt);
}

static void look(struct halt *halt)
{
	if (jobs_put(halt->gw->db, &halt->job) < 0)
		timer_start(halt->gw->timers, &halt->timer, LOOK_MS);
}

static void look_fire(struct timer *timer)
{
	look(list_entry(timer, struct halt, timer));
}

static void halt_run(struct post *post)
{
	struct halt *halt = list_entry(post, struct halt, post);

	halt->until_ms = timers_now(halt->gw->timers) + WAIT_MS;
	look(halt);
}

static void halt_drop(struct post *post)
{
	look_drop(&list_entry(post, struct halt, post)->job);
}

void halt_reply(struct api_call *call, struct api_reply *reply, int64_t campaign_id)
{
	struct halt *halt = calloc(1, sizeof(*halt));

	if (halt == NULL)
		return; /* answered at once */
	halt->post.run = halt_run;
	halt->post.drop = halt_drop;
	halt->job.work = look_work;
	halt->job.done = look_done;
	halt->job.drop = look_drop;
	halt->timer.fire = look_fire;
	halt->gw = call->gw;
	halt->campaign_id = campaign_id;
	halt->request_id = call->request->id;
	halt->reply = *reply;
	*reply = (struct api_reply){.deferred = true};
	post_queue_answer(call->gw->queue, &halt->post);
}
