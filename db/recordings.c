/* recordings.c: see recordings.h. */
#include "db/recordings.h"

#include <errno.h>

#include "db/exec.h"

#define RECORDING_SELECT                                                                                                                             \
	"SELECT r.id, r.call_id, r.campaign_id, r.agent_id, r.state, r.pause_wanted,"                                                                \
	" r.provider_sid, l.provider_sid, r.channels, r.duration_s, r.error_code,"                                                                   \
	" r.error_text, " MS("r.created_at") ", " MS("r.started_at") ", " MS(                                                                        \
		"r.completed_at") ", " MS("r.deleted_at") ", " MS("r.delete_at") " FROM recordings r LEFT JOIN call_legs l ON l.call_id = r.call_id" \
										 " AND l.kind = 'customer'"

static void read_recording(struct db_row *row, void *item)
{
	struct db_recording *r = item;

	r->id = row_int(row);
	r->call_id = row_int(row);
	r->campaign_id = row_int(row);
	r->agent_id = row_int(row);
	row_text(row, r->state, sizeof(r->state));
	r->pause_wanted = row_bool(row);
	row_text(row, r->provider_sid, sizeof(r->provider_sid));
	row_text(row, r->call_sid, sizeof(r->call_sid));
	r->channels = (int)row_int(row);
	r->duration_s = (int)row_int_or(row, -1);
	r->error_code = (int)row_int(row);
	row_text(row, r->error_text, sizeof(r->error_text));
	r->created_ms = row_int(row);
	r->started_ms = row_int(row);
	r->completed_ms = row_int(row);
	r->deleted_ms = row_int(row);
	r->delete_ms = row_int(row);
}

static const struct db_reader recording_reader = {
	sizeof(struct db_recording), read_recording};

int db_recording_get(struct db *db, int64_t id, struct db_recording *ret_row)
{
	return db_run_item(db, RECORDING_SELECT " WHERE r.id = $1", ARGS(arg_int(id)),
		&recording_reader, ret_row);
}

int db_recording_of_call(struct db *db, int64_t call_id, struct db_recording *ret_row)
{
	return db_run_item(db, RECORDING_SELECT " WHERE r.call_id = $1",
		ARGS(arg_int(call_id)), &recording_reader, ret_row);
}

int db_recording_page(struct db *db, const struct db_recording_filter *f, unsigned limit,
	struct db_recording **ret_rows, size_t *ret_count)
{
	void *rows = NULL;
	size_t count = 0;
	int rc = db_begin(db);

	/* As in db_call_page(): each combination of filters by the index that fits it. */
	if (rc == 0)
		rc = db_script(db, "SET LOCAL plan_cache_mode = force_custom_plan");
	if (rc == 0)
		rc = db_run_rows(db,
			RECORDING_SELECT
			" WHERE r.id < $1 AND ($2::bigint IS NULL OR r.campaign_id = $2)"
			" AND ($3::bigint IS NULL OR r.agent_id = $3)"
			" AND ($4::bigint IS NULL OR r.call_id = $4)"
			" AND ($5::text IS NULL OR r.state = $5)"
			" AND ($6::bigint IS NULL"
			"  OR r.created_at >= to_timestamp($6 / 1000.0::float8))"
			" AND ($7::bigint IS NULL"
			"  OR r.created_at < to_timestamp($7 / 1000.0::float8))"
			" ORDER BY r.id DESC LIMIT $8",
			ARGS(arg_int(f->before ? f->before : INT64_MAX),
				arg_id(f->campaign_id), arg_id(f->agent_id),
				arg_id(f->call_id), arg_text(f->state),
				arg_id(f->from_ms), arg_id(f->to_ms),
				arg_int((int64_t)limit + 1)),
			&recording_reader, &rows, &count);
	db_rollback(db);
	if (rc < 0)
		return rc;
	*ret_rows = rows;
	*ret_count = count;
	return 0;
}

static void read_due(struct db_row *row, void *item)
{
	struct db_recording_due *d = item;

	d->id = row_int(row);
	d->call_id = row_int(row);
	row_text(row, d->op, sizeof(d->op));
	row_text(row, d->call_sid, sizeof(d->call_sid));
	row_text(row, d->recording_sid, sizeof(d->recording_sid));
	row_text(row, d->conference_sid, sizeof(d->conference_sid));
	row_text(row, d->announcement_url, sizeof(d->announcement_url));
}

int db_recording_due(struct db *db, const char *node, unsigned limit,
	struct db_recording_due **ret_due, size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_recording_due), read_due};

	return db_run_rows(db,
		"SELECT id, call_id, op, call_sid, recording_sid, conference_sid,"
		" announcement_url"
		" FROM take_due_recordings($1, $2)",
		ARGS(arg_text(node), arg_int(limit)), &reader, (void **)ret_due,
		ret_count);
}

