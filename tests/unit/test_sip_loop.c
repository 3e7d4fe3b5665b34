/* test_sip_loop.c: posts, timers and descriptors on the one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"
#include "sip/loop.h"

struct bench {
	struct post_queue *queue;
	struct timers *timers;
	struct sip_loop *loop;
	struct post post;
	struct timer timer, far;
	int64_t fired_ms;
	int pipe[2];
	int watch;
};

static int set_up(void **state)
{
	static struct bench b;

	b = (struct bench){.watch = -1};
	assert_int_equal(post_queue_new(8, &b.queue), 0);
	assert_int_equal(timers_new(clock_mono_ms(), &b.timers), 0);
	assert_int_equal(sip_loop_new(b.queue, b.timers, &b.loop), 0);
	assert_int_equal(pipe(b.pipe), 0);
	*state = &b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	sip_loop_free(&b->loop);
	sip_loop_free(&b->loop);
	timers_free(&b->timers);
	post_queue_free(&b->queue);
	close(b->pipe[0]);
	close(b->pipe[1]);
	return 0;
}

static void stop_on_timer(struct timer *timer)
{
	struct bench *b = list_entry(timer, struct bench, timer);

	b->fired_ms = clock_mono_ms();
	sip_loop_stop(b->loop);
}

static void start_timer(struct post *post)
{
	struct bench *b = list_entry(post, struct bench, post);

	timer_start(b->timers, &b->timer, 20);
}

static void do_nothing(struct timer *timer)
{
	(void)timer;
}

static void *put_post(void *arg)
{
	struct bench *b = arg;

	assert_int_equal(post_queue_put(b->queue, &b->post), 0);
	return NULL;
}

static void a_post_from_another_thread_may_start_a_nearer_timer(void **state)
{
	struct bench *b = *state;
	int64_t start = clock_mono_ms();
	pthread_t thread;

	b->far.fire = do_nothing;
	b->timer.fire = stop_on_timer;
	b->post.run = start_timer;
	timer_start(b->timers, &b->far, 60000);
	assert_int_equal(pthread_create(&thread, NULL, put_post, b), 0);
	sip_loop_run(b->loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_in_range(b->fired_ms - start, 19, 5000);
}

static void the_loop_sleeps_until_something_is_due(void **state)
{
	struct bench *b = *state;
	struct rusage before, after;

	b->timer.fire = stop_on_timer;
	timer_start(b->timers, &b->timer, 300);
	assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
	sip_loop_run(b->loop);
	assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
	assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 10);
}

static void read_and_stop(void *arg)
{
	struct bench *b = arg;
	char byte;

	assert_int_equal(read(b->pipe[0], &byte, 1), 1);
	sip_loop_unwatch(b->loop, b->watch); /* inside its own callback */
	sip_loop_stop(b->loop);
}

static void a_readable_descriptor_is_told(void **state)
{
	struct bench *b = *state;

	b->watch = sip_loop_watch(b->loop, b->pipe[0], read_and_stop, b);
	assert_true(b->watch >= 0);
	assert_int_equal(write(b->pipe[1], "x", 1), 1);
	sip_loop_run(b->loop);
	sip_loop_unwatch(b->loop, b->watch);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_post_from_another_thread_may_start_a_nearer_timer),
		TEST(the_loop_sleeps_until_something_is_due),
		TEST(a_readable_descriptor_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
