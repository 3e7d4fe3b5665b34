/*
 * batch.h: many small wishes of the database as one: what waits at the same moment is worked off
 * in one statement with one commit.
 *
 * Posts wait in a bounded queue; a job on a worker takes what is there, up to `most`, again and
 * again until nothing waits. At most one such job runs at a time, so the more there is to do, the
 * larger the batches are. A single post waits for nobody; only when many came together, the next
 * are waited for a little, as PostgreSQL's commit_delay does, and a little more while they come.
 */
#ifndef OMNIVOX_BASE_BATCH_H
#define OMNIVOX_BASE_BATCH_H

#include <stddef.h>

#include "base/jobs.h"

#define BATCH_MAX 64 /* the largest `most` */
#define BATCH_MANY 8
#define BATCH_WAITS 4 /* between two batches, at most */
#define BATCH_FEW 3   /* a wait that brings fewer is the last */

struct batch;

struct batch_config {
	struct jobs *jobs; /* borrowed; must be freed before the batch */
	size_t limit;      /* posts that may wait at once */
	size_t most;       /* in one call of work(); 1 to BATCH_MAX */
	/* One of up to BATCH_WAITS waits for the next after BATCH_MANY, below a second; 0: none. */
	unsigned gather_us;
	/* On a worker thread, which owns the posts from then on; `ctx` is the worker's. */
	void (*work)(void *arg, void *ctx, struct post **posts, size_t count);
	void *arg;
};

int batch_new(const struct batch_config *config, struct batch **ret_batch);

/* Drops what still waits. NULL-safe, sets NULL. */
void batch_free(struct batch **batch);

/*
 * Any thread. -EAGAIN when full: the post is still the caller's. `post->run` is never called. A
 * post that no worker could be found for waits for the next one to be put.
 */
int batch_put(struct batch *batch, struct post *post);

/* Any thread. How many wait. */
size_t batch_waiting(struct batch *batch);

#endif
