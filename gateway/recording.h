/*
 * recording.h: the recordings of calls: what must be done for them at Twilio, what it tells of
 * them, and who waits for that.
 *
 * A request is noted in the database before it leaves (db_recording_due()), so that each leaves
 * once; one whose answer was lost is looked for at Twilio before it is made again.
 */
#ifndef OMNIVOX_GATEWAY_RECORDING_H
#define OMNIVOX_GATEWAY_RECORDING_H

#include <stdint.h>

#include "db/recordings.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "twilio/client.h"

/* The id of a request to Twilio that announces: the recording's, with this bit. */
#define RECORDING_ANNOUNCE_ID (UINT64_C(1) << 62)

struct recordings;

/* Loop thread. Starts at once. */
int recordings_new(struct gateway *gw, struct recordings **ret_recordings);
void recordings_free(struct recordings **recordings);

/* Any thread. Something may be due now. */
void recordings_wake(struct gateway *gw);

/*
 * Any thread. As recordings_wake(); the HTTP request `waiter` is answered when Twilio has answered
 * for this recording, or after 5 s, with the recording as it is then (200, 202 while a wish is not
 * fulfilled).
 */
void recordings_wake_for(struct gateway *gw, int64_t recording_id, uint64_t waiter);

/* Loop. Twilio's answer to a request about recordings, or with RECORDING_ANNOUNCE_ID. */
void recordings_answer(struct gateway *gw, const struct twilio_answer *answer);

/* http thread. The signed webhook of a recording, and the document that announces one. */
int webhook_recording(struct gateway *gw, struct http_request *request);
int twiml_announce(struct gateway *gw, struct http_request *request);

/*
 * Database worker. The webhook of a conference says that an announcement is over (`heard`) or
 * failed. 0, also when nobody waits for it; negative: the database does not answer.
 */
int recordings_announced(struct gateway *gw, struct db *db,
	const struct http_request *request, bool heard);

#endif
