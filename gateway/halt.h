/*
 * halt.h: "at once" of stop and pause. A call that was claimed before may still be on its way to
 * Twilio; the answer to who stopped it waits until nothing is, so that after it no call is made.
 */
#ifndef OMNIVOX_GATEWAY_HALT_H
#define OMNIVOX_GATEWAY_HALT_H

#include "gateway/api.h"

/*
 * On a database worker, after the campaign's row says that it does not dial (the claim waits for
 * that row). Takes the filled reply, which is then deferred, and sends it when no request of
 * its auto-dial is out, or after 5 s: Twilio takes calls for that long without an answer only
 * when it is in trouble.
 */
void halt_reply(struct api_call *call, struct api_reply *reply, int64_t campaign_id);

#endif
