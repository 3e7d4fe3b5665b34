/* contact_rows.h: how a row of contacts is read. For db/contacts.c and db/lists.c only. */
#ifndef OMNIVOX_DB_CONTACT_ROWS_H
#define OMNIVOX_DB_CONTACT_ROWS_H

#include "db/contacts.h"
#include "db/exec.h"

/* Of a contacts row named c, in the order of db_read_contact(). */
#define CONTACT_COLUMNS                                                             \
	"c.id, c.list_id, c.phone, c.first_name, c.last_name, c.email, c.attempts," \
	" c.last_outcome, " MS("c.last_attempt_at") ", c.locked_by"

void db_read_contact(struct db_row *row, struct db_contact *contact);

#endif
