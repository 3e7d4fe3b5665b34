/* ask.h: the door from the typed requests to the client's thread. Private to this room. */
#ifndef OMNIVOX_TWILIO_ASK_H
#define OMNIVOX_TWILIO_ASK_H

#include <stdint.h>

#include "twilio/client.h"

/*
 * Any thread. `path` follows the account's root, `form` NULL: GET; both copied. -EAGAIN when
 * the client is full, -ENOMEM.
 */
int twilio_client_ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *path, const char *form);

#endif
