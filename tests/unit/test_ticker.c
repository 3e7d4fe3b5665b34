/* test_ticker.c: base/ticker.h. */
#include "base/ticker.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

#define DEADLINE_MS 20000
#define FIRST_MS 100
#define REST_MS 500

static struct post_queue *answers;
static struct timers *timers;
static struct jobs *jobs;
static struct ticker *ticker;
static sem_t gate, at_gate;
static atomic_bool gated;
static atomic_int worked;
static int begun, done, wakes;
static bool idle, frees;

static bool begin(void *arg)
{
	assert_ptr_equal(arg, &begun);
	begun++;
	return !idle;
}

static void work(void *arg, void *ctx)
{
	assert_ptr_equal(arg, &begun);
	assert_null(ctx);
	if (gated) {
		(void)sem_post(&at_gate);
		(void)sem_wait(&gate);
	}
	worked++;
}

static void end(void *arg)
{
	assert_ptr_equal(arg, &begun);
	done++;
	if (wakes > 0) {
		wakes--;
		ticker_wake(ticker);
	}
	if (frees)
		ticker_free(&ticker);
}

static int set_up(void **state)
{
	(void)state;
	(void)sem_init(&gate, 0, 0);
	(void)sem_init(&at_gate, 0, 0);
	gated = idle = frees = false;
	worked = begun = done = wakes = 0;
	assert_int_equal(post_queue_new(16, &answers), 0);
	assert_int_equal(timers_new(0, &timers), 0);
	assert_int_equal(jobs_new(
				 &(struct jobs_config){
					 .threads = 1, .limit = 1, .answers = answers},
				 &jobs),
		0);
	assert_int_equal(ticker_new(
				 &(struct ticker_config){
					 .timers = timers,
					 .jobs = jobs,
					 .first_ms = FIRST_MS,
					 .rest_ms = REST_MS,
					 .begin = begin,
					 .work = work,
					 .done = end,
					 .arg = &begun,
				 },
				 &ticker),
		0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jobs_free(&jobs);
	ticker_free(&ticker);
	assert_null(ticker);
	ticker_free(&ticker);
	post_queue_free(&answers);
	timers_free(&timers);
	return 0;
}

/* The answer of the round that is under way is there, and is run. */
static void see_end(void)
{
	struct pollfd fd = {.fd = post_queue_fd(answers), .events = POLLIN};

	assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
	assert_int_equal(post_queue_run(answers, 16), 1);
}

static void wait_at_gate(void)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_MS / 1000;
	assert_int_equal(sem_timedwait(&at_gate, &deadline), 0);
}

static void a_round_follows_another_after_a_rest(void **state)
{
	(void)state;
	timers_advance(timers, FIRST_MS - 1);
	assert_int_equal(begun, 0);
	timers_advance(timers, FIRST_MS);
	assert_int_equal(begun, 1);
	/* However long it takes: the rest begins with its end. */
	timers_advance(timers, FIRST_MS + 10 * REST_MS);
	assert_true(begun == 1 && done == 0);
	see_end();
	assert_true(worked == 1 && done == 1);
	timers_advance(timers, FIRST_MS + 11 * REST_MS - 1);
	assert_int_equal(begun, 1);
	timers_advance(timers, FIRST_MS + 11 * REST_MS);
	assert_int_equal(begun, 2);
	see_end();
	assert_true(worked == 2 && done == 2);
}

static void who_wakes_it_at_rest_need_not_wait(void **state)
{
	(void)state;
	ticker_wake(ticker);
	ticker_wake(ticker);
	timers_advance(timers, 1);
	assert_int_equal(begun, 1);
	see_end();
	timers_advance(timers, REST_MS);
	assert_int_equal(begun, 1);
	timers_advance(timers, 1 + REST_MS);
	assert_int_equal(begun, 2);
}

static void who_wakes_it_at_work_has_one_more_round(void **state)
{
	(void)state;
	gated = true;
	timers_advance(timers, FIRST_MS);
	wait_at_gate();
	ticker_wake(ticker);
	ticker_wake(ticker);
	timers_advance(timers, FIRST_MS + 1);
	assert_int_equal(begun, 1);
	gated = false;
	(void)sem_post(&gate);
	see_end();
	timers_advance(timers, FIRST_MS + 2);
	assert_int_equal(begun, 2);
	see_end();
	timers_advance(timers, FIRST_MS + 1 + REST_MS);
	assert_int_equal(begun, 2);
	timers_advance(timers, FIRST_MS + 2 + REST_MS);
	assert_int_equal(begun, 3);
}

