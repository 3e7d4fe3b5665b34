/* test_batch.c: base/batch.h. */
#include "base/batch.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/list.h"
#include "unit/cmocka_all.h"

#define WAIT_S 20

struct wish {
	struct post post;
	int number;
};

static struct post_queue *answers;
static struct jobs *jobs;
static struct batch *batch;
static sem_t gate, at_gate, worked;
static atomic_int dropped, sizes[8], calls, most_at_once, inside;
static atomic_bool gated;
static atomic_int naps, put_during_nap;
static atomic_long nap_ns;

static void drop(struct post *post)
{
	atomic_fetch_add(&dropped, 1);
	free(list_entry(post, struct wish, post));
}

static void work(void *arg, void *ctx, struct post **posts, size_t count)
{
	(void)ctx;
	assert_ptr_equal(arg, &sizes);
	assert_int_equal(atomic_fetch_add(&inside, 1), 0);
	if (atomic_exchange(&gated, false)) {
		(void)sem_post(&at_gate);
		(void)sem_wait(&gate);
	}
	atomic_store(&sizes[atomic_fetch_add(&calls, 1) % 8], (int)count);
	if ((int)count > most_at_once)
		most_at_once = (int)count;
	for (size_t i = 0; i < count; i++)
		free(list_entry(posts[i], struct wish, post));
	atomic_fetch_sub(&inside, 1);
	for (size_t i = 0; i < count; i++)
		(void)sem_post(&worked);
}

static int put(void)
{
	struct wish *wish = calloc(1, sizeof(*wish));
	int err;

	wish->post.drop = drop;
	err = batch_put(batch, &wish->post);
	if (err < 0)
		free(wish);
	return err;
}

/* The worker's waiting for more: takes no time, but what `put_during_nap` says comes in it. */
int __wrap_nanosleep(const struct timespec *span, struct timespec *left);
int __wrap_nanosleep(const struct timespec *span, struct timespec *left)
{
	(void)left;
	atomic_fetch_add(&naps, 1);
	atomic_store(&nap_ns, span->tv_nsec);
	for (int i = atomic_exchange(&put_during_nap, 0); i > 0; i--)
		(void)put();
	return 0;
}

/* A batch of other measures than set_up()'s. */
static void renew_batch(size_t limit, size_t most, unsigned gather_us)
{
	batch_free(&batch);
	assert_int_equal(batch_new(&(struct batch_config){.jobs = jobs,
					   .limit = limit,
					   .most = most,
					   .gather_us = gather_us,
					   .work = work,
					   .arg = &sizes},
				 &batch),
		0);
}

/* One that is held in work(), and `count` that wait behind it; then all go. */
static void put_one_and_then_at_once(int count)
{
	gated = true;
	assert_int_equal(put(), 0);
	assert_int_equal(sem_wait(&at_gate), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(put(), 0);
	(void)sem_post(&gate);
}

static void wait_worked(int count)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	for (int i = 0; i < count; i++)
		assert_int_equal(sem_timedwait(&worked, &deadline), 0);
}

/* Until no job is under way any more. */
static void wait_idle(void)
{
	jobs_free(&jobs);
}

static int set_up(void **state)
{
	(void)state;
	(void)sem_init(&gate, 0, 0);
	(void)sem_init(&at_gate, 0, 0);
	(void)sem_init(&worked, 0, 0);
	dropped = calls = most_at_once = inside = 0;
	gated = false;
	naps = put_during_nap = 0;
	nap_ns = 0;
	assert_int_equal(post_queue_new(16, &answers), 0);
	assert_int_equal(jobs_new(
				 &(struct jobs_config){
					 .threads = 2, .limit = 4, .answers = answers},
				 &jobs),
		0);
	renew_batch(10, 4, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jobs_free(&jobs);
	batch_free(&batch);
	assert_null(batch);
	batch_free(&batch);
	post_queue_free(&answers);
	return 0;
}

static void one_alone_waits_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(put(), 0);
	wait_worked(1);
	assert_int_equal(sizes[0], 1);
}

