/* callbacks.c: promises to call back. See callbacks.h. */
#include "db/callbacks.h"

#include <errno.h>

#include "db/exec.h"

#define CALLBACK_SELECT                                                                                    \
	"SELECT b.id, b.campaign_id, b.contact_id, b.agent_id, b.from_call_id,"                            \
	" b.done_call_id, b.entry_id, b.created_by, " MS("b.due_at") ", " MS(                              \
		"b.created_at") ", " MS("b.updated_at") ", b.grace_s, b.note, b.state,"                    \
							" x.phone, x.first_name, x.last_name, x.time_zone" \
							" FROM callbacks b"                                \
							" JOIN contacts x ON x.id = b.contact_id"

static void read_callback(struct db_row *row, void *item)
{
	struct db_callback *b = item;

	b->id = row_int(row);
	b->campaign_id = row_int(row);
	b->contact_id = row_int(row);
	b->agent_id = row_int(row);
	b->from_call_id = row_int(row);
	b->done_call_id = row_int(row);
	b->entry_id = row_int(row);
	b->created_by = row_int(row);
	b->due_ms = row_int(row);
	b->created_ms = row_int(row);
	b->updated_ms = row_int(row);
	b->grace_s = (int)row_int(row);
	row_text(row, b->note, sizeof(b->note));
	row_text(row, b->state, sizeof(b->state));
	row_text(row, b->phone, sizeof(b->phone));
	row_text(row, b->first_name, sizeof(b->first_name));
	row_text(row, b->last_name, sizeof(b->last_name));
	row_text(row, b->time_zone, sizeof(b->time_zone));
}

static const struct db_reader callback_reader = {
	sizeof(struct db_callback), read_callback};

/* Its entry, if nobody holds that just now; else the sweeper does it. */
static int arm(struct db *db, int64_t id)
{
	return db_run(
		db, "SELECT arm_callbacks(ARRAY[$1::bigint])", ARGS(arg_int(id)), NULL);
}

/* -EPERM when the number must not be called by the campaign. */
static int check_dnc(struct db *db, int64_t id)
{
	int rc = db_run_one(db,
		"SELECT 1 FROM callbacks b JOIN contacts x ON x.id = b.contact_id"
		" WHERE b.id = $1 AND EXISTS (SELECT 1 FROM dnc_numbers d"
		"  WHERE d.number = x.phone"
		"  AND (d.campaign_id IS NULL OR d.campaign_id = b.campaign_id))",
		ARGS(arg_int(id)), NULL);

	if (rc == 0)
		return -EPERM;
	return rc == -ENOENT ? 0 : rc;
}

int db_callback_create(struct db *db, const struct db_callback *b, int64_t *ret_id)
{
	int64_t id = 0;
	int rc = db_begin(db);

	/*
	 * A cross join, so that "no such agent" is not taken for "no owner". Who deletes the
	 * campaign is waited for.
	 */
	if (rc == 0)
		rc = db_run_number(db,
			"INSERT INTO callbacks (campaign_id, contact_id, agent_id, from_call_id,"
			" due_at, grace_s, note, created_by)"
			" SELECT k.id, x.id, $3::bigint, $4::bigint,"
			" to_timestamp($5::bigint / 1000.0::float8), $6::int, $7, $8::bigint"
			" FROM campaigns k, contacts x WHERE k.id = $1 AND x.id = $2"
			" AND k.archived_at IS NULL"
			" AND (EXISTS (SELECT 1 FROM data_lists l"
			"   WHERE l.id = x.list_id AND l.campaign_id = k.id)"
			"  OR EXISTS (SELECT 1 FROM queue_entries q"
			"   WHERE q.contact_id = x.id AND q.campaign_id = k.id))"
			" AND ($3::bigint IS NULL OR EXISTS (SELECT 1 FROM users u"
			"  WHERE u.id = $3 AND u.role = 'agent'))"
			" FOR KEY SHARE OF k RETURNING id",
			ARGS(arg_int(b->campaign_id), arg_int(b->contact_id),
				arg_id(b->agent_id), arg_id(b->from_call_id),
				arg_int(b->due_ms), arg_int(b->grace_s),
				arg_text(b->note), arg_id(b->created_by)),
			&id);
	if (rc == 0)
		rc = check_dnc(db, id);
	if (rc == 0)
		rc = arm(db, id);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_id = id;
	return rc;
}

