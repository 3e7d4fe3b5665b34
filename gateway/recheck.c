/* recheck.c: see recheck.h. */
#include "gateway/recheck.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "db/queue.h"
#include "gateway/campaign.h"

struct recheck_job {
	struct job job;
	struct gateway *gw;
};

static void recheck_work(struct job *job, void *ctx)
{
	struct recheck_job *task = list_entry(job, struct recheck_job, job);
	struct gateway *gw = task->gw;
	int64_t campaign_id;
	int rc;

	free(task);
	/* Who marks a campaign from now on puts another job: this one may have looked already. */
	atomic_store(&gw->rechecking, false);
	while ((rc = db_queue_recheck(ctx, &campaign_id)) == 0)
		campaign_changed(gw, campaign_id);
	if (rc != -ENOENT)
		log_warn("campaign", 0,
			"contacts that wait keep the time of old settings for a minute more: %s",
			db_error(ctx));
}

static void recheck_drop(struct job *job)
{
	free(list_entry(job, struct recheck_job, job));
}

void recheck_soon(struct gateway *gw)
{
	struct recheck_job *task;

	if (atomic_exchange(&gw->rechecking, true))
		return;
	task = calloc(1, sizeof(*task));
	if (task != NULL) {
		task->job.work = recheck_work;
		task->job.drop = recheck_drop;
		task->gw = gw;
		if (jobs_put(gw->slow, &task->job) == 0)
			return;
		free(task);
	}
	atomic_store(&gw->rechecking, false); /* the sweep comes again */
}