int db_recording_doubt(struct db *db, const char *node)
{
	/* A moment, so that what did arrive is listed. */
	return db_run(db,
		"UPDATE recordings SET due_at = LEAST(due_at, now() + interval '3 seconds')"
		" WHERE state = 'starting' AND node_id = $1::uuid AND due_at IS NOT NULL",
		ARGS(arg_text(node)), NULL);
}

int db_recording_apply(
	struct db *db, const struct db_recording_news *n, bool *ret_changed)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_run_one(db,
		"SELECT apply_recording($1, $2, $3, $4, $5, $6,"
		" to_timestamp($7::bigint / 1000.0::float8), $8, $9)",
		ARGS(arg_int(n->id), arg_text(n->sid), arg_text(n->status),
			arg_bool(n->certain),
			n->duration_s < 0 ? arg_text(NULL) : arg_int(n->duration_s),
			arg_id(n->channels), arg_id(n->started_ms), arg_id(n->code),
			arg_text(n->text)),
		&result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	*ret_changed = row_bool(&row);
	PQclear(result);
	return 0;
}

/* -ENOENT of an UPDATE that touched nothing: is it not there, or not in this state? */
static int explain(struct db *db, const char *sql, int64_t id, int when_there)
{
	int rc = db_run_one(db, sql, ARGS(arg_int(id)), NULL);

	return rc == 0 ? when_there : rc;
}

/* Twilio was asked to go on, and has not answered: nobody knows that it is still paused. */
#define RESUMING "r.state = 'paused' AND NOT r.pause_wanted AND r.tries > 0"

int db_recording_pause(
	struct db *db, int64_t call_id, bool pause, struct db_recording *ret_row)
{
	/* A pause then waits for that answer, so that the two cannot overtake each other. */
	int rc = db_run_one(db,
		"UPDATE recordings r SET pause_wanted = $2, tries = 0,"
		" state = CASE WHEN $2 AND " RESUMING
		" THEN 'recording' ELSE r.state END,"
		" due_at = CASE WHEN r.state IN ('announcing', 'starting') OR $2 AND " RESUMING
		"  THEN r.due_at ELSE now() END"
		" FROM calls c WHERE r.call_id = $1 AND c.id = r.call_id AND c.state <> 'ended'"
		" AND r.state IN ('announcing', 'wanted', 'starting', 'recording', 'paused')",
		ARGS(arg_int(call_id), arg_bool(pause)), NULL);

	if (rc == -ENOENT)
		return explain(db, "SELECT 1 FROM recordings WHERE call_id = $1", call_id,
			-EINVAL);
	return rc < 0 ? rc : db_recording_of_call(db, call_id, ret_row);
}

int db_recording_remove(struct db *db, int64_t id)
{
	int rc = db_run_one(db,
		"UPDATE recordings SET delete_at = LEAST(delete_at, now()), tries = 0,"
		" due_at = CASE WHEN state = 'deleted' THEN NULL ELSE now() END"
		" WHERE id = $1 AND state IN ('completed', 'absent', 'failed', 'deleted')",
		ARGS(arg_int(id)), NULL);

	return rc == -ENOENT
		       ? explain(db, "SELECT 1 FROM recordings WHERE id = $1", id, -EBUSY)
		       : rc;
}

static void read_text(struct db_row *row, void *item)
{
	row_text(row, item, DB_ANNOUNCEMENT_SIZE);
}

int db_recording_announcement(
	struct db *db, int64_t id, char ret_text[DB_ANNOUNCEMENT_SIZE])
{
	static const struct db_reader reader = {DB_ANNOUNCEMENT_SIZE, read_text};

	return db_run_item(db,
		"SELECT k.announcement_text FROM recordings r"
		" JOIN campaigns k ON k.id = r.campaign_id WHERE r.id = $1",
		ARGS(arg_int(id)), &reader, ret_text);
}

int db_recording_announcing(
	struct db *db, int64_t session_id, int64_t meant_id, int64_t *ret_id)
{
	return db_run_number(db,
		"SELECT r.id FROM agent_sessions s JOIN recordings r ON r.call_id = s.call_id"
		" WHERE s.id = $1 AND r.state = 'announcing'"
		" AND ($2::bigint IS NULL OR r.id = $2)",
		ARGS(arg_int(session_id), arg_id(meant_id)), ret_id);
}

int db_recording_keep(struct db *db, int days)
{
	return db_run(db, "UPDATE recording_rules SET keep_days = $1",
		ARGS(arg_int(days)), NULL);
}
