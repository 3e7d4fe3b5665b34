/*
 * call_control.h: hold and mute: Participant updates at Twilio, never redirects, so that nobody
 * leaves the conference. Wishes are in the database (db/controls.h); here they are done.
 */
#ifndef OMNIVOX_GATEWAY_CALL_CONTROL_H
#define OMNIVOX_GATEWAY_CALL_CONTROL_H

#include "gateway/api.h"
#include "twilio/client.h"

struct controls;

/* Loop thread. Starts at once. */
int controls_new(struct gateway *gw, struct controls **ret_controls);
void controls_free(struct controls **controls);

/*
 * Loop. Something may be due at once: a call has ended, and its agent's leg is given back as it
 * should be, or another leg of the agent has joined in mid-call.
 */
void controls_wake(struct gateway *gw);

/* Loop. The answer to a Participant update; its id is the leg's. */
void controls_answer(struct gateway *gw, const struct twilio_answer *answer);

/* Handlers of routes.c: POST /api/calls/:callId/hold, /unhold, /mute, /unmute */
void call_hold(struct api_call *call, struct api_reply *reply);
void call_unhold(struct api_call *call, struct api_reply *reply);
void call_mute(struct api_call *call, struct api_reply *reply);
void call_unmute(struct api_call *call, struct api_reply *reply);

/* {customerHeld, customerMuted, agentMuted, confirmed} of a call; NULL: no database. */
json_t *call_controls_json(struct db *db, int64_t call_id);

#endif
