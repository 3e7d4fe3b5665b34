/* voided.h: what is void when entries are taken out of the queue; SQL for the files of db/ only. */
#ifndef OMNIVOX_DB_VOIDED_H
#define OMNIVOX_DB_VOIDED_H

/* Open promises that have taken the entry of this id over. */
#define PROMISES_OF(entry)                                             \
	" b.entry_id = " entry " AND b.state IN ('pending', 'missed')" \
	" AND b.armed_dials IS NOT NULL"

/*
 * In the SET of queue_entries q, where `stays` says that it stays: nobody's own any more, and of
 * the priority that it had before its promise, unless somebody has given it another meanwhile.
 */
#define VOID_OWNER(stays)                                                                         \
	" agent_id = CASE WHEN " stays " THEN q.agent_id END,"                                    \
	" agent_until = CASE WHEN " stays " THEN q.agent_until END,"                              \
	" priority = CASE WHEN " stays " OR q.priority > 1 THEN q.priority"                       \
	"  ELSE COALESCE((SELECT COALESCE(b.was_priority, 2) FROM callbacks b WHERE" PROMISES_OF( \
		"q.id") "), 1) END"

/*
 * After "WITH touched AS (UPDATE queue_entries ... RETURNING id, state)": nobody dials a promise
 * from an entry that was skipped, and it would be in the way of a new one. It forgets the entry,
 * which may be queued again. One without an entry of its own gets another (arm_callbacks(),
 * 0006_calls.sql).
 */
#define VOID_PROMISES                                                                     \
	", voided AS (UPDATE callbacks b SET state = 'cancelled', untold = true,"         \
	"  entry_id = NULL, armed_dials = NULL, made_entry = false, was_priority = NULL," \
	"  was_run_at = NULL, updated_at = now()"                                         \
	"  FROM touched t WHERE t.state = 'skipped' AND" PROMISES_OF("t.id") ")"

#endif
