/* batch.c: many small wishes of the database as one. See batch.h. */
#include "base/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/list.h"

struct batch {
	struct batch_config config;
	struct post_queue *waiting;
	/* True while the job is under way; whoever turns it on owns the job. */
	atomic_bool working;
	struct job job;
};

/*
 * Much is coming: more in the same commit costs less than one of its own. Who was answered just now
 * may come back together: as long as a wait brings some, there is another one. Those who come by the
 * clock are not worth it: all that wait already would wait longer.
 */
static void gather(const struct batch *batch, size_t last)
{
	struct timespec span = {.tv_nsec = (long)batch->config.gather_us * 1000};
	size_t before = 0, waiting = post_queue_waiting(batch->waiting);

	if (last < BATCH_MANY || batch->config.gather_us == 0)
		return;
	for (int i = 0; i < BATCH_WAITS && waiting < batch->config.most &&
			(waiting == 0 || waiting >= before + BATCH_FEW);
		i++) {
		before = waiting;
		(void)nanosleep(&span, NULL);
		waiting = post_queue_waiting(batch->waiting);
	}
}

static void batch_work(struct job *job, void *ctx)
{
	struct batch *batch = list_entry(job, struct batch, job);
	struct post *posts[BATCH_MAX];
	size_t count = 0;

	/* Who put a post while we were leaving saw `working` and left it to us. */
	do {
		while ((count = post_queue_take(
				batch->waiting, posts, batch->config.most)) > 0) {
			batch->config.work(batch->config.arg, ctx, posts, count);
			gather(batch, count);
		}
		atomic_store(&batch->working, false);
	} while (post_queue_waiting(batch->waiting) > 0 &&
		 !atomic_exchange(&batch->working, true));
}

static void batch_drop(struct job *job)
{
	atomic_store(&list_entry(job, struct batch, job)->working, false);
}

int batch_new(const struct batch_config *config, struct batch **ret_batch)
{
	struct batch *batch;
	int err;

	assert(config->most >= 1 && config->most <= BATCH_MAX);
	assert(config->gather_us < 1000000);
	batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return -ENOMEM;
	batch->config = *config;
	batch->job.work = batch_work;
	batch->job.drop = batch_drop;
	err = post_queue_new(config->limit, &batch->waiting);
	if (err < 0) {
		free(batch);
		return err;
	}
	*ret_batch = batch;
	return 0;
}

void batch_free(struct batch **batch)
{
	if (*batch == NULL)
		return;
	post_queue_free(&(*batch)->waiting);
	free(*batch);
	*batch = NULL;
}

int batch_put(struct batch *batch, struct post *post)
{
	int err = post_queue_put(batch->waiting, post);

	if (err < 0)
		return err;
	if (!atomic_exchange(&batch->working, true) &&
		jobs_put(batch->config.jobs, &batch->job) < 0)
		atomic_store(&batch->working, false);
	return 0;
}

size_t batch_waiting(struct batch *batch)
{
	return post_queue_waiting(batch->waiting);
}
