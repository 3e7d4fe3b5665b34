/* imports.c: the life of an upload. See imports.h. */
#include "db/imports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"
#include "db/turn.h"

/* Longer than any statement may take, so that nobody alive is taken for dead. */
#define SILENCE "now() + interval '35 minutes'"
#define OPEN "state IN ('queued', 'reading', 'adding')"

#define IMPORT_SELECT                                                                       \
	"SELECT id, list_id, user_id, format, state, dry_run, replaces, bytes, bytes_done," \
	" rows, added, updated, removed, skipped, rejected, report, error, " MS(            \
		"created_at") ", " MS("ended_at") ", first_contact, last_contact FROM imports"

static void read_import(struct db_row *row, void *item)
{
	struct db_import *i = item;

	i->id = row_int(row);
	i->list_id = row_int(row);
	i->user_id = row_int(row);
	row_text(row, i->format, sizeof(i->format));
	row_text(row, i->state, sizeof(i->state));
	i->dry_run = row_bool(row);
	i->replaces = row_bool(row);
	i->bytes = row_int(row);
	i->bytes_done = row_int(row);
	i->rows = row_int(row);
	i->added = row_int(row);
	i->updated = row_int(row);
	i->removed = row_int(row);
	i->skipped = row_int(row);
	i->rejected = row_int(row);
	row_text(row, i->report, sizeof(i->report));
	row_text(row, i->error, sizeof(i->error));
	i->created_ms = row_int(row);
	i->ended_ms = row_int(row);
	i->first_contact = row_int(row);
	i->last_contact = row_int(row);
}

static const struct db_reader reader = {sizeof(struct db_import), read_import};

int db_import_create(
	struct db *db, const struct db_import *import, const char *node, int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO imports (list_id, user_id, format, dry_run, replaces, bytes,"
		" node_id, deadline_at) VALUES ($1, $2, $3, $4, $5, $6, $7, " SILENCE ")"
		" RETURNING id",
		ARGS(arg_int(import->list_id), arg_id(import->user_id),
			arg_text(import->format), arg_bool(import->dry_run),
			arg_bool(import->replaces), arg_int(import->bytes),
			arg_text(node)),
		ret_id);
}

int db_import_get(struct db *db, int64_t id, struct db_import *ret_import)
{
	return db_run_item(db, IMPORT_SELECT " WHERE id = $1", ARGS(arg_int(id)), &reader,
		ret_import);
}

int db_import_page(struct db *db, int64_t list_id, int64_t before, unsigned limit,
	struct db_import **ret_imports, size_t *ret_count)
{
	if (before == 0)
		before = INT64_MAX;
	if (list_id == 0)
		return db_run_rows(db,
			IMPORT_SELECT " WHERE id < $1 ORDER BY id DESC LIMIT $2",
			ARGS(arg_int(before), arg_int((int64_t)limit + 1)), &reader,
			(void **)ret_imports, ret_count);
	return db_run_rows(db,
		IMPORT_SELECT " WHERE list_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
		ARGS(arg_int(list_id), arg_int(before), arg_int((int64_t)limit + 1)),
		&reader, (void **)ret_imports, ret_count);
}

static int gone_is_cancelled(int rc)
{
	return rc == -ENOENT ? -ECANCELED : rc;
}

int db_import_start(struct db *db, int64_t id, bool dry_run, bool replaces)
{
	return gone_is_cancelled(db_run_one(db,
		"UPDATE imports SET state = 'reading', dry_run = $2, replaces = $3,"
		" deadline_at = " SILENCE " WHERE id = $1 AND " OPEN,
		ARGS(arg_int(id), arg_bool(dry_run), arg_bool(replaces)), NULL));
}

int db_import_step(
	struct db *db, int64_t id, const char *state, int64_t rows, int64_t bytes_done)
{
	return gone_is_cancelled(db_run_one(db,
		"UPDATE imports SET state = $2, rows = $3, bytes_done = $4,"
		" deadline_at = " SILENCE " WHERE id = $1 AND " OPEN,
		ARGS(arg_int(id), arg_text(state), arg_int(rows), arg_int(bytes_done)),
		NULL));
}

int db_import_fail(struct db *db, int64_t id, const char *error)
{
	return gone_is_cancelled(db_run_one(db,
		"UPDATE imports SET state = 'failed', error = left($2, 380),"
		" deadline_at = NULL, ended_at = now() WHERE id = $1 AND " OPEN,
		ARGS(arg_int(id), arg_text(error)), NULL));
}

int db_import_cancel(struct db *db, int64_t id)
{
	struct db_import *import;
	int rc = db_run_one(db,
		"UPDATE imports SET state = 'cancelled', deadline_at = NULL, ended_at = now()"
		" WHERE id = $1 AND " OPEN,
		ARGS(arg_int(id)), NULL);

	if (rc != -ENOENT)
		return rc;
	import = malloc(sizeof(*import));
	if (import == NULL)
		return -ENOMEM;
	rc = db_import_get(db, id, import);
	free(import);
	return rc == 0 ? -EALREADY : rc;
}

static void read_id(struct db_row *row, void *item)
{
	*(int64_t *)item = row_int(row);
}

