/* dialing.c: one call every 1/CPS seconds. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "sandbox/call.h"
#include "sandbox/dialing.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/sandbox.h"

struct dialing {
	struct sandbox *sandbox;
	struct list queue;
	struct timer turn;
	int64_t free_ms; /* monotonic: when the next call may go */
};

/* Only the interval is stretched by the speed; the estimate is in Twilio's own time. */
static int64_t interval_ms(const struct dialing *dialing)
{
	return (int64_t)(1000 / dialing->sandbox->settings.cps);
}

static void schedule(struct dialing *dialing)
{
	int64_t wait_ms = dialing->free_ms - clock_mono_ms();

	if (!list_empty(&dialing->queue) && !timer_started(&dialing->turn))
		loop_timer(dialing->sandbox->loop, &dialing->turn,
			wait_ms > 0 ? wait_ms : 0);
}

static void on_turn(struct timer *timer)
{
	struct dialing *dialing = list_entry(timer, struct dialing, turn);
	struct call *call;

	if (list_empty(&dialing->queue))
		return;
	call = list_entry(dialing->queue.next, struct call, queue_node);
	list_remove(&call->queue_node);
	dialing->free_ms =
		clock_mono_ms() + sandbox_scaled(dialing->sandbox, interval_ms(dialing));
	call_dial(call);
	schedule(dialing);
}

int dialing_new(struct sandbox *sandbox, struct dialing **ret_dialing)
{
	struct dialing *dialing = memory_zero(sizeof(*dialing));

	dialing->sandbox = sandbox;
	list_init(&dialing->queue);
	dialing->turn.fire = on_turn;
	*ret_dialing = dialing;
	return 0;
}

void dialing_free(struct dialing **dialing)
{
	if (*dialing == NULL)
		return;
	timer_stop(&(*dialing)->turn);
	free(*dialing);
	*dialing = NULL;
}

int64_t dialing_wait_ms(const struct dialing *dialing)
{
	int64_t wait_ms = dialing->free_ms - clock_mono_ms();
	const struct list *node;
	int64_t waiting = 0;

	for (node = dialing->queue.next; node != &dialing->queue; node = node->next)
		waiting++;
	return (wait_ms <= 0 ? 0
			     : (int64_t)((double)wait_ms *
					 dialing->sandbox->settings.speed)) +
	       waiting * interval_ms(dialing);
}

void dialing_put(struct dialing *dialing, struct call *call)
{
	call->queue_ms = dialing_wait_ms(dialing);
	list_add_tail(&dialing->queue, &call->queue_node);
	schedule(dialing);
}
