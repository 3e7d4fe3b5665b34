/* twilio_api.h: routes about the Twilio account. Handlers of routes.c, on database workers. */
#ifndef OMNIVOX_GATEWAY_TWILIO_API_H
#define OMNIVOX_GATEWAY_TWILIO_API_H

#include "gateway/api.h"

/* GET: does Twilio answer, what is stopped and why, how fast we may call. */
void twilio_status(struct api_call *call, struct api_reply *reply);

/* POST {id?}: ends one stop, or all; dialling goes on and may be stopped again. */
void twilio_resume(struct api_call *call, struct api_reply *reply);

#endif
