/* queue.c: one list of all who wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/form.h"
#include "sandbox/announcer.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/memory.h"
#include "sandbox/player.h"
#include "sandbox/queue.h"
#include "sandbox/sandbox.h"
#include "sandbox/twiml_verbs.h"

static int64_t waited_s(const struct queue_member *member)
{
	return (clock_wall_ms() - member->joined_ms) / 1000;
}

/* Else it is being talked to, and only comes back to its document. */
bool queue_waits(const struct queue_member *member)
{
	return member->call->dial == NULL;
}

/* Those who wait in the queue, and how long on average. */
static unsigned count(const struct resource *queue, int64_t *ret_average_s)
{
	const struct list *all = &queue->sandbox->queue_members, *node;
	int64_t seconds = 0;
	unsigned size = 0;

	for (node = all->next; node != all; node = node->next) {
		const struct queue_member *m =
			list_entry(node, const struct queue_member, node);

		if (m->queue != queue || !queue_waits(m))
			continue;
		size++;
		seconds += waited_s(m);
	}
	*ret_average_s = size > 0 ? seconds / size : 0;
	return size;
}

unsigned queue_position(const struct queue_member *member)
{
	const struct list *all = &member->call->sandbox->queue_members, *node;
	unsigned position = 1;

	for (node = all->next; node != &member->node; node = node->next) {
		const struct queue_member *m =
			list_entry(node, const struct queue_member, node);

		position += m->queue == member->queue && queue_waits(m);
	}
	return position;
}

/* What the Queue resource shows. */
static void keep_size(struct resource *queue)
{
	int64_t average_s;
	char text[32];

	(void)snprintf(text, sizeof(text), "%u", count(queue, &average_s));
	resource_set(queue, "current_size", text);
	(void)snprintf(text, sizeof(text), "%lld", (long long)average_s);
	resource_set(queue, "average_wait_time", text);
}

static struct resource *open_queue(struct sandbox *sandbox, const char *name)
{
	struct resource *queue =
		resources_find_by(sandbox->resources, &kind_queue, "friendly_name", name);

	if (queue != NULL)
		return queue;
	queue = resource_new(sandbox, &kind_queue, "");
	resource_set(queue, "friendly_name", name);
	resources_add(sandbox->resources, queue);
	return queue;
}

static void add_result(struct buf *form, const char *result, const struct resource *queue,
	int64_t seconds)
{
	form_add(form, "QueueResult", result);
	form_add(form, "QueueSid", queue->sid);
	form_add_int(form, "QueueTime", seconds);
}

void queue_member_free(struct queue_member **member)
{
	struct queue_member *m = *member;

	if (m == NULL)
		return;
	*member = NULL;
	list_remove(&m->node);
	announcer_free(&m->announcer);
	keep_size(m->queue);
	free(m);
}

/* Out of the queue, and on with the document. */
static void leave(struct queue_member *member, const char *result)
{
	struct call *call = member->call;
	const struct twiml_node *verb = member->verb;
	struct buf extra = {0};

	add_result(&extra, result, member->queue, waited_s(member));
	queue_member_free(&call->queue_member);
	call_settle_sound(call);
	run_action(call->run, verb, &extra);
	buf_free(&extra);
}

static void on_waited(void *arg, int error)
{
	struct queue_member *member = arg;

	leave(member, error == ANNOUNCER_LEAVE ? "leave" : "error");
}

/* What it hears meanwhile; an empty waitUrl is silence. */
static void start_waiting(struct queue_member *member, const struct twiml_run *run)
{
	const char *wish = twiml_text(member->verb, "waitUrl");
	struct buf form = {0};
	int64_t average_s;
	char *url = NULL;

	if (wish != NULL && *wish == '\0')
		return;
	if (wish != NULL)
		url = player_resolve(run->url, wish);
	form_add_int(&form, "QueuePosition", queue_position(member));
	form_add(&form, "QueueSid", member->queue->sid);
	form_add_int(&form, "QueueTime", 0);
	form_add_int(&form, "CurrentQueueSize", count(member->queue, &average_s));
	form_add_int(&form, "AvgQueueTime", average_s);
	form_add(&form, "MaxQueueSize", resource_get(member->queue, "max_size"));
	member->announcer = announcer_new(member->call->sandbox,
		&(struct announcer_config){.url = url,
			.method = twiml_method(member->verb, "waitUrlMethod"),
			.call = member->call,
			.form = &form,
			.endless = true,
			.may_leave = true,
			.done = on_waited,
			.arg = member});
	call_settle_sound(member->call);
	announcer_place(member->announcer, member->call->sid, call_port(member->call));
	buf_free(&form);
	free(url);
}

void queue_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	struct call *call = run->call;
	struct sandbox *sandbox = call->sandbox;
	struct resource *queue = open_queue(sandbox, verb->text);
	struct queue_member *member;
	struct buf extra = {0};
	int64_t average_s;
	unsigned most = (unsigned)atoi(resource_get(queue, "max_size"));

	if (count(queue, &average_s) >= twiml_number(verb, "maxQueueSize", most)) {
		add_result(&extra, "queue-full", queue, 0);
		run_action(run, verb, &extra);
		buf_free(&extra);
		return;
	}
	member = memory_zero(sizeof(*member));
	member->queue = queue;
	member->call = call;
	member->verb = run->verb = verb;
	member->joined_ms = clock_wall_ms();
	list_add_tail(&sandbox->queue_members, &member->node);
	call->queue_member = member;
	keep_size(queue);
	start_waiting(member, run);
}

struct queue_member *queue_front(struct sandbox *sandbox, const char *name)
{
	struct list *all = &sandbox->queue_members, *node;

	for (node = all->next; node != all; node = node->next) {
		struct queue_member *m = list_entry(node, struct queue_member, node);

		if (queue_waits(m) &&
			strcmp(resource_get(m->queue, "friendly_name"), name) == 0)
			return m;
	}
	return NULL;
}

void queue_bridged(struct queue_member *member)
{
	announcer_free(&member->announcer);
	keep_size(member->queue);
}

void queue_call_over(struct queue_member *member, struct buf *form)
{
	add_result(form, "hangup", member->queue, waited_s(member));
}

void queue_bridge_over(struct queue_member *member)
{
	leave(member, "bridged");
}
