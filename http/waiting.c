/* waiting.c: a table of places; an id is a turn number and a place, so finding is one step. */
#include "http/waiting.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t clock_wake;
	pthread_cond_t someone_left; /* or was answered */
	waiting_late_cb late;
	struct wait **places;
	size_t *free_places; /* a stack */
	size_t place_count;
	size_t free_count;
	size_t open_places;
	size_t open_used;
	size_t unanswered;
	size_t sending; /* who have their answer and no place any more */
	uint64_t turn;
	int64_t next_ms; /* when the clock thread will look again */
	bool closing;
	bool clock_ends;
};

static int init_sync(struct waiting *w)
{
	pthread_condattr_t monotonic;
	int err = pthread_condattr_init(&monotonic);

	if (err != 0)
		return -err;
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	err = pthread_mutex_init(&w->lock, NULL);
	if (err == 0)
		err = pthread_cond_init(&w->clock_wake, &monotonic);
	if (err == 0)
		err = pthread_cond_init(&w->someone_left, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return -err;
}

int waiting_new(size_t places, size_t open_places, waiting_late_cb late,
	struct waiting **ret_waiting)
{
	struct waiting *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return -ENOMEM;
	w->late = late;
	w->place_count = places;
	w->open_places = open_places;
	w->next_ms = INT64_MAX;
	w->places = calloc(places, sizeof(struct wait *));
	w->free_places = calloc(places, sizeof(w->free_places[0]));
	err = w->places == NULL || w->free_places == NULL ? -ENOMEM : init_sync(w);
	if (err != 0) {
		waiting_free(&w);
		return err;
	}
	for (size_t i = 0; i < places; i++)
		w->free_places[w->free_count++] = places - 1 - i;
	*ret_waiting = w;
	return 0;
}

void waiting_free(struct waiting **waiting)
{
	struct waiting *w = *waiting;

	if (w == NULL)
		return;
	free(w->places);
	free(w->free_places);
	/* On Linux an initialised mutex or condition holds nothing that must be given back. */
	free(w);
	*waiting = NULL;
}

int waiting_enter(struct waiting *w, struct wait *wait)
{
	int err = -EAGAIN;
	size_t place;

	(void)pthread_mutex_lock(&w->lock);
	if (w->closing || w->free_count == 0 ||
		(!wait->reserved && w->open_used >= w->open_places))
		goto out;
	place = w->free_places[--w->free_count];
	wait->id = ++w->turn * w->place_count + place;
	w->places[place] = wait;
	w->open_used += wait->reserved ? 0 : 1;
	w->unanswered++;
	if (wait->due_ms < w->next_ms) {
		w->next_ms = wait->due_ms;
		(void)pthread_cond_signal(&w->clock_wake);
	}
	err = 0;
out:
	(void)pthread_mutex_unlock(&w->lock);
	return err;
}

bool waiting_pause(struct waiting *w, struct wait *wait)
{
	bool pause;

	(void)pthread_mutex_lock(&w->lock);
	assert(wait->id != 0 && !wait->suspended);
	pause = !wait->answered;
	if (pause) {
		wait->suspended = true;
		MHD_suspend_connection(wait->connection);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return pause;
}

/* Under the lock. */
static void give_place_back(struct waiting *w, struct wait *wait)
{
	size_t place = (size_t)(wait->id % w->place_count);

	assert(w->places[place] == wait && !wait->suspended);
	w->places[place] = NULL;
	w->free_places[w->free_count++] = place;
	w->open_used -= wait->reserved ? 0 : 1;
	w->unanswered -= wait->answered ? 0 : 1;
	wait->id = 0;
}

void waiting_leave(struct waiting *w, struct wait *wait)
{
	if (wait->id == 0 && !wait->sending)
		return;
	(void)pthread_mutex_lock(&w->lock);
	if (wait->id != 0)
		give_place_back(w, wait);
	w->sending -= wait->sending ? 1 : 0;
	wait->sending = false;
	(void)pthread_cond_signal(&w->someone_left);
	(void)pthread_mutex_unlock(&w->lock);
	answer_drop(&wait->answer);
}

struct answer waiting_take(struct waiting *w, struct wait *wait)
{
	struct answer answer;

	(void)pthread_mutex_lock(&w->lock);
	answer = wait->answer;
	wait->answer = (struct answer){0};
	give_place_back(w, wait);
	wait->sending = true;
	w->sending++;
	(void)pthread_mutex_unlock(&w->lock);
	return answer;
}

/* Under the lock. */
static void settle(struct waiting *w, struct wait *wait, struct answer answer)
{
	wait->answer = answer;
	wait->answered = true;
	w->unanswered--;
	if (w->closing)
		(void)pthread_cond_signal(&w->someone_left);
	if (!wait->suspended)
		return;
	wait->suspended = false;
	MHD_resume_connection(wait->connection);
}

void waiting_answer(struct waiting *w, uint64_t id, struct answer answer)
{
	struct wait *wait;

	(void)pthread_mutex_lock(&w->lock);
	wait = w->places[id % w->place_count];
	if (wait != NULL && wait->id == id && !wait->answered) {
		settle(w, wait, answer);
		answer = (struct answer){0};
	}
	(void)pthread_mutex_unlock(&w->lock);
	answer_drop(&answer);
}

/*
 * Under the lock. Answers whoever is due by `now_ms`, gives the next deadline. Looking at every
 * place is cheap: the clock wakes about once in a time-out, not once in a request.
 */
static int64_t expire(struct waiting *w, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < w->place_count; i++) {
		struct wait *wait = w->places[i];
		struct answer answer = {0};

		if (wait == NULL || wait->answered)
			continue;
		if (wait->due_ms > now_ms && !w->closing) {
			next_ms = wait->due_ms < next_ms ? wait->due_ms : next_ms;
			continue;
		}
		/* Without memory for an answer the connection is closed instead. */
		(void)w->late(wait, w->closing, &answer);
		settle(w, wait, answer);
	}
	return next_ms;
}

static struct timespec to_timespec(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

bool waiting_run_clock(struct waiting *w, int64_t until_ms)
{
	struct timespec until;
	bool go_on;

	(void)pthread_mutex_lock(&w->lock);
	if (!w->closing)
		w->next_ms = expire(w, clock_mono_ms());
	if (until_ms < w->next_ms)
		w->next_ms = until_ms;
	if (!w->clock_ends && w->next_ms == INT64_MAX) {
		(void)pthread_cond_wait(&w->clock_wake, &w->lock);
	} else if (!w->clock_ends) {
		until = to_timespec(w->next_ms);
		(void)pthread_cond_timedwait(&w->clock_wake, &w->lock, &until);
	}
	go_on = !w->clock_ends;
	(void)pthread_mutex_unlock(&w->lock);
	return go_on;
}

void waiting_close(struct waiting *w, int64_t grace_ms)
{
	struct timespec until = to_timespec(clock_mono_ms() + grace_ms);
	int err = 0;

	(void)pthread_mutex_lock(&w->lock);
	w->closing = true;
	while (w->unanswered > 0 && err == 0)
		err = pthread_cond_timedwait(&w->someone_left, &w->lock, &until);
	(void)expire(w, INT64_MAX);
	w->clock_ends = true;
	(void)pthread_cond_signal(&w->clock_wake);
	(void)pthread_mutex_unlock(&w->lock);
}

void waiting_drain(struct waiting *w, int64_t grace_ms)
{
	struct timespec until = to_timespec(clock_mono_ms() + grace_ms);
	int err = 0;

	(void)pthread_mutex_lock(&w->lock);
	while ((w->free_count < w->place_count || w->sending > 0) && err == 0)
		err = pthread_cond_timedwait(&w->someone_left, &w->lock, &until);
	(void)pthread_mutex_unlock(&w->lock);
}
