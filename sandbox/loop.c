/* loop.c: re_main with a timerfd for base's timers and an eventfd for posts. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sandbox/libre.h"

#include "base/clock.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"

#define POSTS_MAX 10000 /* waiting at once; more is refused at the HTTP border */
#define POSTS_PER_TURN 64
#define FDS_MAX 4096

struct loop {
	struct timers *timers;
	struct post_queue *posts;
	int timer_fd;
};

/* Sets the timerfd to the next due timer. */
static void arm(struct loop *loop)
{
	int64_t wait_ms = timers_next(loop->timers);
	struct itimerspec when = {0};

	if (wait_ms >= 0) {
		when.it_value.tv_sec = wait_ms / 1000;
		when.it_value.tv_nsec = wait_ms % 1000 * 1000000;
		if (wait_ms == 0)
			when.it_value.tv_nsec = 1;
	}
	(void)timerfd_settime(loop->timer_fd, 0, &when, NULL);
}

static void on_timer(int flags, void *arg)
{
	struct loop *loop = arg;
	uint64_t expirations;

	(void)flags;
	(void)!read(loop->timer_fd, &expirations, sizeof(expirations));
	timers_advance(loop->timers, clock_mono_ms());
	arm(loop);
}

static void on_posts(int flags, void *arg)
{
	struct loop *loop = arg;

	(void)flags;
	timers_advance(loop->timers, clock_mono_ms());
	(void)post_queue_run(loop->posts, POSTS_PER_TURN);
	arm(loop);
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = memory_zero(sizeof(*loop));
	int r;

	loop->timer_fd = -1;
	r = -libre_init();
	if (r == 0)
		r = -fd_setsize(FDS_MAX);
	if (r < 0)
		goto out;
	r = timers_new(clock_mono_ms(), &loop->timers);
	if (r < 0)
		goto out;
	r = post_queue_new(POSTS_MAX, &loop->posts);
	if (r < 0)
		goto out;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer_fd < 0) {
		r = -errno;
		goto out;
	}
	r = -fd_listen(loop->timer_fd, FD_READ, on_timer, loop);
	if (r == 0)
		r = -fd_listen(post_queue_fd(loop->posts), FD_READ, on_posts, loop);
out:
	if (r < 0)
		loop_free(&loop);
	else
		*ret_loop = loop;
	return r;
}

void loop_free(struct loop **loop)
{
	struct loop *l = *loop;

	if (l == NULL)
		return;
	if (l->timer_fd >= 0) {
		fd_close(l->timer_fd);
		(void)close(l->timer_fd);
	}
	if (l->posts != NULL)
		fd_close(post_queue_fd(l->posts));
	post_queue_free(&l->posts);
	timers_free(&l->timers);
	fd_setsize(0);
	libre_close();
	free(l);
	*loop = NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	re_cancel();
}

int loop_run(struct loop *loop)
{
	arm(loop);
	return -re_main(on_signal);
}

struct post_queue *loop_posts(struct loop *loop)
{
	return loop->posts;
}

void loop_timer(struct loop *loop, struct timer *timer, int64_t delay_ms)
{
	/* Between wake-ups the wheel's clock stands still; the delay counts from now. */
	int64_t behind = clock_mono_ms() - timers_now(loop->timers);

	timer_start(loop->timers, timer, delay_ms + (behind > 0 ? behind : 0));
	arm(loop);
}
