/* contact_rows.h: how a row of contacts is read, and what follows from its change. For db/ only. */
#ifndef OMNIVOX_DB_CONTACT_ROWS_H
#define OMNIVOX_DB_CONTACT_ROWS_H

#include "db/contacts.h"
#include "db/exec.h"

/* Of a contacts row named c, in the order of db_read_contact(). */
#define CONTACT_COLUMNS                                                             \
	"c.id, c.list_id, c.phone, c.first_name, c.last_name, c.email, c.attempts," \
	" c.last_outcome, " MS("c.last_attempt_at") ", c.locked_by"

/*
 * After "now_is AS (UPDATE contacts ... RETURNING c.id, ... AS moved)": what waits for a moment that
 * the number or its zone has told of becomes due, and the claim asks anew. A retry, or a promise,
 * keeps its time. Who claims holds the entry and waits for the contact: what is held is passed over.
 */
#define WAKE_MOVED                                                                      \
	", woken AS (UPDATE queue_entries q SET run_at = now(), reason = ''"            \
	"  FROM (SELECT e.id FROM queue_entries e JOIN now_is n ON n.id = e.contact_id" \
	"   WHERE n.moved AND e.state = 'pending' AND e.run_at > now()"                 \
	"   AND e.reason IN ('hours', 'attempts_24h', 'busy')"                          \
	"   FOR UPDATE OF e SKIP LOCKED) w WHERE q.id = w.id)"

void db_read_contact(struct db_row *row, struct db_contact *contact);

#endif
