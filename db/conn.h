/*
 * conn.h: one PostgreSQL connection for one worker thread, and the words all of db/ shares.
 *
 * Every function of db/ takes a struct db, runs one transaction, and returns by value.
 * Threads: a struct db belongs to one thread. Errors, everywhere in db/:
 *   -ENOENT no such row, -EEXIST unique, -EINVAL refused by a constraint,
 *   -EAGAIN serialisation or lock time-out (nothing happened, try again),
 *   -EIO no database (a commit whose answer was lost is -EIO too: it may have happened),
 *   -ENOSPC the database's disk is full, -ENOMEM.
 * Result arrays are one flat malloc: the caller frees them with free(); NULL when count is 0.
 */
#ifndef OMNIVOX_DB_CONN_H
#define OMNIVOX_DB_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct db;

#define DB_NODE_SIZE 37   /* uuid text */
#define DB_NUMBER_SIZE 17 /* E.164 */
#define DB_NAME_SIZE 128
#define DB_WORD_SIZE 16 /* states and outcomes */
#define DB_ZONE_SIZE 48 /* IANA names */
#define DB_SID_SIZE 35

/*
 * `url`: anything libpq takes. Sets statement_timeout, lock_timeout and TCP keepalives.
 * Does not fail when the server is away: the connection is made at first use, and again after
 * it broke, at most once a second.
 */
int db_open(const char *url, unsigned statement_ms, struct db **ret_db);
void db_close(struct db **db);

/*
 * Any thread: asks the server to break off the statement that another thread runs on `db`, which
 * then fails with -EAGAIN. Harmless when there is none.
 */
void db_cancel(struct db *db);

/* 0 when the server answers; for /readyz and start. */
int db_ping(struct db *db);

/* Why the last function failed, for logs. Never contains parameters. */
const char *db_error(const struct db *db);

#endif
