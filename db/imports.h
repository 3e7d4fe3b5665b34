/*
 * imports.h: uploads of contacts: what each was, how far it is, what came of it.
 *
 * An import is open while it is queued, reading or adding. Its worker tells with each step that
 * it lives; every function that writes an open import fails with -ECANCELED when it no longer
 * is one, because somebody cancelled it or its worker was silent for too long.
 */
#ifndef OMNIVOX_DB_IMPORTS_H
#define OMNIVOX_DB_IMPORTS_H

#include <stddef.h>

#include "db/conn.h"

#define DB_REPORT_SIZE 16384

struct db_import {
	int64_t id, list_id, user_id;
	char format[8]; /* "csv", "json" */
	char state
		[DB_WORD_SIZE]; /* queued reading adding done failed cancelled undoing undone */
	bool dry_run, replaces;
	int64_t bytes, bytes_done;
	int64_t rows, added, updated, removed, skipped, rejected;
	char report[DB_REPORT_SIZE]; /* a JSON object that its worker wrote */
	char error[384];             /* why it failed; "" */
	int64_t created_ms, ended_ms;
	int64_t first_contact, last_contact; /* the ids it added lie between these */
	bool zones; /* not stored: it gives contacts another time zone, and commits a recheck */
};

/* -ENOENT: no such list. Reads list_id, user_id, format, dry_run, replaces and bytes. */
int db_import_create(
	struct db *db, const struct db_import *import, const char *node, int64_t *ret_id);
int db_import_get(struct db *db, int64_t id, struct db_import *ret_import);
/* The newest first; `before` 0: from the newest on; `list_id` 0: of all lists. One more row
   than `limit` tells of a next page. */
int db_import_page(struct db *db, int64_t list_id, int64_t before, unsigned limit,
	struct db_import **ret_imports, size_t *ret_count);

/* Its worker begins; only now it is known what a JSON document asks for. */
int db_import_start(struct db *db, int64_t id, bool dry_run, bool replaces);
/* "reading" or "adding", with rows and bytes_done; it may then be silent for half an hour. */
int db_import_step(
	struct db *db, int64_t id, const char *state, int64_t rows, int64_t bytes_done);
int db_import_fail(struct db *db, int64_t id, const char *error);
/* -EALREADY: it has ended. What it staged goes, nothing was added. */
int db_import_cancel(struct db *db, int64_t id);
/*
 * Fails the open imports whose worker was silent for too long, and, when `node` is not NULL,
 * all of that node, which has just started. `ret_ids`: those, an array of int64_t.
 */
int db_import_expire(
	struct db *db, const char *node, int64_t **ret_ids, size_t *ret_count);

/* Drops the rows that were not taken of imports that ended more than `days` ago. */
int db_import_forget(struct db *db, int days);

/* The rows that were not taken, as parts of a CSV text. *ret_csv NULL: no more; else free(). */
int db_import_rejects(struct db *db, int64_t id, int part, char **ret_csv);

/*
 * Removes what an import added, all or nothing, in up to minutes. -EALREADY: it is no finished
 * import of which something is left; -EBUSY: one of them was dialled already.
 */
int db_import_undo(struct db *db, int64_t id, const char *node, int64_t *ret_removed);

#endif
