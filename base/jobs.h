/*
 * jobs.h: threads that do blocking work, one job at a time each, with a context of their own
 * (a database connection). Results go back to the asker's queue as posts.
 */
#ifndef OMNIVOX_BASE_JOBS_H
#define OMNIVOX_BASE_JOBS_H

#include <stddef.h>

#include "base/metrics.h"
#include "base/post.h"

struct jobs;

struct job {
	/* On a worker thread; may block within its own deadlines. `ctx` from start(). */
	void (*work)(struct job *job, void *ctx);
	/*
	 * On the reader of jobs_config.answers, after work. Owns the job. NULL: the job ends with
	 * work, which then owns it.
	 */
	void (*done)(struct job *job);
	/* Instead of work + done when the pool is freed first. */
	void (*drop)(struct job *job);
	struct post post; /* the pool's */
	struct job *next; /* the pool's */
	int64_t put_us;   /* the pool's */
};

struct jobs_config {
	unsigned threads;
	size_t limit;                            /* jobs that may wait at once */
	struct post_queue *answers;              /* borrowed; outlives the pool */
	int (*start)(void *arg, void **ret_ctx); /* on each thread; may be NULL */
	void (*stop)(void *arg, void *ctx);      /* on each thread; may be NULL */
	void *arg;
	/* Histograms of how long jobs wait and run; NULL: not measured. */
	struct metric *waited, *ran;
};

/* Returns when every thread is through start(); one that failed is the error. */
int jobs_new(const struct jobs_config *config, struct jobs **ret_jobs);

/* Takes no more, and waits for the running jobs: for whoever is still put to by others' jobs. */
void jobs_stop(struct jobs *jobs);

/* The same, and drops the waiting. Nobody may put any more. */
void jobs_free(struct jobs **jobs);

/* Any thread. -EAGAIN when full: the job is still the caller's. */
int jobs_put(struct jobs *jobs, struct job *job);

/* How many wait; for overload decisions. Any thread. */
size_t jobs_waiting(struct jobs *jobs);

#endif
