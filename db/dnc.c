/* dnc.c: numbers that must not be called. See dnc.h. */
#include "db/dnc.h"

#include <errno.h>

#include "db/exec.h"
#include "db/voided.h"

/* The claim holds this lock of a number from its facts to its commit; see claim.c. */
#define LOCK_NUMBER "pg_advisory_xact_lock(hashtextextended("
#define LOCK_SEED ", 7251664932))"

/* How many. */
static const char skip_sql[] =
	"WITH touched AS (UPDATE queue_entries q SET state = 'skipped', reason = 'dnc',"
	"  outcome = NULL, completed_at = now()," VOID_OWNER(
		"false") "  FROM contacts c WHERE c.phone = ANY ($1)"
			 "  AND q.contact_id = c.id AND q.state = 'pending'"
			 "  AND ($2::bigint IS NULL OR q.campaign_id = $2) RETURNING q.id, q.state)" VOID_PROMISES
			 " SELECT count(*) FROM touched";

/* A statement begun after the lock was got sees what the claim wrote that held it. */
static int lock_number(struct db *db, const char *number)
{
	return db_run(
		db, "SELECT " LOCK_NUMBER "$1" LOCK_SEED, ARGS(arg_text(number)), NULL);
}

static int insert(struct db *db, const struct db_dnc *dnc, const char *numbers,
	int64_t *ret_id, int64_t *ret_added)
{
	PGresult *result = NULL;
	int rc;

	rc = db_run(db,
		"INSERT INTO dnc_numbers (number, campaign_id, reason, source, added_by)"
		" SELECT DISTINCT n, $2::bigint, $3::text, $4::text, $5::bigint"
		" FROM unnest($1::text[]) n ON CONFLICT DO NOTHING RETURNING id",
		ARGS(arg_text(numbers), arg_id(dnc->campaign_id), arg_text(dnc->reason),
			arg_text(dnc->source), arg_id(dnc->added_by)),
		&result);
	if (rc == 0) {
		*ret_added = PQntuples(result);
		if (*ret_added > 0) {
			struct db_row row = db_row(result, 0);

			*ret_id = row_int(&row);
		}
	}
	PQclear(result);
	return rc;
}

int db_dnc_add(
	struct db *db, const struct db_dnc *dnc, int64_t *ret_id, int64_t *ret_skipped)
{
	int64_t id = 0, added = 0, skipped = 0;
	struct buf numbers = {0};
	int rc;

	array_text(&numbers, dnc->number);
	rc = array_end(&numbers);
	if (rc == 0)
		rc = db_begin(db);
	if (rc == 0)
		rc = lock_number(db, dnc->number);
	if (rc == 0)
		rc = insert(db, dnc, numbers.data, &id, &added);
	if (rc == 0 && added == 0)
		rc = -EEXIST;
	if (rc == 0)
		rc = db_run_number(db, skip_sql,
			ARGS(arg_text(numbers.data), arg_id(dnc->campaign_id)), &skipped);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	buf_free(&numbers);
	if (rc < 0)
		return rc;
	if (ret_id)
		*ret_id = id;
	if (ret_skipped)
		*ret_skipped = skipped;
	return 0;
}

int db_dnc_put(struct db *db, const struct db_dnc *dnc)
{
	int64_t id, added = 0, skipped;
	struct buf numbers = {0};
	int rc;

	array_text(&numbers, dnc->number);
	rc = array_end(&numbers);
	if (rc == 0)
		rc = lock_number(db, dnc->number);
	if (rc == 0)
		rc = insert(db, dnc, numbers.data, &id, &added);
	if (rc == 0 && added > 0)
		rc = db_run_number(db, skip_sql,
			ARGS(arg_text(numbers.data), arg_id(dnc->campaign_id)), &skipped);
	buf_free(&numbers);
	return rc;
}

