/*
 * rate_state.h: the account's calls per second as they are: lowered when Twilio queues calls, raised
 * again slowly (additive increase, multiplicative decrease) up to TWILIO_CPS.
 */
#ifndef OMNIVOX_DB_RATE_STATE_H
#define OMNIVOX_DB_RATE_STATE_H

#include "db/conn.h"

struct db_rate {
	double per_second, most_per_second;
	int64_t slow_calls; /* that Twilio queued, ever */
	int64_t changed_ms;
};

int db_rate_get(struct db *db, struct db_rate *ret_rate);

/* A call was queued at Twilio: half the rate, at most once in two seconds. */
int db_rate_lower(struct db *db);

/* A twentieth of the whole every ten seconds. Any node may ask at any time. */
int db_rate_recover(struct db *db);

#endif
