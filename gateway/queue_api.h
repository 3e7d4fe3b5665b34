/* queue_api.h: the queue's routes, and the late answer of Call Now. */
#ifndef OMNIVOX_GATEWAY_QUEUE_API_H
#define OMNIVOX_GATEWAY_QUEUE_API_H

#include <stdint.h>

#include "db/calls.h"
#include "gateway/api.h"

void queue_list(struct api_call *call, struct api_reply *reply);
/* Call Now: claims the entry and answers when Twilio has. */
void queue_call_now(struct api_call *call, struct api_reply *reply);

/* Why a claim made no call, in the reply. `named`: one agent was wanted, not any. */
void queue_api_refuse(
	struct api_reply *reply, const struct db_claimed *claimed, bool named);

enum call_now_result {
	CALL_NOW_PLACED,  /* Twilio accepted: 200 with the SID */
	CALL_NOW_PENDING, /* no answer yet, or ambiguous: 202, twilioCallSid null */
	CALL_NOW_REFUSED, /* Twilio said no, or was not reached: 502 with its reason */
};

/* Any thread. Answers the waiting request of a Call Now; reads the rest from the database. */
void queue_api_answer(struct gateway *gw, uint64_t request_id, int64_t call_id,
	enum call_now_result result, const char *reason);

#endif
