/* test_jobs.c: base/jobs.h. */
#include "base/jobs.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

#define DEADLINE_MS 10000

struct task {
	struct job job;
	pthread_t worker;
	void *ctx;
};

static struct post_queue *answers;
static _Atomic int started, stopped, worked, dropped;
static int done;
static sem_t gate, at_gate;

static void work(struct job *job, void *ctx)
{
	struct task *task = list_entry(job, struct task, job);

	task->worker = pthread_self();
	task->ctx = ctx;
	worked++;
}

static void work_at_gate(struct job *job, void *ctx)
{
	work(job, ctx);
	(void)sem_post(&at_gate);
	(void)sem_wait(&gate);
}

static void work_and_own(struct job *job, void *ctx)
{
	work(job, ctx);
	free(list_entry(job, struct task, job));
}

static void done_here(struct job *job)
{
	struct task *task = list_entry(job, struct task, job);

	assert_false(pthread_equal(task->worker, pthread_self()));
	done++;
}

static void drop(struct job *job)
{
	(void)job;
	dropped++;
}

static int start(void *arg, void **ret_ctx)
{
	started++;
	*ret_ctx = arg;
	return 0;
}

/* The second of the threads cannot. */
static int start_fails(void *arg, void **ret_ctx)
{
	(void)arg;
	(void)ret_ctx;
	return ++started == 2 ? -ECONNREFUSED : 0;
}

static void stop(void *arg, void *ctx)
{
	assert_ptr_equal(arg, ctx);
	stopped++;
}

static void stop_any(void *arg, void *ctx)
{
	(void)arg;
	(void)ctx;
	stopped++;
}

static struct task task_of(void (*how)(struct job *job, void *ctx))
{
	return (struct task){.job = {.work = how, .done = done_here, .drop = drop}};
}

static struct jobs_config config_of(unsigned threads, size_t limit)
{
	return (struct jobs_config){.threads = threads,
		.limit = limit,
		.answers = answers,
		.start = start,
		.stop = stop,
		.arg = &started};
}

static struct jobs *pool_of(unsigned threads, size_t limit)
{
	struct jobs_config config = config_of(threads, limit);
	struct jobs *jobs = NULL;

	assert_int_equal(jobs_new(&config, &jobs), 0);
	return jobs;
}

static void run_answers_until(int count)
{
	struct pollfd fd = {.fd = post_queue_fd(answers), .events = POLLIN};
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;

	while (done < count && clock_mono_ms() < deadline)
		if (poll(&fd, 1, 100) == 1)
			(void)post_queue_run(answers, 64);
	assert_int_equal(done, count);
}

static int setup(void **state)
{
	(void)state;
	started = stopped = worked = dropped = 0;
	done = 0;
	(void)sem_init(&gate, 0, 0);
	(void)sem_init(&at_gate, 0, 0);
	return post_queue_new(1, &answers); /* answers are taken beyond the limit */
}

static int teardown(void **state)
{
	(void)state;
	post_queue_free(&answers);
	(void)sem_destroy(&gate);
	(void)sem_destroy(&at_gate);
	return 0;
}

static void work_is_done_elsewhere_and_its_end_told_here(void **state)
{
	struct jobs *jobs = pool_of(2, 64);
	struct task tasks[50];

	(void)state;
	for (int i = 0; i < 50; i++) {
		tasks[i] = task_of(work);
		assert_int_equal(jobs_put(jobs, &tasks[i].job), 0);
	}
	run_answers_until(50);
	assert_int_equal(worked, 50);
	assert_ptr_equal(tasks[49].ctx, &started);
	jobs_free(&jobs);
	jobs_free(&jobs);
	assert_int_equal(started, 2);
	assert_int_equal(stopped, 2);
	assert_int_equal(dropped, 0);
}

