/* room.h: what client.c and outcome.c share: a request and the thread's state. Private to this room. */
#ifndef OMNIVOX_TWILIO_ROOM_H
#define OMNIVOX_TWILIO_ROOM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <curl/curl.h>

#include "base/list.h"
#include "base/post.h"
#include "base/timers.h"
#include "twilio/client.h"
#include "twilio/exchange.h"

/* Twilio refuses too many requests at once, unpublished how many (error 20429). */
#define TWILIO_ACTIVE_MAX 16

struct request {
	struct post post;
	struct list node; /* in the client's waiting, delayed or active */
	struct timer retry;
	struct twilio_client *client;
	struct twilio_answer *answer;
	int64_t asked_us;
	unsigned tries;
	bool maybe; /* some try may have been processed */
	struct exchange exchange;
};

struct twilio_client {
	void (*answer_cb)(void *arg, struct twilio_answer *answer);
	void *arg;
	struct exchange_target target;
	size_t limit;
	atomic_size_t
		open; /* admitted and not yet answered; a stop takes all of `limit` */
	struct post_queue *asked;
	struct post stop_post;
	pthread_t thread;
	bool started;

	/* The thread's own from here on. */
	CURLM *multi;
	struct timers *timers;
	struct timer give_up;
	struct list waiting, delayed, active;
	size_t active_count;
	size_t active_most; /* 1 to TWILIO_ACTIVE_MAX: less after 429 */
	size_t well;        /* answers since it was changed */
	int64_t eased_ms;   /* when it was last lowered */
	bool stopping;
};

/* client.c: the one place where a request ends. */
void request_answer(struct request *r, enum twilio_result result);
bool request_creates(const struct request *r);

/* outcome.c: an exchange has ended: answers the request, or puts it off for another try. */
void request_settle(struct request *r, CURLcode code);

#endif
