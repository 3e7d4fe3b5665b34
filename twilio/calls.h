/* calls.h: the Calls resource (twilio.com/docs/voice/api/call-resource). Rules in client.h. */
#ifndef OMNIVOX_TWILIO_CALLS_H
#define OMNIVOX_TWILIO_CALLS_H

#include "twilio/client.h"

/* One call, as fetched, updated or listed. Times are wall ms, 0 when null. */
struct twilio_call {
	char sid[TWILIO_SID_SIZE];
	/* Twilio's word: queued ringing in-progress completed busy failed no-answer canceled */
	char status[16];
	int64_t created_ms, ended_ms;
	int duration_s; /* -1 when null */
};

/* `status` "completed" or "canceled". A call already over is TWILIO_REFUSED 21220 or OK. */
int twilio_call_update(
	struct twilio_client *client, uint64_t id, const char *sid, const char *status);

/* Sends a call in progress to other instructions: exactly one of `url` and `twiml`. */
int twilio_call_redirect(struct twilio_client *client, uint64_t id, const char *sid,
	const char *url, const char *twiml);

int twilio_call_fetch(struct twilio_client *client, uint64_t id, const char *sid);

/*
 * Whether a refused fetch or update says that the call is no more, or not in progress any more.
 * Refused for another reason (credentials, a limit) the call may well live.
 */
bool twilio_call_over(const struct twilio_answer *answer);

/* The newest calls with this To and From; either may be NULL: any. */
int twilio_call_list(
	struct twilio_client *client, uint64_t id, const char *to, const char *from);

#endif
