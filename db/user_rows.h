/* user_rows.h: how a row of users is read. For db/users.c and db/user_admin.c only. */
#ifndef OMNIVOX_DB_USER_ROWS_H
#define OMNIVOX_DB_USER_ROWS_H

#include "db/exec.h"

/* Of a users row named u. */
#define USER_COLUMNS \
	"u.id, u.username, u.name, u.role, u.password_hash, u.active, " MS("u.created_at")

/* db_reader.read of a struct db_user. */
void db_read_user(struct db_row *row, void *item);

#endif
