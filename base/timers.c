/*
 * timers.c: a hashed timer wheel. See timers.h.
 *
 * A timer lies in the slot of its due time modulo the wheel; a slot holds timers of several
 * turns. Start and stop are O(1); advancing looks at each slot that the hand passes once.
 * The soonest due time is remembered, because a loop asks for it on every turn: only after that
 * timer has gone are the slots searched for the next.
 */
#include "base/timers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SLOT_MS 16
#define SLOTS 2048 /* one turn: 32 s */
#define NEVER INT64_MAX

struct timers {
	int64_t now_ms;
	int64_t soonest_ms; /* no timer is due before; NEVER: there is none */
	bool soonest_gone;  /* it may be later than soonest_ms says */
	struct list due;    /* of the advance under way, in order */
	struct list slots[SLOTS];
};

static struct list *slot_of(struct timers *timers, int64_t due_ms)
{
	return &timers->slots[(size_t)(due_ms / SLOT_MS) % SLOTS];
}

int timers_new(int64_t now_ms, struct timers **ret_timers)
{
	struct timers *timers = calloc(1, sizeof(*timers));

	if (timers == NULL)
		return -ENOMEM;
	timers->now_ms = now_ms;
	timers->soonest_ms = NEVER;
	list_init(&timers->due);
	for (size_t i = 0; i < SLOTS; i++)
		list_init(&timers->slots[i]);
	*ret_timers = timers;
	return 0;
}

void timers_free(struct timers **timers)
{
	struct list *node, *tmp;

	if (*timers == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		list_for_each(&(*timers)->slots[i], node, tmp) list_remove(node);
	list_for_each(&(*timers)->due, node, tmp) list_remove(node);
	free(*timers);
	*timers = NULL;
}

void timer_start(struct timers *timers, struct timer *timer, int64_t delay_ms)
{
	assert(timer->fire != NULL && delay_ms >= 0);
	timer_stop(timer);
	timer->timers = timers;
	timer->due_ms = timers->now_ms + delay_ms;
	if (timer->due_ms < timers->soonest_ms) {
		timers->soonest_ms = timer->due_ms;
		timers->soonest_gone = false;
	}
	list_add_tail(slot_of(timers, timer->due_ms), &timer->node);
}

void timer_stop(struct timer *timer)
{
	if (!timer_started(timer))
		return;
	if (timer->due_ms == timer->timers->soonest_ms)
		timer->timers->soonest_gone = true;
	list_remove(&timer->node);
}

bool timer_started(const struct timer *timer)
{
	return timer->node.next != NULL && timer->node.next != &timer->node;
}

/* Keeps `due` sorted; what is due in one advance is little, and mostly in order already. */
static void add_due(struct timers *timers, struct timer *timer)
{
	struct list *after = timers->due.prev;

	while (after != &timers->due &&
		list_entry(after, struct timer, node)->due_ms > timer->due_ms)
		after = after->prev;
	list_remove(&timer->node);
	list_add_tail(after->next, &timer->node);
}

static void collect_slot(struct timers *timers, struct list *slot)
{
	struct list *node, *tmp;

	list_for_each(slot, node, tmp)
	{
		struct timer *timer = list_entry(node, struct timer, node);

		if (timer->due_ms <= timers->now_ms)
			add_due(timers, timer);
	}
}

void timers_advance(struct timers *timers, int64_t now_ms)
{
	int64_t from = timers->now_ms / SLOT_MS, to = now_ms / SLOT_MS;

	if (now_ms < timers->now_ms)
		return;
	timers->now_ms = now_ms;
	if (now_ms < timers->soonest_ms)
		return;
	if (to - from >= SLOTS)
		to = from + SLOTS - 1;
	for (int64_t i = from; i <= to; i++)
		collect_slot(timers, &timers->slots[(size_t)i % SLOTS]);
	while (!list_empty(&timers->due)) {
		struct timer *timer = list_entry(timers->due.next, struct timer, node);

		timer_stop(timer);
		timer->fire(timer); /* may free the timer's owner */
	}
}

/* The first slot with a timer of this turn has the soonest; later turns come after. */
static int64_t search(struct timers *timers)
{
	int64_t first = timers->now_ms / SLOT_MS, soonest = NEVER;
	struct list *slot, *node, *tmp;

	for (int64_t i = first; i < first + SLOTS && soonest / SLOT_MS >= i; i++) {
		slot = &timers->slots[(size_t)i % SLOTS];
		list_for_each(slot, node, tmp)
		{
			int64_t due = list_entry(node, struct timer, node)->due_ms;

			if (due < soonest)
				soonest = due;
		}
	}
	return soonest;
}

int64_t timers_next(struct timers *timers)
{
	if (timers->soonest_gone) {
		timers->soonest_ms = search(timers);
		timers->soonest_gone = false;
	}
	if (timers->soonest_ms == NEVER)
		return -1;
	if (timers->soonest_ms <= timers->now_ms)
		return 0;
	return timers->soonest_ms - timers->now_ms;
}

int64_t timers_now(const struct timers *timers)
{
	return timers->now_ms;
}