static void a_round_that_found_more_goes_on_at_once(void **state)
{
	(void)state;
	wakes = 1;
	timers_advance(timers, FIRST_MS);
	see_end();
	timers_advance(timers, FIRST_MS + 1);
	assert_int_equal(begun, 2);
	see_end();
	timers_advance(timers, FIRST_MS + 2);
	assert_int_equal(begun, 2);
}

static void with_nothing_to_do_it_rests(void **state)
{
	(void)state;
	idle = true;
	timers_advance(timers, FIRST_MS);
	assert_int_equal(begun, 1);
	timers_advance(timers, FIRST_MS + REST_MS - 1);
	assert_int_equal(begun, 1);
	idle = false;
	timers_advance(timers, FIRST_MS + REST_MS);
	assert_int_equal(begun, 2);
	see_end();
	assert_true(worked == 1 && done == 1);
}

static void wait_here(struct job *job, void *ctx)
{
	(void)job;
	(void)ctx;
	(void)sem_post(&at_gate);
	(void)sem_wait(&gate);
}

static void work_nothing(struct job *job, void *ctx)
{
	(void)job;
	(void)ctx;
}

static void a_full_queue_is_tried_again_after_the_rest(void **state)
{
	struct job first = {.work = wait_here}, second = {.work = work_nothing};

	(void)state;
	assert_int_equal(jobs_put(jobs, &first), 0);
	wait_at_gate();
	assert_int_equal(jobs_put(jobs, &second), 0);
	timers_advance(timers, FIRST_MS);
	assert_int_equal(begun, 1);
	/* It is not at work: who wakes it needs no round to end. */
	ticker_wake(ticker);
	timers_advance(timers, FIRST_MS + 1);
	assert_int_equal(begun, 2);
	(void)sem_post(&gate);
	while (jobs_waiting(jobs) > 0)
		(void)poll(NULL, 0, 1);
	timers_advance(timers, FIRST_MS + REST_MS);
	assert_int_equal(begun, 2);
	timers_advance(timers, FIRST_MS + 1 + REST_MS);
	assert_int_equal(begun, 3);
	see_end();
	assert_true(worked == 1 && done == 1);
}

static void who_frees_it_at_work_hears_no_more_of_it(void **state)
{
	(void)state;
	gated = true;
	timers_advance(timers, FIRST_MS);
	wait_at_gate();
	ticker_free(&ticker);
	(void)sem_post(&gate);
	see_end();
	assert_true(worked == 1 && done == 0);
	timers_advance(timers, FIRST_MS + 10 * REST_MS);
	assert_int_equal(begun, 1);
}

static void its_round_may_free_it(void **state)
{
	(void)state;
	frees = true;
	timers_advance(timers, FIRST_MS);
	see_end();
	assert_null(ticker);
	timers_advance(timers, FIRST_MS + 10 * REST_MS);
	assert_true(begun == 1 && done == 1);
}

/* The order in which a worker stops: the pool, whoever used it, the queue of answers. */
static void an_answer_that_nobody_reads_frees_it(void **state)
{
	(void)state;
	gated = true;
	timers_advance(timers, FIRST_MS);
	wait_at_gate();
	(void)sem_post(&gate);
	jobs_free(&jobs);
	ticker_free(&ticker);
	post_queue_free(&answers);
	assert_true(worked == 1 && done == 0);
}

static void who_frees_it_before_its_round_hears_nothing(void **state)
{
	struct job first = {.work = wait_here};

	(void)state;
	assert_int_equal(jobs_put(jobs, &first), 0);
	wait_at_gate();
	timers_advance(timers, FIRST_MS);
	ticker_free(&ticker);
	(void)sem_post(&gate);
	jobs_free(&jobs);
	assert_int_equal(done, 0);
}

static void without_memory_there_is_none(void **state)
{
	struct ticker *none = NULL;

	(void)state;
	failing_alloc_at(1);
	assert_int_equal(
		ticker_new(
			&(struct ticker_config){.timers = timers, .jobs = jobs}, &none),
		-ENOMEM);
	assert_null(none);
}

int main(void)
{
#define TICKER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TICKER_TEST(a_round_follows_another_after_a_rest),
		TICKER_TEST(who_wakes_it_at_rest_need_not_wait),
		TICKER_TEST(who_wakes_it_at_work_has_one_more_round),
		TICKER_TEST(a_round_that_found_more_goes_on_at_once),
		TICKER_TEST(with_nothing_to_do_it_rests),
		TICKER_TEST(a_full_queue_is_tried_again_after_the_rest),
		TICKER_TEST(who_frees_it_at_work_hears_no_more_of_it),
		TICKER_TEST(its_round_may_free_it),
		TICKER_TEST(an_answer_that_nobody_reads_frees_it),
		TICKER_TEST(who_frees_it_before_its_round_hears_nothing),
		TICKER_TEST(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
