/*
 * reply.h: reads the JSON of Twilio's answers into a struct twilio_answer. Private to this room.
 * Pure functions, any thread.
 */
#ifndef OMNIVOX_TWILIO_REPLY_H
#define OMNIVOX_TWILIO_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "twilio/client.h"

/* How an op is asked for and answered. */
bool twilio_op_creates(enum twilio_op op); /* twice asked for would be twice there */
bool twilio_op_deletes(enum twilio_op op); /* by HTTP DELETE; answered without a body */
bool twilio_op_lists(enum twilio_op op);

/*
 * The body of a 2xx, by `answer->op`: fills sid, rows, count and next_page. -EBADMSG when it is
 * not what that request is answered with (a create without a SID, say), -ENOMEM; then the
 * answer has no rows.
 */
int twilio_reply_read(const char *body, size_t len, struct twilio_answer *answer);

/* The body of an error: fills code and message as far as they can be read. */
void twilio_reply_read_error(const char *body, size_t len, struct twilio_answer *answer);

/* Frees rows and next page, and forgets them. */
void twilio_reply_clear(struct twilio_answer *answer);

#endif
