/* late_answer.c: answers to those who asked for a call. See late_answer.h. */
#include "gateway/late_answer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "base/list.h"

struct answer_job {
	struct job job;
	struct gateway *gw;
	struct late_answer late;
	char reason[256];
};

static void answer_work(struct job *job, void *ctx)
{
	struct answer_job *task = list_entry(job, struct answer_job, job);
	struct api_reply reply = {.status = 0};

	task->late.read(&task->late, ctx, &reply);
	api_send(task->gw, task->late.request_id, &reply);
	free(task);
}

static void answer_drop(struct job *job)
{
	free(list_entry(job, struct answer_job, job));
}

void late_answer_send(struct gateway *gw, const struct late_answer *late)
{
	struct answer_job *task = calloc(1, sizeof(*task));
	struct api_reply busy = {.status = 0};

	if (task != NULL) {
		task->job.work = answer_work;
		task->job.drop = answer_drop;
		task->gw = gw;
		task->late = *late;
		(void)snprintf(task->reason, sizeof(task->reason), "%s", late->reason);
		task->late.reason = task->reason;
		if (jobs_put(gw->db, &task->job) == 0)
			return;
		free(task);
	}
	busy.retry_after_s = 1;
	api_fail(&busy, 503, "DATABASE_UNAVAILABLE", "%s", late->unread);
	api_send(gw, late->request_id, &busy);
}
