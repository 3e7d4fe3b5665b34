/*
 * twilio_open.h: the Twilio client as the settings want it, for the worker and for commands that
 * speak to Twilio and end.
 */
#ifndef OMNIVOX_GATEWAY_TWILIO_OPEN_H
#define OMNIVOX_GATEWAY_TWILIO_OPEN_H

#include "base/config.h"
#include "twilio/client.h"
#include "twilio/media.h"

/* -EINVAL, -ENOMEM as twilio_client_new(). The settings have been checked. */
int twilio_open(const struct config *config,
	void (*answer)(void *arg, struct twilio_answer *answer), void *arg,
	struct twilio_client **ret_client);

/* The same for the sound of recordings. */
int twilio_open_media(const struct config *config, struct twilio_media **ret_media);

#endif
