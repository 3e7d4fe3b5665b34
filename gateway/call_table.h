/*
 * call_table.h: the state table of calls, in its one place. Loaded into the database at start,
 * where apply_call_events() decides by it; docs/ARCHITECTURE.md shows it as a picture.
 */
#ifndef OMNIVOX_GATEWAY_CALL_TABLE_H
#define OMNIVOX_GATEWAY_CALL_TABLE_H

#include "db/install.h"

/* Seconds: what Twilio does not dial within these it queues; a look at what does not ring then. */
#define CALL_QUEUED_S 3
#define CALL_DIALLED_S 10
/* Who answers is in the conference at once, and who is not told of after these is looked for there. */
#define CALL_JOIN_S 5

/* How long states may last, from the configuration; seconds. */
struct call_table_times {
	double ambiguous_s; /* AMBIGUOUS_AFTER */
	double reconcile_s; /* RECONCILE_AFTER: a live call of which nothing was heard */
};

/*
 * Fills *ret_tables; what it points to is static, so one caller at a time (worker start).
 * calls_per_second is left to the caller.
 */
void call_table(const struct call_table_times *times, struct db_tables *ret_tables);

/* The event word of a Twilio CallStatus ("in-progress" is "answered"), NULL for others. */
const char *call_table_event(const char *call_status);

#endif