int db_import_expire(
	struct db *db, const char *node, int64_t **ret_ids, size_t *ret_count)
{
	static const struct db_reader ids = {sizeof(int64_t), read_id};

	/* An undo that was broken off has removed nothing: the import is as it was. */
	return db_run_rows(db,
		"UPDATE imports SET state = CASE state WHEN 'undoing' THEN 'done' ELSE 'failed' END,"
		" error = CASE state WHEN 'undoing' THEN error ELSE 'The program ended while it"
		" worked on this import. Nothing was added; upload the file again.' END,"
		" deadline_at = NULL, ended_at = coalesce(ended_at, now())"
		" WHERE deadline_at IS NOT NULL AND (deadline_at < now() OR node_id = $1::uuid)"
		" RETURNING id",
		ARGS(arg_text(node)), &ids, (void **)ret_ids, ret_count);
}

int db_import_forget(struct db *db, int days)
{
	return db_run(db,
		"DELETE FROM import_rejects r USING imports i WHERE i.id = r.import_id"
		" AND i.ended_at < now() - make_interval(days => $1::int)",
		ARGS(arg_int(days)), NULL);
}

int db_import_rejects(struct db *db, int64_t id, int part, char **ret_csv)
{
	PGresult *result = NULL;
	int rc = db_run(db,
		"SELECT csv FROM import_rejects WHERE import_id = $1 AND part = $2",
		ARGS(arg_int(id), arg_int(part)), &result);
	char *csv = NULL;

	if (rc == 0 && PQntuples(result) == 1) {
		csv = strdup(PQgetvalue(result, 0, 0));
		if (csv == NULL)
			rc = -ENOMEM;
	}
	PQclear(result);
	if (rc == 0)
		*ret_csv = csv;
	return rc;
}

/* ---- undo ---- */

static int set_undoing(
	struct db *db, int64_t id, const char *node, struct db_import *import)
{
	int rc = db_run_one(db,
		"UPDATE imports SET state = 'undoing', node_id = $2::uuid, deadline_at = " SILENCE
		" WHERE id = $1 AND state = 'done' AND NOT dry_run AND NOT replaces"
		" AND added > 0",
		ARGS(arg_int(id), arg_text(node)), NULL);

	if (rc == 0 || rc == -ENOENT) {
		int found = db_import_get(db, id, import);

		rc = found < 0 ? found : rc == -ENOENT ? -EALREADY : 0;
	}
	return rc;
}

/* Inside a transaction. Those that were dialled, or are being so, stay: then all stay. */
static int remove_added(
	struct db *db, const struct db_import *import, int64_t *ret_removed)
{
	const struct db_arg args[] = {arg_int(import->list_id),
		arg_int(import->first_contact), arg_int(import->last_contact),
		arg_int(import->id)};
	PGresult *result = NULL;
	int64_t left = 0;
	int rc;

	rc = db_run(db,
		"DELETE FROM contacts c WHERE list_id = $1 AND id BETWEEN $2 AND $3"
		" AND import_id = $4 AND locked_by IS NULL AND attempts = 0"
		" AND NOT EXISTS (SELECT FROM calls k WHERE k.contact_id = c.id)",
		args, 4, &result);
	if (rc == 0)
		*ret_removed = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	if (rc == 0)
		rc = db_run_number(db,
			"SELECT count(*) FROM (SELECT FROM contacts WHERE list_id = $1"
			" AND id BETWEEN $2 AND $3 AND import_id = $4 LIMIT 1) x",
			args, 4, &left);
	return rc == 0 && left > 0 ? -EBUSY : rc;
}

static int end_undo(struct db *db, int64_t id, int64_t removed, const char *why_not)
{
	return gone_is_cancelled(db_run_one(db,
		"UPDATE imports SET state = CASE WHEN $3 = '' THEN 'undone' ELSE 'done' END,"
		" deadline_at = NULL, removed = removed + $2, error = $3"
		" WHERE id = $1 AND state = 'undoing'",
		ARGS(arg_int(id), arg_int(removed), arg_text(why_not)), NULL));
}

static int undo(struct db *db, const struct db_import *import, int64_t *ret_removed)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_patience(db, true);
	if (rc == 0)
		rc = db_turn_take(db, DB_TURN_CONTACTS, import->list_id);
	if (rc == 0)
		rc = remove_added(db, import, ret_removed);
	if (rc == 0)
		rc = end_undo(db, import->id, *ret_removed, "");
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	return rc;
}

int db_import_undo(struct db *db, int64_t id, const char *node, int64_t *ret_removed)
{
	struct db_import *import = malloc(sizeof(*import));
	int64_t removed = 0;
	int rc;

	if (import == NULL)
		return -ENOMEM;
	rc = set_undoing(db, id, node, import);
	if (rc == 0) {
		rc = undo(db, import, &removed);
		if (rc < 0)
			(void)end_undo(db, id, 0,
				rc == -EBUSY
					? "Not undone: a contact of this import was called."
					: "Not undone: the database did not do it.");
	}
	free(import);
	if (rc == 0)
		*ret_removed = removed;
	return rc;
}
