/* loop.c: su_root with base's timers and post queue plugged in. Does not log. */
#include "sip/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "sip/room.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"

/* Posts run in one turn, so that a full queue does not starve the sockets. */
#define POSTS_PER_TURN 256
#define NEVER INT64_MAX

struct watch {
	struct list node;
	int index;
	int fd;
	su_wait_t wait;
	void (*ready)(void *arg);
	void *arg;
};

struct sip_loop {
	su_root_t *root;
	su_timer_t *wake; /* makes poll return when base's next timer is due */
	int64_t wake_ms;  /* when it is set to fire, on base's clock; NEVER */
	struct timers *timers;
	struct post_queue *queue;
	struct list watches;
};

su_root_t *sip_loop_root(struct sip_loop *loop)
{
	return loop->root;
}

static void on_wake(su_root_magic_t *magic, su_timer_t *wake, su_timer_arg_t *arg);

/* Setting a sofia timer costs a clock call and a heap, so it is left alone when it is right. */
static void aim_wake(struct sip_loop *loop, int64_t due_ms)
{
	int64_t delay = due_ms - timers_now(loop->timers);

	if (due_ms == loop->wake_ms)
		return;
	loop->wake_ms = due_ms;
	if (due_ms == NEVER)
		(void)su_timer_reset(loop->wake);
	else
		(void)su_timer_set_interval(loop->wake, on_wake, (su_timer_arg_t *)loop,
			(su_duration_t)(delay > INT_MAX ? INT_MAX : delay));
}

/* Before every poll, and once more when a sofia timer has started one of base's timers. */
static void turn(struct sip_loop *loop)
{
	int64_t next;

	timers_advance(loop->timers, clock_mono_ms());
	next = timers_next(loop->timers);
	aim_wake(loop, next < 0 ? NEVER : timers_now(loop->timers) + next);
}

static void on_wake(su_root_magic_t *magic, su_timer_t *wake, su_timer_arg_t *arg)
{
	(void)magic;
	(void)wake;
	((struct sip_loop *)arg)->wake_ms = NEVER; /* it is spent */
	turn((struct sip_loop *)arg);
}

static void on_prepoll(su_prepoll_magic_t *magic, su_root_t *root)
{
	(void)root;
	turn((struct sip_loop *)magic);
}

void sip_loop_start_timer(struct sip_loop *loop, struct timer *timer, int64_t delay_ms)
{
	int64_t due_ms = timers_now(loop->timers) + delay_ms;

	timer_start(loop->timers, timer, delay_ms);
	if (due_ms < loop->wake_ms)
		aim_wake(loop, due_ms);
}

static void run_posts(void *arg)
{
	struct sip_loop *loop = arg;

	(void)post_queue_run(loop->queue, POSTS_PER_TURN);
}

int sip_loop_new(
	struct post_queue *queue, struct timers *timers, struct sip_loop **ret_loop)
{
	struct sip_loop *loop;
	int rc = -ENOMEM;

	assert(queue != NULL && timers != NULL);
	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return -ENOMEM;
	list_init(&loop->watches);
	loop->queue = queue;
	loop->timers = timers;
	loop->wake_ms = NEVER;
	(void)su_init();
	loop->root = su_root_create(NULL);
	if (loop->root == NULL)
		goto out;
	(void)su_root_threading(loop->root, 0);
	loop->wake = su_timer_create(su_root_task(loop->root), 0);
	if (loop->wake == NULL)
		goto out;
	if (su_root_add_prepoll(loop->root, on_prepoll, (su_prepoll_magic_t *)loop) < 0)
		goto out;
	rc = sip_loop_watch(loop, post_queue_fd(queue), run_posts, loop);
	if (rc < 0)
		goto out;
	*ret_loop = loop;
	return 0;
out:
	sip_loop_free(&loop);
	return rc;
}

void sip_loop_free(struct sip_loop **loop)
{
	struct list *node, *tmp;

	if (*loop == NULL)
		return;
	list_for_each(&(*loop)->watches, node, tmp)
		sip_loop_unwatch(*loop, list_entry(node, struct watch, node)->index);
	if ((*loop)->wake != NULL)
		su_timer_destroy((*loop)->wake);
	if ((*loop)->root != NULL)
		su_root_destroy((*loop)->root);
	su_deinit();
	free(*loop);
	*loop = NULL;
}

static int on_readable(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct watch *watch = (struct watch *)arg;

	(void)magic;
	(void)wait;
	watch->ready(watch->arg);
	return 0;
}

int sip_loop_watch(struct sip_loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return -ENOMEM;
	watch->fd = fd;
	watch->ready = ready;
	watch->arg = arg;
	if (su_wait_create(&watch->wait, fd, SU_WAIT_IN) < 0) {
		free(watch);
		return -EBADF;
	}
	watch->index = su_root_register(
		loop->root, &watch->wait, on_readable, (su_wakeup_arg_t *)watch, 0);
	if (watch->index < 0) {
		free(watch);
		return -ENOMEM;
	}
	list_add_tail(&loop->watches, &watch->node);
	return watch->index;
}

void sip_loop_unwatch(struct sip_loop *loop, int index)
{
	struct list *node, *tmp;
	struct watch *watch;

	list_for_each(&loop->watches, node, tmp)
	{
		watch = list_entry(node, struct watch, node);
		if (watch->index != index)
			continue;
		(void)su_root_deregister(loop->root, index);
		list_remove(&watch->node);
		free(watch);
		return;
	}
}

void sip_loop_run(struct sip_loop *loop)
{
	su_root_run(loop->root);
}

void sip_loop_stop(struct sip_loop *loop)
{
	su_root_break(loop->root);
}
