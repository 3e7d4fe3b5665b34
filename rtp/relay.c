/*
 * relay.c: the rtp thread and the way in for other threads. The registry (by id) belongs to
 * the callers and has a lock of its own, which the rtp thread takes only to say that a closed
 * session is gone; everything else reaches the thread as a post.
 */
#include "config.h"
#include "rtp/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/post.h"
#include "rtp/ports.h"
#include "rtp/session.h"

#define BUCKETS 1024
#define CHANGES_MAX 4096
#define EVENTS 64
/* After a longer pause of the thread the lost ticks are let go. */
#define TICKS_MAX 5
/* How long an opening waits for sockets whose closing is under way. */
#define CLOSING_WAIT_S 1

struct rtp_relay {
	struct rtp_config config;
	pthread_mutex_t lock; /* pool, buckets, open, closing */
	pthread_cond_t closed;
	struct port_pool pool;
	struct list buckets[BUCKETS];
	unsigned open;
	unsigned closing; /* sessions not in the registry any more, sockets still open */

	struct post_queue *posts;
	struct post stop;
	pthread_t thread;
	bool started;

	/* The thread's own from here on. */
	int epoll, timer;
	struct session_io *io;
	struct list live;
	bool stopping;
};

/* Only their addresses matter: what else epoll may point to. */
static char posts_mark, timer_mark;

struct change {
	struct post post;
	struct session *session;
	enum rtp_side side;
	struct addr remote;
	bool learn;
};

/* ---- the rtp thread ---- */

/* No sessions, no ticks. */
static void set_ticking(struct rtp_relay *relay, bool on)
{
	struct itimerspec spec = {{0, 0}, {0, 0}};

	if (on) {
		spec.it_interval.tv_nsec = SESSION_TICK_MS * 1000000L;
		spec.it_value = spec.it_interval;
	}
	(void)timerfd_settime(relay->timer, 0, &spec, NULL);
}

static void run_opened(struct post *post)
{
	struct session *session = list_entry(post, struct session, opened);
	struct rtp_relay *relay = session->relay;

	if (list_empty(&relay->live))
		set_ticking(relay, true);
	list_add_tail(&relay->live, &session->live);
}

static void run_closed(struct post *post)
{
	struct session *session = list_entry(post, struct session, closed);
	struct rtp_relay *relay = session->relay;

	session_free(&session); /* closing the sockets takes them out of epoll */
	if (list_empty(&relay->live))
		set_ticking(relay, false);
	(void)pthread_mutex_lock(&relay->lock);
	relay->closing--;
	(void)pthread_cond_broadcast(&relay->closed);
	(void)pthread_mutex_unlock(&relay->lock);
}

static void run_change(struct post *post)
{
	struct change *change = list_entry(post, struct change, post);

	session_set_remote(change->session, change->side, &change->remote, change->learn,
		clock_mono_ms());
	free(change);
}

static void run_signalling(struct post *post)
{
	struct change *change = list_entry(post, struct change, post);

	session_set_signalling(change->session, change->side, &change->remote);
	free(change);
}

static void drop_change(struct post *post)
{
	free(list_entry(post, struct change, post));
}

static void run_stop(struct post *post)
{
	list_entry(post, struct rtp_relay, stop)->stopping = true;
}

