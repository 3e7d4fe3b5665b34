/*
 * call.h: the life of calls outside the database: the POST that places one, what Twilio answers,
 * what must be done at Twilio because of a transition, and who waits for news.
 */
#ifndef OMNIVOX_GATEWAY_CALL_H
#define OMNIVOX_GATEWAY_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/calls.h"
#include "gateway/gateway.h"
#include "gateway/queue_api.h"
#include "twilio/client.h"

/* Loop thread, at start and end. */
int calls_new(struct gateway *gw, struct calls **ret_calls);
void calls_free(struct calls **calls);

/*
 * Any thread. Places a call that was just claimed: POST Participants into its conference; or, when
 * its agent is to be rung first, sees to that.
 * `waiter`: the HTTP request that is answered (queue_api_answer) when Twilio has answered, or
 * after 5 s; 0 nobody.
 */
void call_place(struct gateway *gw, const struct db_claimed *claimed, uint64_t waiter);

/* The same for a request of another route: `answer` instead of queue_api_answer. Any thread. */
typedef void (*call_answer_cb)(struct gateway *gw, uint64_t request_id, int64_t call_id,
	enum call_now_result result, const char *reason);
void call_place_for(struct gateway *gw, const struct db_claimed *claimed, uint64_t waiter,
	call_answer_cb answer);

/* Any thread; on a database worker: applies the events and hands the changes to the loop. */
int calls_apply(struct gateway *gw, struct db *db, const struct db_call_event *events,
	size_t count);

/* The same for one event of our own; each word is taken once a call. `detail` for people. */
int call_tell(struct gateway *gw, struct db *db, int64_t call_id, const char *event,
	const char *detail);

/* What we learned or want ourselves about one call: up to three events, in order. */
#define CALL_NEWS_MAX 3
struct call_news {
	int64_t call_id;
	const char *events[CALL_NEWS_MAX]; /* static words of the state table */
	size_t count;
	char sid[TWILIO_SID_SIZE]; /* of the customer's leg; "": the news is ours, not Twilio's */
	char conference_sid[TWILIO_SID_SIZE]; /* that it joined; "" else */
	int64_t at_ms;
	int duration_s; /* -1: not known */
	int code;
	char detail[256];
	bool action_done; /* what the row asked for was done */
};

/* Any thread. Stores the news through a database worker. When that fails, the sweeper asks. */
void call_news(struct gateway *gw, const struct call_news *news);

/* Loop. Whether the POST of this call is still out. */
bool call_is_placing(struct gateway *gw, int64_t call_id);

/* Loop. Does a transition's action at Twilio: "cancel" or "hangup". May be repeated. */
void call_act(struct gateway *gw, int64_t call_id, const char *sid, const char *action);

/* twilio thread: twilio_config.answer with arg = struct gateway. */
void calls_twilio_answer(void *gateway, struct twilio_answer *answer);

#endif
