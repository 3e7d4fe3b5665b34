/* numbers.c: the account's own numbers. See numbers.h. */
#include "db/numbers.h"

#include "db/exec.h"

enum { COL_NUMBER, COL_SID, COL_KIND, COL_NAME, COLUMNS };

int db_numbers_sync(struct db *db, const struct db_number *numbers, size_t count)
{
	struct buf columns[COLUMNS] = {{0}};
	struct db_arg args[COLUMNS];
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		array_text(&columns[COL_NUMBER], numbers[i].number);
		array_text(&columns[COL_SID], numbers[i].sid);
		array_text(&columns[COL_KIND], numbers[i].kind);
		array_text(&columns[COL_NAME], numbers[i].friendly_name);
	}
	for (int i = 0; i < COLUMNS && rc == 0; i++) {
		rc = array_end(&columns[i]);
		args[i] = arg_text(columns[i].data);
	}
	if (rc == 0)
		rc = db_run(db,
			"WITH listed AS (SELECT DISTINCT ON (n) n, sid, kind, name FROM unnest("
			"  $1::text[], $2::text[], $3::text[], $4::text[]) AS t(n, sid, kind, name)"
			"  ORDER BY n, kind = 'caller_id'),"
			" kept AS (INSERT INTO numbers (number, sid, kind, friendly_name)"
			"  SELECT * FROM listed ON CONFLICT (number) DO UPDATE SET"
			"  sid = EXCLUDED.sid, kind = EXCLUDED.kind, seen_at = now(),"
			"  friendly_name = EXCLUDED.friendly_name, gone_at = NULL),"
			" gone AS (UPDATE numbers SET gone_at = now() WHERE gone_at IS NULL"
			"  AND number NOT IN (SELECT n FROM listed))"
			" UPDATE number_sync SET synced_at = now(), tried_at = now(), error = ''",
			args, COLUMNS, NULL);
	for (int i = 0; i < COLUMNS; i++)
		buf_free(&columns[i]);
	return rc;
}

int db_numbers_failed(struct db *db, const char *error)
{
	return db_run(db, "UPDATE number_sync SET tried_at = now(), error = $1",
		ARGS(arg_text(error)), NULL);
}

static void read_number(struct db_row *row, void *item)
{
	struct db_number *n = item;

	row_text(row, n->number, sizeof(n->number));
	row_text(row, n->sid, sizeof(n->sid));
	row_text(row, n->kind, sizeof(n->kind));
	row_text(row, n->friendly_name, sizeof(n->friendly_name));
	n->seen_ms = row_int(row);
	n->campaigns = row_int(row);
}

int db_numbers_list(struct db *db, struct db_number **ret_numbers, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_number), read_number};

	return db_run_rows(db,
		"SELECT n.number, n.sid, n.kind, n.friendly_name, " MS(
			"n.seen_at") ","
				     " (SELECT count(*) FROM campaigns k WHERE k.caller_id = n.number"
				     "  AND k.state <> 'completed') FROM numbers n WHERE n.gone_at IS NULL"
				     " ORDER BY n.number",
		NO_ARGS, &reader, (void **)ret_numbers, ret_count);
}

static void read_state(struct db_row *row, void *item)
{
	struct db_number_state *state = item;

	state->synced_ms = row_int(row);
	state->tried_ms = row_int(row);
	row_text(row, state->error, sizeof(state->error));
}

int db_numbers_state(struct db *db, struct db_number_state *ret_state)
{
	static const struct db_reader reader = {
		sizeof(struct db_number_state), read_state};

	return db_run_item(db,
		"SELECT " MS("synced_at") ", " MS("tried_at") ", error FROM number_sync",
		NO_ARGS, &reader, ret_state);
}

int db_number_usable(struct db *db, const char *number, bool *ret_usable)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_run_one(db,
		"SELECT s.synced_at IS NULL OR EXISTS (SELECT 1 FROM numbers n"
		" WHERE n.number = $1 AND n.gone_at IS NULL) FROM number_sync s",
		ARGS(arg_text(number)), &result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	*ret_usable = row_bool(&row);
	PQclear(result);
	return 0;
}
