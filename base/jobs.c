/* jobs.c: threads that do blocking work. See jobs.h. */
#include "base/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"

struct jobs {
	struct jobs_config config;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, *last;
	size_t count;
	bool ending;
	unsigned created;
	pthread_cond_t begun; /* for jobs_new, until every thread is through start() */
	unsigned through;
	int start_err;
	pthread_t threads[];
};

/* The next job, or NULL when the pool ends. Blocks. */
static struct job *take(struct jobs *jobs)
{
	struct job *job = NULL;

	(void)pthread_mutex_lock(&jobs->lock);
	while (jobs->first == NULL && !jobs->ending)
		(void)pthread_cond_wait(&jobs->more, &jobs->lock);
	if (!jobs->ending) {
		job = jobs->first;
		jobs->first = job->next;
		jobs->count--;
	}
	(void)pthread_mutex_unlock(&jobs->lock);
	return job;
}

static void answer_run(struct post *post)
{
	struct job *job = list_entry(post, struct job, post);

	job->done(job);
}

static void answer_drop(struct post *post)
{
	struct job *job = list_entry(post, struct job, post);

	if (job->drop != NULL)
		job->drop(job);
}

/* Tells jobs_new what came of start(). */
static int begin(struct jobs *jobs, void **ret_ctx)
{
	int err = 0;

	if (jobs->config.start != NULL)
		err = jobs->config.start(jobs->config.arg, ret_ctx);
	(void)pthread_mutex_lock(&jobs->lock);
	jobs->through++;
	if (err < 0)
		jobs->start_err = err;
	(void)pthread_cond_signal(&jobs->begun);
	(void)pthread_mutex_unlock(&jobs->lock);
	return err;
}

static void measure(struct metric *metric, int64_t us)
{
	if (metric != NULL)
		metric_observe(metric, 0, us);
}

static void *worker(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job;
	void *ctx = NULL;

	if (begin(jobs, &ctx) < 0)
		return NULL;
	while ((job = take(jobs)) != NULL) {
		bool answered = job->done != NULL;
		int64_t began_us = clock_mono_us();

		measure(jobs->config.waited, began_us - job->put_us);
		job->work(job, ctx);
		measure(jobs->config.ran, clock_mono_us() - began_us);
		if (!answered)
			continue; /* work owned it */
		job->post.run = answer_run;
		job->post.drop = answer_drop;
		post_queue_answer(jobs->config.answers, &job->post);
	}
	if (jobs->config.stop != NULL)
		jobs->config.stop(jobs->config.arg, ctx);
	return NULL;
}

static int wait_begun(struct jobs *jobs)
{
	int err;

	(void)pthread_mutex_lock(&jobs->lock);
	while (jobs->through < jobs->created)
		(void)pthread_cond_wait(&jobs->begun, &jobs->lock);
	err = jobs->start_err;
	(void)pthread_mutex_unlock(&jobs->lock);
	return err;
}

int jobs_new(const struct jobs_config *config, struct jobs **ret_jobs)
{
	struct jobs *jobs =
		calloc(1, sizeof(*jobs) + config->threads * sizeof(pthread_t));
	int err = 0;

	if (jobs == NULL)
		return -ENOMEM;
	jobs->config = *config;
	(void)pthread_mutex_init(&jobs->lock, NULL);
	(void)pthread_cond_init(&jobs->more, NULL);
	(void)pthread_cond_init(&jobs->begun, NULL);
	while (err == 0 && jobs->created < config->threads) {
		err = -pthread_create(&jobs->threads[jobs->created], NULL, worker, jobs);
		if (err == 0)
			jobs->created++;
	}
	if (err == 0)
		err = wait_begun(jobs);
	if (err < 0) {
		jobs_free(&jobs);
		return err;
	}
	*ret_jobs = jobs;
	return 0;
}

void jobs_stop(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	(void)pthread_mutex_lock(&jobs->lock);
	jobs->ending = true;
	(void)pthread_cond_broadcast(&jobs->more);
	(void)pthread_mutex_unlock(&jobs->lock);
	while (jobs->created > 0)
		(void)pthread_join(jobs->threads[--jobs->created], NULL);
}

void jobs_free(struct jobs **jobs)
{
	struct jobs *pool = *jobs;
	struct job *job;

	if (pool == NULL)
		return;
	jobs_stop(pool);
	while ((job = pool->first) != NULL) {
		pool->first = job->next;
		if (job->drop != NULL)
			job->drop(job);
	}
	(void)pthread_cond_destroy(&pool->begun);
	(void)pthread_cond_destroy(&pool->more);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
	*jobs = NULL;
}

int jobs_put(struct jobs *jobs, struct job *job)
{
	int err = -EAGAIN;

	job->next = NULL;
	job->put_us = clock_mono_us();
	(void)pthread_mutex_lock(&jobs->lock);
	if (jobs->count < jobs->config.limit && !jobs->ending) {
		if (jobs->first == NULL)
			jobs->first = job;
		else
			jobs->last->next = job;
		jobs->last = job;
		jobs->count++;
		err = 0;
		(void)pthread_cond_signal(&jobs->more);
	}
	(void)pthread_mutex_unlock(&jobs->lock);
	return err;
}

size_t jobs_waiting(struct jobs *jobs)
{
	size_t count;

	(void)pthread_mutex_lock(&jobs->lock);
	count = jobs->count;
	(void)pthread_mutex_unlock(&jobs->lock);
	return count;
}