static void a_full_pool_refuses_and_the_job_stays_with_the_caller(void **state)
{
	struct jobs *jobs = pool_of(1, 2);
	struct task tasks[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		tasks[i] = task_of(i == 0 ? work_at_gate : work);
	assert_int_equal(jobs_put(jobs, &tasks[0].job), 0);
	assert_int_equal(sem_wait(&at_gate), 0);
	assert_int_equal(jobs_put(jobs, &tasks[1].job), 0);
	assert_int_equal(jobs_put(jobs, &tasks[2].job), 0);
	assert_int_equal(jobs_put(jobs, &tasks[3].job), -EAGAIN);
	assert_int_equal(jobs_waiting(jobs), 2);
	assert_int_equal(sem_post(&gate), 0);
	run_answers_until(3);
	assert_int_equal(jobs_waiting(jobs), 0);
	jobs_free(&jobs);
}

static struct jobs *ending;
static int probes;

static void drop_probe(struct job *job)
{
	dropped++;
	free(list_entry(job, struct task, job));
}

/* Goes on until the pool takes nothing more, which is when somebody frees it. */
static void work_until_ending(struct job *job, void *ctx)
{
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;
	struct task *probe;

	work(job, ctx);
	(void)sem_post(&at_gate);
	while (clock_mono_ms() < deadline) {
		probe = malloc(sizeof(*probe));
		*probe = task_of(work);
		probe->job.drop = drop_probe;
		if (jobs_put(ending, &probe->job) < 0) {
			free(probe);
			break;
		}
		probes++;
		(void)poll(NULL, 0, 1);
	}
}

static void freeing_waits_for_the_running_job_and_drops_the_waiting(void **state)
{
	struct task running = task_of(work_until_ending);

	(void)state;
	probes = 0;
	ending = pool_of(1, DEADLINE_MS * 2);
	assert_int_equal(jobs_put(ending, &running.job), 0);
	assert_int_equal(sem_wait(&at_gate), 0);
	jobs_free(&ending);
	assert_int_equal(worked, 1);
	assert_int_equal(dropped, probes);
	assert_int_equal(stopped, 1);
	run_answers_until(1);
}

/* Jobs of a pool that goes on may still put to it. */
static void a_pool_that_was_stopped_takes_no_more(void **state)
{
	struct jobs *jobs = pool_of(1, 8);
	struct task first = task_of(work), late = task_of(work);

	(void)state;
	assert_int_equal(jobs_put(jobs, &first.job), 0);
	run_answers_until(1);
	jobs_stop(jobs);
	assert_int_equal(stopped, 1);
	assert_int_equal(jobs_put(jobs, &late.job), -EAGAIN);
	jobs_stop(jobs);
	jobs_free(&jobs);
	assert_true(worked == 1 && dropped == 0);
}

static void a_job_without_done_belongs_to_its_work(void **state)
{
	struct jobs *jobs = pool_of(1, 8);
	struct task *own = malloc(sizeof(*own)), after = task_of(work);

	(void)state;
	assert_non_null(own);
	*own = task_of(work_and_own);
	own->job.done = NULL;
	assert_int_equal(jobs_put(jobs, &own->job), 0);
	assert_int_equal(jobs_put(jobs, &after.job), 0);
	run_answers_until(1);
	assert_int_equal(worked, 2);
	jobs_free(&jobs);
}

static void an_answer_that_nobody_reads_is_dropped_with_the_queue(void **state)
{
	struct jobs *jobs = pool_of(1, 8);
	struct task task = task_of(work);
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;

	(void)state;
	assert_int_equal(jobs_put(jobs, &task.job), 0);
	while (post_queue_waiting(answers) == 0 && clock_mono_ms() < deadline)
		(void)poll(NULL, 0, 1);
	jobs_free(&jobs);
	post_queue_free(&answers);
	assert_int_equal(dropped, 1);
	assert_int_equal(done, 0);
}

static void a_thread_that_cannot_start_is_the_error_of_the_pool(void **state)
{
	struct jobs_config config = config_of(3, 8);
	struct jobs *jobs = NULL;

	(void)state;
	config.start = start_fails;
	config.stop = stop_any;
	assert_int_equal(jobs_new(&config, &jobs), -ECONNREFUSED);
	assert_null(jobs);
	assert_int_equal(started, 3);
	assert_int_equal(stopped, 2);
}

static void without_memory_there_is_no_pool(void **state)
{
	struct jobs_config config = config_of(1, 8);
	struct jobs *jobs = NULL;

	(void)state;
	failing_alloc_at(1);
	assert_int_equal(jobs_new(&config, &jobs), -ENOMEM);
	assert_null(jobs);
}

#define with_answers(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_answers(work_is_done_elsewhere_and_its_end_told_here),
		with_answers(a_full_pool_refuses_and_the_job_stays_with_the_caller),
		with_answers(freeing_waits_for_the_running_job_and_drops_the_waiting),
		with_answers(a_pool_that_was_stopped_takes_no_more),
		with_answers(a_job_without_done_belongs_to_its_work),
		with_answers(an_answer_that_nobody_reads_is_dropped_with_the_queue),
		with_answers(a_thread_that_cannot_start_is_the_error_of_the_pool),
		with_answers(without_memory_there_is_no_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
