/* recording_api.h: the routes of recordings. Handlers of routes.c: database workers. */
#ifndef OMNIVOX_GATEWAY_RECORDING_API_H
#define OMNIVOX_GATEWAY_RECORDING_API_H

#include "db/recordings.h"
#include "gateway/api.h"

void recordings_list(struct api_call *call, struct api_reply *reply);
void recording_get(struct api_call *call, struct api_reply *reply);
void recording_delete(struct api_call *call, struct api_reply *reply);
void recording_media(struct api_call *call, struct api_reply *reply);

/* POST /api/calls/:callId/recording/pause and /resume */
void call_recording_pause(struct api_call *call, struct api_reply *reply);
void call_recording_resume(struct api_call *call, struct api_reply *reply);

/* The recording of the path, when the caller may have it; else the reply says 404. */
int recording_of_path(
	struct api_call *call, struct api_reply *reply, struct db_recording *ret_row);

/* Any thread. The late answer of a pause, a resume or a delete; `refused` "": Twilio did it. */
void recording_api_answer(struct gateway *gw, uint64_t request_id, int64_t recording_id,
	const char *refused);

/* Database worker. Stores what was heard, and tells it when it is a change. db/'s errno. */
int recording_news(
	struct gateway *gw, struct db *db, const struct db_recording_news *news);

#endif
