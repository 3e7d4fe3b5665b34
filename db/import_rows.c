/* import_rows.c: staging, checks and the adding of an import's rows. See import_rows.h. */
#include "db/import_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/contacts.h"
#include "db/exec.h"
#include "db/turn.h"

#define MERGED_BYTES "octet_length((c.custom || r.custom)::text)"

int db_import_rows_begin(struct db *db)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_patience(db, true);
	if (rc == 0)
		rc = db_script(db,
			"SET LOCAL work_mem = '64MB';"
			"CREATE TEMPORARY TABLE import_rows (number bigint, phone text,"
			" first_name text, last_name text, email text, country text,"
			" time_zone text, custom jsonb, refused boolean) ON COMMIT DROP");
	if (rc == 0)
		rc = db_copy_begin(db, "COPY import_rows FROM STDIN");
	return rc;
}

/* ---- COPY's text format ---- */

/* One field: tab, newline, return and backslash are escaped. */
static void copy_field(struct buf *b, const char *text, char end)
{
	size_t plain;

	for (;;) {
		plain = strcspn(text, "\t\n\r\\");
		buf_add(b, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		buf_add_char(b, '\\');
		buf_add_char(b, *text == '\t'   ? 't'
				: *text == '\n' ? 'n'
				: *text == '\r' ? 'r'
						: '\\');
		text++;
	}
	buf_add_char(b, end);
}

void db_import_row_write(struct buf *buf, const struct db_import_row *row)
{
	char digits[24];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	for (int64_t n = row->number; n > 0; n /= 10)
		*--at = (char)('0' + n % 10);
	copy_field(buf, at, '\t');
	copy_field(buf, row->phone, '\t');
	copy_field(buf, row->first_name, '\t');
	copy_field(buf, row->last_name, '\t');
	copy_field(buf, row->email, '\t');
	copy_field(buf, row->country, '\t');
	copy_field(buf, row->time_zone, '\t');
	copy_field(buf, row->custom, '\t');
	copy_field(buf, row->refused ? "t" : "f", '\n');
}

int db_import_rows_put(struct db *db, const struct buf *buf)
{
	return buf->failed ? -ENOMEM : db_copy_put(db, buf->data, buf->len);
}

int db_import_rows_end(struct db *db)
{
	int rc = db_copy_end(db);

	return rc < 0 ? rc : db_script(db, "ANALYZE import_rows");
}

int db_import_rows_keep(struct db *db)
{
	return db_script(db, "CREATE TEMPORARY TABLE import_numbers ON COMMIT DROP AS"
			     " SELECT phone FROM import_rows;"
			     "DELETE FROM import_rows WHERE refused;"
			     "ANALYZE import_numbers");
}

/* ---- checks ---- */

#define NOT_IN_FILE "NOT EXISTS (SELECT FROM import_numbers n WHERE n.phone = c.phone)"

struct teller {
	db_import_row_cb found;
	void *arg;
};

static void tell(struct db_row *row, void *arg)
{
	const struct teller *teller = arg;

	teller->found(teller->arg, row_int(row));
}

#define TELL(found, arg)       \
	tell, &(struct teller) \
	{                      \
		found, arg     \
	}

int db_import_rows_drop_dnc(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg)
{
	return db_run_each(db,
		"DELETE FROM import_rows r USING dnc_numbers d WHERE d.number = r.phone"
		" AND (d.campaign_id IS NULL OR d.campaign_id ="
		" (SELECT campaign_id FROM data_lists WHERE id = $1)) RETURNING r.number",
		ARGS(arg_int(list_id)), TELL(found, arg));
}

int db_import_rows_drop_elsewhere(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg)
{
	return db_run_each(db,
		"DELETE FROM import_rows r USING contacts c WHERE c.phone = r.phone"
		" AND c.list_id <> $1 RETURNING r.number",
		ARGS(arg_int(list_id)), TELL(found, arg));
}

int db_import_rows_drop_repeated(struct db *db, db_import_row_cb found, void *arg)
{
	return db_run_each(db,
		"DELETE FROM import_rows r USING (SELECT phone, max(number) AS last"
		" FROM import_rows GROUP BY phone HAVING count(*) > 1) l"
		" WHERE l.phone = r.phone AND r.number < l.last RETURNING r.number",
		NO_ARGS, TELL(found, arg));
}

int db_import_rows_known(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg)
{
	return db_run_each(db,
		"SELECT r.number FROM import_rows r JOIN contacts c ON c.phone = r.phone"
		" AND c.list_id = $1",
		ARGS(arg_int(list_id)), TELL(found, arg));
}

int db_import_rows_too_long(
	struct db *db, int64_t list_id, db_import_row_cb found, void *arg)
{
	return db_run_each(db,
		"SELECT r.number FROM import_rows r JOIN contacts c ON c.phone = r.phone"
		" AND c.list_id = $1 WHERE " MERGED_BYTES " >= $2",
		ARGS(arg_int(list_id), arg_int(DB_CUSTOM_SIZE)), TELL(found, arg));
}

int db_import_rows_others(struct db *db, int64_t list_id, int64_t *ret_count)
{
	return db_run_number(db,
		"SELECT count(*) FROM contacts c WHERE list_id = $1 AND " NOT_IN_FILE,
		ARGS(arg_int(list_id)), ret_count);
}

/* ---- adding ---- */

static int run_count(struct db *db, const char *sql, const struct db_arg *args, int count,
	int64_t *ret_rows)
{
	PGresult *result = NULL;
	int rc = db_run(db, sql, args, count, &result);

	if (rc == 0)
		*ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return rc;
}

static int next_id(struct db *db, int64_t *ret_id)
{
	return db_run_number(db,
		"SELECT nextval(pg_get_serial_sequence('contacts', 'id'))", NO_ARGS,
		ret_id);
}

static int insert(
	struct db *db, const struct db_import_add *add, struct db_import *import)
{
	int rc = next_id(db, &import->first_contact);

	if (rc == 0)
		rc = run_count(db,
			"INSERT INTO contacts (list_id, phone, first_name, last_name, email,"
			" country, time_zone, custom, import_id) SELECT $1, phone, first_name,"
			" last_name, email, country, time_zone, custom, $2 FROM import_rows"
			" ORDER BY number ON CONFLICT (list_id, phone) DO NOTHING",
			ARGS(arg_int(add->list_id), arg_int(add->import_id)),
			&import->added);
	if (rc == 0)
		rc = next_id(db, &import->last_contact);
	return rc;
}

/* Whether somebody gets another time zone. */
static int look_for_zones(struct db *db, int64_t list_id, bool *ret_zones)
{
	int64_t one;
	int rc = db_run_number(db,
		"SELECT 1 FROM import_rows r JOIN contacts c ON c.list_id = $1"
		" AND c.phone = r.phone WHERE r.time_zone NOT IN ('', c.time_zone) LIMIT 1",
		ARGS(arg_int(list_id)), &one);

	*ret_zones = rc == 0;
	return rc == -ENOENT ? 0 : rc;
}

/* What the file leaves empty stays. */
static int update(struct db *db, const struct db_import_add *add, int64_t *ret_updated)
{
	return run_count(db,
		"UPDATE contacts c SET first_name = coalesce(nullif(r.first_name, ''), c.first_name),"
		" last_name = coalesce(nullif(r.last_name, ''), c.last_name),"
		" email = coalesce(nullif(r.email, ''), c.email),"
		" country = coalesce(nullif(r.country, ''), c.country),"
		" time_zone = coalesce(nullif(r.time_zone, ''), c.time_zone),"
		" custom = c.custom || r.custom"
		" FROM import_rows r WHERE c.list_id = $1 AND c.phone = r.phone"
		" AND c.import_id IS DISTINCT FROM $2 AND " MERGED_BYTES " < $3",
		ARGS(arg_int(add->list_id), arg_int(add->import_id),
			arg_int(DB_CUSTOM_SIZE)),
		ret_updated);
}

static int tell_known(struct db *db, const struct db_import_add *add)
{
	return db_run_each(db,
		"SELECT r.number FROM import_rows r JOIN contacts c ON c.list_id = $1"
		" AND c.phone = r.phone WHERE c.import_id IS DISTINCT FROM $2",
		ARGS(arg_int(add->list_id), arg_int(add->import_id)),
		TELL(add->known, add->arg));
}

static int remove_others(
	struct db *db, const struct db_import_add *add, int64_t *ret_removed)
{
	const struct db_arg args[] = {arg_int(add->list_id)};
	int64_t left = 0;
	int rc = run_count(db,
		"DELETE FROM contacts c WHERE list_id = $1 AND locked_by IS NULL"
		" AND " NOT_IN_FILE,
		args, 1, ret_removed);

	if (rc == 0)
		rc = db_import_rows_others(db, add->list_id, &left);
	return rc == 0 && left > 0 ? -EBUSY : rc;
}

int db_import_rows_add(
	struct db *db, const struct db_import_add *add, struct db_import *ret_import)
{
	int64_t staged = 0;
	int rc = db_turn_take(db, DB_TURN_CONTACTS, add->list_id);

	if (rc == 0)
		rc = db_run_number(
			db, "SELECT count(*) FROM import_rows", NO_ARGS, &staged);
	if (rc == 0 && add->replace)
		rc = remove_others(db, add, &ret_import->removed);
	if (rc == 0)
		rc = insert(db, add, ret_import);
	if (rc < 0 || ret_import->added == staged)
		return rc;
	if (!add->update)
		return tell_known(db, add);
	rc = look_for_zones(db, add->list_id, &ret_import->zones);
	if (rc == 0)
		rc = update(db, add, &ret_import->updated);
	if (rc < 0 || ret_import->added + ret_import->updated == staged)
		return rc;
	return db_import_rows_too_long(db, add->list_id, add->too_long, add->arg);
}

/* ---- the end ---- */

int db_import_rows_forget(struct db *db)
{
	db_rollback(db);
	return db_begin(db);
}

int db_import_reject(struct db *db, int64_t import_id, int part, const char *csv)
{
	return db_run(db,
		"INSERT INTO import_rejects (import_id, part, csv) VALUES ($1, $2, $3)",
		ARGS(arg_int(import_id), arg_int(part), arg_text(csv)), NULL);
}

int db_import_rows_commit(struct db *db, const struct db_import *i)
{
	int rc = db_run_one(db,
		"UPDATE imports SET state = 'done', deadline_at = NULL, ended_at = clock_timestamp(),"
		" bytes_done = bytes, rows = $2, added = $3, updated = $4, removed = $5,"
		" skipped = $6, rejected = $7, report = $8, first_contact = $9,"
		" last_contact = $10 WHERE id = $1 AND state IN ('queued', 'reading', 'adding')",
		ARGS(arg_int(i->id), arg_int(i->rows), arg_int(i->added),
			arg_int(i->updated), arg_int(i->removed), arg_int(i->skipped),
			arg_int(i->rejected), arg_text(i->report),
			arg_int(i->first_contact), arg_int(i->last_contact)),
		NULL);

	if (rc == -ENOENT)
		rc = -ECANCELED;
	/* Last, because claims wait for this row. */
	if (rc == 0 && i->zones)
		rc = db_run(db,
			"UPDATE campaigns k SET rechecks = rechecks + 1 FROM imports i"
			" JOIN data_lists l ON l.id = i.list_id"
			" WHERE i.id = $1 AND k.id = l.campaign_id",
			ARGS(arg_int(i->id)), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_import_rows_rollback(db);
	return rc;
}

void db_import_rows_rollback(struct db *db)
{
	db_copy_abort(db);
	db_rollback(db);
	(void)db_patience(db, false);
}
