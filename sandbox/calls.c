/* calls.c: a hash table and a list of all calls. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/calls.h"
#include "sandbox/memory.h"

#define LOOKS 100 /* at old calls that are still alive, each time */
#define BUCKETS 65536

struct calls {
	struct list all;
	size_t count, keep;
	struct call *buckets[BUCKETS];
};

static struct call **bucket(struct calls *calls, const char *sid)
{
	return &calls->buckets[chance_hash(0, sid, 0) % BUCKETS];
}

int calls_new(size_t keep, struct calls **ret_calls)
{
	struct calls *calls = memory_zero(sizeof(*calls));

	list_init(&calls->all);
	calls->keep = keep;
	*ret_calls = calls;
	return 0;
}

void calls_forget(struct calls *calls, struct call *call)
{
	struct call **link = bucket(calls, call->sid);

	while (*link != call)
		link = &(*link)->next_hash;
	*link = call->next_hash;
	list_remove(&call->node);
	calls->count--;
	call_free(&call);
}

void calls_free(struct calls **calls)
{
	struct list *node, *tmp;

	if (*calls == NULL)
		return;
	list_for_each(&(*calls)->all, node, tmp)
	{
		calls_forget(*calls, list_entry(node, struct call, node));
	}
	free(*calls);
	*calls = NULL;
}

void calls_add(struct calls *calls, struct call *call)
{
	struct call **head = bucket(calls, call->sid);
	struct list *node;
	unsigned looks = 0;

	call->next_hash = *head;
	*head = call;
	list_add_tail(&calls->all, &call->node);
	calls->count++;
	/* Old calls may be alive still; younger ones go instead. */
	for (node = calls->all.next; calls->count > calls->keep && looks < LOOKS;
		looks++) {
		struct call *old = list_entry(node, struct call, node);

		node = node->next;
		if (old != call && call_is_over(old))
			calls_forget(calls, old);
	}
}

struct call *calls_find(const struct calls *calls, const char *sid)
{
	struct call *call = calls->buckets[chance_hash(0, sid, 0) % BUCKETS];

	while (call != NULL && strcmp(call->sid, sid) != 0)
		call = call->next_hash;
	return call;
}

struct list *calls_list(struct calls *calls)
{
	return &calls->all;
}