static void what_waits_together_is_worked_off_together(void **state)
{
	(void)state;
	gated = true;
	assert_int_equal(put(), 0);
	assert_int_equal(sem_wait(&at_gate), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(put(), 0);
	/* The limit is of those that wait. */
	assert_int_equal(put(), -EAGAIN);
	(void)sem_post(&gate);
	wait_worked(11);
	assert_int_equal(calls, 4);
	assert_int_equal(sizes[0], 1);
	assert_int_equal(sizes[1], 4);
	assert_int_equal(sizes[2], 4);
	assert_int_equal(sizes[3], 2);
}

static void after_many_the_next_are_waited_for(void **state)
{
	(void)state;
	renew_batch(64, 16, 700);
	put_during_nap = BATCH_FEW;
	put_one_and_then_at_once(BATCH_MANY);
	wait_worked(1 + BATCH_MANY + BATCH_FEW);
	wait_idle();
	assert_int_equal(calls, 3);
	assert_int_equal(sizes[1], BATCH_MANY);
	assert_int_equal(sizes[2], BATCH_FEW);
	assert_int_equal(naps, 2); /* the second brought nobody */
	assert_int_equal(nap_ns, 700000);
}

static void a_wait_that_brings_few_is_the_last(void **state)
{
	(void)state;
	renew_batch(64, 16, 700);
	put_during_nap = BATCH_FEW - 1;
	put_one_and_then_at_once(BATCH_MANY);
	wait_worked(1 + BATCH_MANY + BATCH_FEW - 1);
	wait_idle();
	assert_int_equal(sizes[2], BATCH_FEW - 1);
	assert_int_equal(naps, 1);
}

static void few_wait_for_nobody(void **state)
{
	(void)state;
	renew_batch(64, 16, 700);
	put_one_and_then_at_once(BATCH_MANY - 1);
	wait_worked(1 + BATCH_MANY - 1);
	wait_idle();
	assert_int_equal(sizes[1], BATCH_MANY - 1);
	assert_int_equal(naps, 0);
}

static void nobody_is_waited_for_when_the_next_batch_is_full(void **state)
{
	(void)state;
	renew_batch(64, BATCH_MANY, 700);
	put_one_and_then_at_once(2 * BATCH_MANY);
	wait_worked(1 + 2 * BATCH_MANY);
	wait_idle();
	assert_int_equal(calls, 3);
	/* Only after the last, behind which nobody came. */
	assert_int_equal(naps, BATCH_WAITS);
}

static void who_gathers_nothing_never_waits(void **state)
{
	(void)state;
	renew_batch(64, 16, 0);
	put_one_and_then_at_once(BATCH_MANY);
	wait_worked(1 + BATCH_MANY);
	wait_idle();
	assert_int_equal(naps, 0);
}

static void *put_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5000; i++)
		while (put() < 0)
			(void)sched_yield();
	return NULL;
}

static void nobody_is_forgotten_and_one_batch_runs_at_a_time(void **state)
{
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, NULL), 0);
	wait_worked(10000);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_in_range(most_at_once, 1, 4);
}

static void what_waits_at_the_end_is_dropped(void **state)
{
	(void)state;
	jobs_free(&jobs);
	/* Workers that take no job. */
	assert_int_equal(jobs_new(
				 &(struct jobs_config){
					 .threads = 1, .limit = 0, .answers = answers},
				 &jobs),
		0);
	renew_batch(10, 4, 0);
	assert_int_equal(put(), 0);
	jobs_free(&jobs);
	batch_free(&batch);
	assert_int_equal(dropped, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			one_alone_waits_for_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_waits_together_is_worked_off_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			after_many_the_next_are_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_wait_that_brings_few_is_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(few_wait_for_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nobody_is_waited_for_when_the_next_batch_is_full, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			who_gathers_nothing_never_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nobody_is_forgotten_and_one_batch_runs_at_a_time, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_waits_at_the_end_is_dropped, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