int db_callback_get(struct db *db, int64_t id, struct db_callback *ret_row)
{
	return db_run_item(db, CALLBACK_SELECT " WHERE b.id = $1", ARGS(arg_int(id)),
		&callback_reader, ret_row);
}

/* -ENOENT of an UPDATE that touched nothing: is it not there, or over? */
static int explain(struct db *db, int64_t id)
{
	int rc = db_run_one(
		db, "SELECT 1 FROM callbacks WHERE id = $1", ARGS(arg_int(id)), NULL);

	return rc == 0 ? -EINVAL : rc;
}

static int disarm(struct db *db, int64_t id)
{
	return db_run(db, "SELECT disarm_callback($1)", ARGS(arg_int(id)), NULL);
}

int db_callback_update(struct db *db, const struct db_callback *b)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = disarm(db, b->id);
	if (rc == 0)
		rc = db_run_one(db,
			"UPDATE callbacks SET due_at = to_timestamp($2::bigint / 1000.0::float8),"
			" agent_id = $3, grace_s = $4, note = $5, state = 'pending',"
			" updated_at = now() WHERE id = $1 AND state IN ('pending', 'missed')",
			ARGS(arg_int(b->id), arg_int(b->due_ms), arg_id(b->agent_id),
				arg_int(b->grace_s), arg_text(b->note)),
			NULL);
	if (rc == 0)
		rc = arm(db, b->id);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc == -ENOENT ? explain(db, b->id) : rc;
}

int db_callback_cancel(struct db *db, int64_t id)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = disarm(db, id);
	if (rc == 0)
		rc = db_run_one(db,
			"UPDATE callbacks SET state = 'cancelled', updated_at = now()"
			" WHERE id = $1 AND state IN ('pending', 'missed')",
			ARGS(arg_int(id)), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc == -ENOENT ? explain(db, id) : rc;
}

int db_callback_page(struct db *db, const struct db_callback_filter *f, unsigned limit,
	struct db_callback **ret_rows, size_t *ret_count)
{
	return db_run_rows(db,
		CALLBACK_SELECT
		" WHERE ($1::bigint IS NULL OR b.campaign_id = $1)"
		" AND ($2::bigint IS NULL OR b.agent_id = $2)"
		" AND ($3::bigint IS NULL OR b.contact_id = $3)"
		" AND ($4::text IS NULL OR b.state = $4)"
		" AND ($5::bigint IS NULL OR b.due_at >= to_timestamp($5 / 1000.0::float8))"
		" AND ($6::bigint IS NULL OR b.due_at < to_timestamp($6 / 1000.0::float8))"
		" AND b.id > $7 ORDER BY b.id LIMIT $8",
		ARGS(arg_id(f->campaign_id), arg_id(f->agent_id), arg_id(f->contact_id),
			arg_text(f->state), arg_id(f->from_ms), arg_id(f->to_ms),
			arg_int(f->after), arg_int((int64_t)limit + 1)),
		&callback_reader, (void **)ret_rows, ret_count);
}

int db_callback_local_times(struct db *db, struct db_local_time *times, size_t count)
{
	struct buf ms = {0}, zones = {0};
	PGresult *result = NULL;
	int rc;

	for (size_t i = 0; i < count; i++) {
		array_int(&ms, times[i].wall_ms);
		array_text(&zones, times[i].zone);
	}
	rc = array_end(&ms);
	if (rc == 0)
		rc = array_end(&zones);
	if (rc == 0)
		rc = db_run(db,
			"SELECT CASE WHEN t.zone <> '' THEN to_char(to_timestamp("
			" t.ms / 1000.0::float8) AT TIME ZONE t.zone, 'YYYY-MM-DD\"T\"HH24:MI') END"
			" FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS t(ms, zone, n)"
			" ORDER BY t.n",
			ARGS(arg_text(ms.data), arg_text(zones.data)), &result);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct db_row row = db_row(result, (int)i);

		row_text(&row, times[i].text, sizeof(times[i].text));
	}
	PQclear(result);
	buf_free(&ms);
	buf_free(&zones);
	return rc;
}

static void read_id(struct db_row *row, void *item)
{
	*(int64_t *)item = row_int(row);
}

int db_callback_sweep(struct db *db, int64_t **ret_changed, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(int64_t), read_id};

	return db_run_rows(db, "SELECT * FROM sweep_callbacks()", NO_ARGS, &reader,
		(void **)ret_changed, ret_count);
}
