/*
 * backup.h: the whole database into one file and back, with PostgreSQL's own pg_dump and
 * pg_restore of the right version. For the commands of the program, before any thread exists.
 *
 * `url` is what db_open() takes. Passwords travel in the environment of the child, never on a
 * command line. A caller that holds back the signals of base/stop.h gets -EINTR when one comes: the
 * child is ended, and nothing of it stays.
 */
#ifndef OMNIVOX_DB_BACKUP_H
#define OMNIVOX_DB_BACKUP_H

#include <stdbool.h>

#include "base/err.h"
#include "db/conn.h"

/*
 * One snapshot of everything, in pg_dump's custom format, while others work on. The file is
 * only there (mode 0600) when it is complete, was read again and is on the disk. -EIO, -ENOPKG
 * (no pg_dump that knows this server), -ENODATA (nothing to back up) and what files fail with, each
 * with a sentence.
 */
int db_backup(const char *url, const char *path, struct err *err);

/*
 * Into a database that holds no installation (-EEXIST): all or nothing, then db_restored().
 * -ENODATA: the file cannot be read.
 */
int db_restore(const char *url, const char *path, struct err *err);

/*
 * Settles a database that was just restored: it may know less than was really done, so no
 * campaign dials on by itself until a person has looked. *ret_settled: it was one. Called at
 * every start, so that a restore that was broken off after its data came is settled too.
 */
int db_restored(struct db *db, bool *ret_settled);

#endif
