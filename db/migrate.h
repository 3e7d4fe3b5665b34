/* migrate.h: brings the schema up to this program's version. Plain SQL inside the binary. */
#ifndef OMNIVOX_DB_MIGRATE_H
#define OMNIVOX_DB_MIGRATE_H

#include "db/conn.h"

/*
 * Applies what is missing, in order, each in a transaction, under an advisory lock. -EPERM with
 * a sentence when the database is newer than the program or a migration was changed.
 */
int db_migrate(struct db *db, unsigned *ret_applied, struct err *err);

/* Changes nothing; tells the name of each that is missing. Errors as above. */
int db_migrate_plan(struct db *db, void (*missing)(void *arg, const char *name),
	void *arg, struct err *err);

#endif
