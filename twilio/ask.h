/* ask.h: from the typed requests to the client's thread, and what each op is. Private to this room. */
#ifndef OMNIVOX_TWILIO_ASK_H
#define OMNIVOX_TWILIO_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "twilio/client.h"

/*
 * Any thread. `path` follows the account's root, `form` NULL: GET, or DELETE where that is what
 * the op does; both are freed. -EAGAIN when the client is full, -ENOMEM.
 */
int twilio_ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	struct buf *path, struct buf *form);

/* Adds the pair when there is a value. */
void twilio_add(struct buf *form, const char *name, const char *value);

/* An array is its key repeated (twilio.com/docs/usage/api, "array" parameters). */
void twilio_add_each(struct buf *form, const char *name, const char *const values[]);

/* `callback` NULL: nothing. */
void twilio_add_callback(
	struct buf *form, const char *callback, const char *const events[]);

/* "/Conferences/CF.../Participants/<escaped>.json" and the like. */
void twilio_add_path(struct buf *path, const char *noun, const char *name);

#endif
