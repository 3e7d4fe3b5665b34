/* voided.h: what is void when entries are taken out of the queue; SQL for the files of db/ only. */
#ifndef OMNIVOX_DB_VOIDED_H
#define OMNIVOX_DB_VOIDED_H

/*
 * After "WITH touched AS (UPDATE queue_entries ... RETURNING id, state)": nobody dials a promise
 * from an entry that was skipped, and it would be in the way of a new one. One without an entry of
 * its own gets another (arm_callbacks(), 0006_calls.sql).
 */
#define VOID_PROMISES                                                             \
	", voided AS (UPDATE callbacks b SET state = 'cancelled', untold = true," \
	"  updated_at = now()"                                                    \
	"  FROM touched t WHERE t.state = 'skipped' AND b.entry_id = t.id"        \
	"  AND b.state IN ('pending', 'missed') AND b.armed_dials IS NOT NULL)"

#endif
