/* next_entry.h: the entry of a queue that is dialled next; SQL for the files of db/ only. */
#ifndef OMNIVOX_DB_NEXT_ENTRY_H
#define OMNIVOX_DB_NEXT_ENTRY_H

/*
 * `columns` of q, the first entry of campaign $1 that is due and kept for nobody, locked; more
 * conditions in `and_so`. One priority after the other, so that a list of retries that are not due
 * yet is never read through; where all that are due are somebody's just now, the next one has its
 * turn. The rows come in the order of the series: an ORDER BY would have all nine read, and locked.
 */
#define NEXT_ENTRY(columns, and_so)                                               \
	"SELECT " columns " FROM generate_series(1, 9) AS p CROSS JOIN LATERAL (" \
	"SELECT q.* FROM queue_entries q WHERE q.campaign_id = $1"                \
	" AND q.state = 'pending' AND q.agent_id IS NULL AND q.run_at <= now()"   \
	" AND q.priority = p" and_so " ORDER BY q.run_at, q.id LIMIT 1"           \
	" FOR UPDATE SKIP LOCKED) q LIMIT 1"

#endif