static void run_ticks(struct rtp_relay *relay)
{
	struct list *node, *tmp;
	uint64_t ticks = 0;
	int64_t now_ms = clock_mono_ms();

	if (read(relay->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	if (ticks > TICKS_MAX)
		ticks = TICKS_MAX;
	list_for_each(&relay->live, node, tmp) session_tick(
		list_entry(node, struct session, live), (unsigned)ticks, now_ms);
}

static void *run(void *arg)
{
	struct rtp_relay *relay = arg;
	struct epoll_event events[EVENTS];

	while (!relay->stopping) {
		bool posted = false, tick = false;
		int n = epoll_wait(relay->epoll, events, EVENTS, -1);
		int64_t now_ms = clock_mono_ms();

		for (int i = 0; i < n; i++) {
			void *what = events[i].data.ptr;

			if (what == &posts_mark)
				posted = true;
			else if (what == &timer_mark)
				tick = true;
			else
				session_receive(what, relay->io, now_ms);
		}
		if (tick)
			run_ticks(relay);
		/* Last, because it may free what the events above point to. */
		if (posted)
			(void)post_queue_run(relay->posts, CHANGES_MAX);
	}
	return NULL;
}

/* ---- any thread ---- */

static struct list *bucket(struct rtp_relay *relay, uint64_t id)
{
	return &relay->buckets[id % BUCKETS];
}

static struct session *find(struct rtp_relay *relay, uint64_t id)
{
	struct list *node, *tmp;

	list_for_each(bucket(relay, id), node, tmp)
	{
		struct session *session = list_entry(node, struct session, by_id);

		if (session->id == id)
			return session;
	}
	return NULL;
}

/* The lock is held. */
static void retire(struct rtp_relay *relay, struct session *session)
{
	list_remove(&session->by_id);
	relay->open--;
	relay->closing++;
	post_queue_answer(relay->posts, &session->closed);
}

static int watch(int epoll, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int watch_session(struct rtp_relay *relay, struct session *session)
{
	int err = 0;

	for (int i = 0; i < RTP_SIDES && err == 0; i++) {
		struct session_side *side = &session->sides[i];

		err = watch(relay->epoll, side->rtp.fd, &side->rtp);
		if (err == 0)
			err = watch(relay->epoll, side->rtcp.fd, &side->rtcp);
	}
	return err;
}

/* Ports of a session closed a moment ago may still be bound: then waits, and tries again. */
static int bind_session(struct rtp_relay *relay, uint64_t id,
	const struct rtp_side_params sides[RTP_SIDES], struct session **ret_session)
{
	struct timespec deadline;
	int err = session_new(&relay->pool, id, sides, ret_session);

	if (err != -EADDRINUSE && err != -EBUSY)
		return err;
	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += CLOSING_WAIT_S;
	if (relay->closing == 0)
		return err;
	while (relay->closing > 0)
		if (pthread_cond_timedwait(&relay->closed, &relay->lock, &deadline) != 0)
			break;
	/* The lock was let go: another may have taken the id. */
	if (find(relay, id) != NULL)
		return -EEXIST;
	return session_new(&relay->pool, id, sides, ret_session);
}

int rtp_session_open(struct rtp_relay *relay, uint64_t id,
	const struct rtp_side_params sides[RTP_SIDES], uint16_t ret_ports[RTP_SIDES])
{
	struct session *session = NULL;
	int err = -EEXIST;

	(void)pthread_mutex_lock(&relay->lock);
	if (find(relay, id) != NULL)
		goto out;
	err = bind_session(relay, id, sides, &session);
	if (err != 0)
		goto out;
	session->relay = relay;
	session->config = &relay->config;
	session->opened.run = run_opened;
	session->closed.run = run_closed;
	list_add_tail(bucket(relay, id), &session->by_id);
	relay->open++;
	/* Always taken: the ports bound their number. */
	post_queue_answer(relay->posts, &session->opened);
	err = watch_session(relay, session);
	if (err != 0) {
		retire(relay, session);
		goto out;
	}
	for (int i = 0; i < RTP_SIDES; i++)
		ret_ports[i] = session->sides[i].ports.port;
out:
	(void)pthread_mutex_unlock(&relay->lock);
	return err;
}

/* Takes the change; it is dropped when it cannot be queued. */
static int put_change(struct rtp_relay *relay, uint64_t id, struct change *change)
{
	int err = -ENOENT;

	if (change == NULL)
		return -ENOMEM;
	(void)pthread_mutex_lock(&relay->lock);
	/* A closing comes after this in the queue, so the session is there when it runs. */
	change->session = find(relay, id);
	if (change->session != NULL)
		err = post_queue_put(relay->posts, &change->post);
	(void)pthread_mutex_unlock(&relay->lock);
	if (err != 0)
		free(change);
	return err;
}

static struct change *change_new(void (*run_it)(struct post *post), enum rtp_side side,
	const struct addr *remote, bool learn)
{
	struct change *change = calloc(1, sizeof(*change));

	if (change != NULL)
		*change = (struct change){.post = {.run = run_it, .drop = drop_change},
			.side = side,
			.remote = *remote,
			.learn = learn};
	return change;
}

int rtp_session_remote(struct rtp_relay *relay, uint64_t id, enum rtp_side side,
	const struct addr *remote, bool learn)
{
	return put_change(relay, id, change_new(run_change, side, remote, learn));
}

int rtp_session_signalling(struct rtp_relay *relay, uint64_t id, enum rtp_side side,
	const struct addr *signalling)
{
	return put_change(relay, id, change_new(run_signalling, side, signalling, true));
}

void rtp_session_close(struct rtp_relay *relay, uint64_t id)
{
	struct session *session;

	(void)pthread_mutex_lock(&relay->lock);
	session = find(relay, id);
	if (session != NULL)
		retire(relay, session);
	(void)pthread_mutex_unlock(&relay->lock);
}

unsigned rtp_sessions_open(struct rtp_relay *relay)
{
	unsigned open;

	(void)pthread_mutex_lock(&relay->lock);
	open = relay->open;
	(void)pthread_mutex_unlock(&relay->lock);
	return open;
}

int rtp_session_stats(
	struct rtp_relay *relay, uint64_t id, struct rtp_stats ret_stats[RTP_SIDES])
{
	struct session *session;

	(void)pthread_mutex_lock(&relay->lock);
	session = find(relay, id);
	if (session != NULL)
		session_stats(session, ret_stats);
	(void)pthread_mutex_unlock(&relay->lock);
	return session != NULL ? 0 : -ENOENT;
}

static int open_thread(struct rtp_relay *relay)
{
	int err = post_queue_new(CHANGES_MAX, &relay->posts);

	if (err == 0)
		err = session_io_new(&relay->io);
	if (err != 0)
		return err;
	relay->epoll = epoll_create1(EPOLL_CLOEXEC);
	relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (relay->epoll < 0 || relay->timer < 0)
		return -errno;
	err = watch(relay->epoll, post_queue_fd(relay->posts), &posts_mark);
	if (err == 0)
		err = watch(relay->epoll, relay->timer, &timer_mark);
	if (err == 0)
		err = -pthread_create(&relay->thread, NULL, run, relay);
	relay->started = err == 0;
	return err;
}

int rtp_relay_new(const struct rtp_config *config, struct rtp_relay **ret_relay)
{
	struct rtp_relay *relay = calloc(1, sizeof(*relay));
	int err;

	if (relay == NULL)
		return -ENOMEM;
	relay->config = *config;
	relay->config.bind_host = NULL; /* the caller's; the pool has its address */
	relay->epoll = -1;
	relay->timer = -1;
	relay->stop.run = run_stop;
	list_init(&relay->live);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&relay->buckets[i]);
	(void)pthread_mutex_init(&relay->lock, NULL);
	(void)pthread_cond_init(&relay->closed, NULL);
	err = port_pool_init(
		&relay->pool, config->bind_host, config->port_lo, config->port_hi);
	if (err == 0)
		err = open_thread(relay);
	if (err == 0)
		*ret_relay = relay;
	else
		rtp_relay_free(&relay);
	return err;
}

void rtp_relay_free(struct rtp_relay **ptr)
{
	struct rtp_relay *relay = *ptr;
	struct list *node, *tmp;

	if (relay == NULL)
		return;
	*ptr = NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		list_for_each(&relay->buckets[i], node, tmp) rtp_session_close(
			relay, list_entry(node, struct session, by_id)->id);
	if (relay->started) {
		post_queue_answer(relay->posts, &relay->stop);
		(void)pthread_join(relay->thread, NULL);
	}
	post_queue_free(&relay->posts);
	session_io_free(&relay->io);
	if (relay->timer >= 0)
		(void)close(relay->timer);
	if (relay->epoll >= 0)
		(void)close(relay->epoll);
	(void)pthread_cond_destroy(&relay->closed);
	(void)pthread_mutex_destroy(&relay->lock);
	free(relay);
}
