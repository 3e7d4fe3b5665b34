/* calls.c: a hash table and a list of all calls. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/calls.h"
#include "sandbox/memory.h"

#define CALLS_MAX 100000
#define BUCKETS 65536

struct calls {
	struct list all;
	size_t count;
	struct call *buckets[BUCKETS];
};

static struct call **bucket(struct calls *calls, const char *sid)
{
	return &calls->buckets[chance_hash(0, sid, 0) % BUCKETS];
}

int calls_new(struct calls **ret_calls)
{
	struct calls *calls = memory_zero(sizeof(*calls));

	list_init(&calls->all);
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
	struct call *oldest;

	call->next_hash = *head;
	*head = call;
	list_add_tail(&calls->all, &call->node);
	if (++calls->count <= CALLS_MAX)
		return;
	oldest = list_entry(calls->all.next, struct call, node);
	if (call_is_over(oldest))
		calls_forget(calls, oldest);
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