int db_dnc_add_many(struct db *db, const struct db_dnc *like, const char *const *numbers,
	size_t count, int64_t *ret_added, int64_t *ret_skipped)
{
	int64_t id = 0, added = 0, skipped = 0;
	struct buf array = {0};
	int rc;

	for (size_t i = 0; i < count; i++)
		array_text(&array, numbers[i]);
	rc = array_end(&array);
	if (rc == 0)
		rc = db_begin(db);
	if (rc == 0)
		rc = db_patience(db, true);
	if (rc == 0)
		rc = insert(db, like, array.data, &id, &added);
	if (rc == 0)
		rc = db_run_number(db, skip_sql,
			ARGS(arg_text(array.data), arg_id(like->campaign_id)), &skipped);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	buf_free(&array);
	if (rc == 0) {
		*ret_added = added;
		*ret_skipped = skipped;
	}
	return rc;
}

int db_dnc_remove(struct db *db, int64_t id)
{
	return db_run_one(
		db, "DELETE FROM dnc_numbers WHERE id = $1", ARGS(arg_int(id)), NULL);
}

#define DNC_SELECT                                                                   \
	"SELECT d.id, d.number, d.campaign_id, d.reason, d.source, d.added_by, " MS( \
		"d.created_at") " FROM dnc_numbers d"

static void read_dnc(struct db_row *row, void *item)
{
	struct db_dnc *d = item;

	d->id = row_int(row);
	row_text(row, d->number, sizeof(d->number));
	d->campaign_id = row_int(row);
	row_text(row, d->reason, sizeof(d->reason));
	row_text(row, d->source, sizeof(d->source));
	d->added_by = row_int(row);
	d->created_ms = row_int(row);
}

static const struct db_reader dnc_reader = {sizeof(struct db_dnc), read_dnc};

int db_dnc_get(struct db *db, int64_t id, struct db_dnc *ret_dnc)
{
	return db_run_item(db, DNC_SELECT " WHERE d.id = $1", ARGS(arg_int(id)),
		&dnc_reader, ret_dnc);
}

int db_dnc_check(
	struct db *db, const char *number, int64_t campaign_id, struct db_dnc *ret_dnc)
{
	/* The wider ban first. */
	return db_run_item(db,
		DNC_SELECT " WHERE d.number = $1"
			   " AND (d.campaign_id IS NULL OR d.campaign_id = $2)"
			   " ORDER BY d.campaign_id NULLS FIRST LIMIT 1",
		ARGS(arg_text(number), arg_int(campaign_id)), &dnc_reader, ret_dnc);
}

int db_dnc_page(struct db *db, const char *search, int64_t before, unsigned limit,
	struct db_dnc **ret_rows, size_t *ret_count)
{
	static const char all[] = DNC_SELECT
		" WHERE d.id < $2 AND $1::text IS NULL ORDER BY d.id DESC LIMIT $3";
	static const char by_number[] =
		DNC_SELECT " WHERE d.id < $2 AND starts_with(d.number, $1)"
			   " ORDER BY d.id DESC LIMIT $3";
	static const char by_reason[] =
		DNC_SELECT " WHERE d.id < $2 AND strpos(lower(d.reason), lower($1)) > 0"
			   " ORDER BY d.id DESC LIMIT $3";
	const char *sql = search == NULL ? all : search[0] == '+' ? by_number : by_reason;

	return db_run_rows(db, sql,
		ARGS(arg_text(search), arg_int(before ? before : INT64_MAX),
			arg_int((int64_t)limit + 1)),
		&dnc_reader, (void **)ret_rows, ret_count);
}

static void read_counts(struct db_row *row, void *item)
{
	struct db_dnc_counts *counts = item;

	counts->total = row_int(row);
	counts->today = row_int(row);
}

int db_dnc_counts(struct db *db, struct db_dnc_counts *ret_counts)
{
	static const struct db_reader reader = {
		sizeof(struct db_dnc_counts), read_counts};

	return db_run_item(db,
		"SELECT count(*), count(*) FILTER (WHERE created_at > now() - interval '24 h')"
		" FROM dnc_numbers",
		NO_ARGS, &reader, ret_counts);
}
