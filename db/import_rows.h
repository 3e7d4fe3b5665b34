/*
 * import_rows.h: the rows of one import, from a temporary table into the list.
 *
 * All in one transaction of one connection, which nobody else uses meanwhile: begin, put rows,
 * end, check, then add and commit, or roll back. The table is the connection's own: whoever
 * dies takes it along, and nothing was added. Row numbers are the file's, ascending.
 */
#ifndef OMNIVOX_DB_IMPORT_ROWS_H
#define OMNIVOX_DB_IMPORT_ROWS_H

#include <stddef.h>

#include "base/buf.h"
#include "db/imports.h"

/* Texts are UTF-8 without control characters but tab and line breaks; none is NULL. */
struct db_import_row {
	int64_t number;
	const char *phone, *first_name, *last_name, *email, *country, *time_zone;
	const char *custom; /* a JSON object */
	bool refused;       /* it is none, but its number is in the file: for `replace` */
};

/* A row of the table was found to be what was asked for. */
typedef void (*db_import_row_cb)(void *arg, int64_t number);

int db_import_rows_begin(struct db *db);
/* Writes a row to a buffer, many of which then go at once. */
void db_import_row_write(struct buf *buf, const struct db_import_row *row);
int db_import_rows_put(struct db *db, const struct buf *buf);
int db_import_rows_end(struct db *db);

/*
 * For `replace`: keeps in mind which numbers the file has, and takes the refused rows out. Must come
 * before whatever takes out rows.
 */
int db_import_rows_keep(struct db *db);

/* Takes out rows and tells each: whose number is on a do-not-call list of all, or of the list's
   campaign; is in another list; comes again further down. */
int db_import_rows_drop_dnc(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg);
int db_import_rows_drop_elsewhere(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg);
int db_import_rows_drop_repeated(struct db *db, db_import_row_cb found, void *arg);

/* Tells rows whose number the list has. For a dry run. */
int db_import_rows_known(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg);

/*
 * Tells rows whose further fields do not fit into DB_CUSTOM_SIZE with those that their contact has
 * already: they change nothing.
 */
int db_import_rows_too_long(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg);

/* What becomes of contacts that the list has already. */
struct db_import_add {
	int64_t import_id, list_id;
	bool update;  /* those in the file get what the file says */
	bool replace; /* those whose number db_import_rows_keep() did not see go */
	db_import_row_cb known;    /* unless `update`: rows whose number the list has */
	db_import_row_cb too_long; /* `update`: as db_import_rows_too_long() */
	void *arg;
};

/*
 * Sets added, updated, removed, first_contact and last_contact of `ret_import`. -EBUSY: a
 * contact that should go is in a call; -ENOENT: the list is gone. Waits for others who add to or
 * remove from the list.
 */
int db_import_rows_add(
	struct db *db, const struct db_import_add *add, struct db_import *ret_import);

/* How many contacts `replace` would remove, for a dry run with it. */
int db_import_rows_others(struct db *db, int64_t list_id, int64_t *ret_count);

/* Gives the rows up and starts a transaction anew, for what a dry run has to tell. */
int db_import_rows_forget(struct db *db);
int db_import_reject(struct db *db, int64_t import_id, int part, const char *csv);
/* Writes the counts and the report, state `done`, and commits. -ECANCELED: nothing was added. */
int db_import_rows_commit(struct db *db, const struct db_import *import);
void db_import_rows_rollback(struct db *db);

#endif
