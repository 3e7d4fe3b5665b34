/*
 * twilio_health.h: how well Twilio answers, and what that stops: the account, a caller id, a
 * country. The stops are rows (db/stops.h) that the claim obeys; here they are opened, and ended
 * when Twilio answers well again. What each error means is twilio/errors.h's.
 */
#ifndef OMNIVOX_GATEWAY_TWILIO_HEALTH_H
#define OMNIVOX_GATEWAY_TWILIO_HEALTH_H

#include <stddef.h>

#include "db/calls.h"
#include "gateway/gateway.h"
#include "twilio/client.h"

/* Loop thread, at start and end. Asks Twilio at once whether it knows us. */
int twilio_health_new(struct gateway *gw, struct twilio_health **ret_health);
void twilio_health_free(struct twilio_health **health);

/* At start, on the worker's thread: tells the database which errors are the number's own. */
int twilio_health_load(struct db *db);

/* Loop. Every answer of Twilio, whatever it is about. */
void twilio_health_heard(struct gateway *gw, const struct twilio_answer *answer);

/* Loop. Twilio refuses the caller id `number` to an agent's leg, which no call's own news tells. */
void twilio_health_caller(
	struct gateway *gw, const struct twilio_answer *answer, const char *number);

/* Database worker. Events that were applied: their errors stop what they stop. */
void twilio_health_told(struct gateway *gw, struct db *db,
	const struct db_call_event *events, size_t count);

/* What happened and what to do, then Twilio's own words with the code. Any thread. */
void twilio_health_explain(const struct twilio_answer *answer, char *text, size_t size);

#endif
