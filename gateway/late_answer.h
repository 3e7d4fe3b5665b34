/*
 * late_answer.h: the answer to whoever asked for a call, which is known only when Twilio has
 * answered. The call is then read on a database thread.
 */
#ifndef OMNIVOX_GATEWAY_LATE_ANSWER_H
#define OMNIVOX_GATEWAY_LATE_ANSWER_H

#include "gateway/api.h"
#include "gateway/call.h"

struct late_answer {
	uint64_t request_id;
	int64_t call_id;
	enum call_now_result result;
	const char *reason; /* "": none; copied, up to 255 bytes */
	/* On a database thread: fills the reply in any case. */
	void (*read)(
		const struct late_answer *late, struct db *db, struct api_reply *reply);
	const char *unread; /* a literal: said with 503 when no database thread is free */
};

/* Any thread. The request is answered in any case, now or later. */
void late_answer_send(struct gateway *gw, const struct late_answer *late);

#endif
