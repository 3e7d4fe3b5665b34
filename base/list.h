/* list.h: an intrusive doubly linked list. The node sits inside its owner; no memory here. */
#ifndef OMNIVOX_BASE_LIST_H
#define OMNIVOX_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list head is a node that points to itself when empty. */
struct list {
	struct list *next;
	struct list *prev;
};

#define list_entry(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Safe against removal of `node` inside the loop. */
#define list_for_each(head, node, tmp)                                      \
	for ((node) = (head)->next, (tmp) = (node)->next; (node) != (head); \
		(node) = (tmp), (tmp) = (node)->next)

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Removing twice is harmless: a removed node is a list of its own. */
static inline void list_remove(struct list *node)
{
	if (node->next == NULL)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#endif
