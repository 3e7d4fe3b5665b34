/*
 * recordings.h: recordings of calls (twilio.com/docs/voice/api/recording). Rules in client.h.
 * What they say is fetched elsewhere: these are the facts about them.
 */
#ifndef OMNIVOX_TWILIO_RECORDINGS_H
#define OMNIVOX_TWILIO_RECORDINGS_H

#include "twilio/client.h"

struct twilio_recording {
	char sid[TWILIO_SID_SIZE];
	/* in-progress paused stopped processing completed absent deleted */
	char status[16];
	int channels;
	int duration_s;     /* -1 when not known */
	int error_code;     /* why it is absent; 0: none */
	int64_t started_ms; /* 0: not known */
};

/* Both sides of a call in progress, in two channels; `callback` is told of each state. */
int twilio_recording_create(struct twilio_client *client, uint64_t id,
	const char *call_sid, const char *callback);

/*
 * `status` "paused", "in-progress" or "stopped"; `recording_sid` NULL: the one that runs. A
 * pause leaves nothing in the recording (PauseBehavior skip).
 */
int twilio_recording_update(struct twilio_client *client, uint64_t id,
	const char *call_sid, const char *recording_sid, const char *status);

int twilio_recording_fetch(struct twilio_client *client, uint64_t id, const char *sid);
int twilio_recording_delete(struct twilio_client *client, uint64_t id, const char *sid);

/* Of one call; NULL: of the account, newest first. */
int twilio_recording_list(
	struct twilio_client *client, uint64_t id, const char *call_sid);

#endif
