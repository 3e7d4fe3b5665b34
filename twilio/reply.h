/*
 * reply.h: reads the JSON of Twilio's answers into a struct twilio_answer. Private to this room.
 * Pure functions, any thread.
 */
#ifndef OMNIVOX_TWILIO_REPLY_H
#define OMNIVOX_TWILIO_REPLY_H

#include <stddef.h>

#include "twilio/client.h"

/*
 * The body of a 2xx, by `answer->op`: fills sid, list and count. -EBADMSG when it is not
 * what that request is answered with (a create without a call SID, say); then the answer's
 * lists are not to be used.
 */
int twilio_reply_read(const char *body, size_t len, struct twilio_answer *answer);

/* The body of an error: fills code and message as far as they can be read. */
void twilio_reply_read_error(const char *body, size_t len, struct twilio_answer *answer);

/* Copies as much as fits, never half a UTF-8 character. */
void twilio_reply_message(struct twilio_answer *answer, const char *text);

/* Two capital letters and 32 hex digits; these go into paths. */
int twilio_sid_check(const char *sid, const char *prefix);

#endif
