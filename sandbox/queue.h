/*
 * queue.h: <Enqueue>: calls that wait in a queue until a <Dial><Queue> takes them, they leave, or
 * REST sends them elsewhere. Main loop only. Source: twilio.com/docs/voice/twiml/enqueue.
 */
#ifndef OMNIVOX_SANDBOX_QUEUE_H
#define OMNIVOX_SANDBOX_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "sandbox/resource.h"

struct announcer;
struct buf;
struct call;
struct twiml_node;
struct twiml_run;

/* A part of its call's life, from the verb to its end. */
struct queue_member {
	struct list node; /* sandbox's, longest waiting first */
	struct resource *queue;
	struct call *call;
	const struct twiml_node *verb;
	struct announcer *announcer; /* NULL: silence, or bridged */
	int64_t joined_ms;           /* wall clock */
};

/* The call waits, or its document has gone on because the queue is full. */
void queue_begin(struct twiml_run *run, const struct twiml_node *verb);

/* The longest waiting of the queue of that name; NULL: nobody. */
struct queue_member *queue_front(struct sandbox *sandbox, const char *name);

/* It is being talked to; then that is over, and its document goes on. */
void queue_bridged(struct queue_member *member);
void queue_bridge_over(struct queue_member *member);

/* QueueResult and so on of one whose call has ended. */
void queue_call_over(struct queue_member *member, struct buf *form);

/* False: it is being talked to. */
bool queue_waits(const struct queue_member *member);

/* 1 for the front. */
unsigned queue_position(const struct queue_member *member);

/* The call is over, or sent elsewhere. NULL-safe, sets NULL. */
void queue_member_free(struct queue_member **member);

#endif
