/* data_lists.c: the lists that campaigns dial. See data_lists.h. */
#include "db/data_lists.h"

#include <errno.h>
#include <stdlib.h>

#include "db/exec.h"
#include "db/turn.h"

#define LIST_SELECT                                                                \
	"SELECT l.id, l.campaign_id, l.name, l.active, l.blend_weight, l.country," \
	" list_total(l.id), " MS("l.created_at") ", " MS(                          \
		"l.updated_at") ", c.caller_id"                                    \
				" FROM data_lists l LEFT JOIN campaigns c ON c.id = l.campaign_id"

static void read_list(struct db_row *row, void *item)
{
	struct db_list *list = item;

	list->id = row_int(row);
	list->campaign_id = row_int(row);
	row_text(row, list->name, sizeof(list->name));
	list->active = row_bool(row);
	list->blend_weight = (int)row_int(row);
	row_text(row, list->country, sizeof(list->country));
	list->contacts = row_int(row);
	list->created_ms = row_int(row);
	list->updated_ms = row_int(row);
	row_text(row, list->caller_id, sizeof(list->caller_id));
}

static const struct db_reader list_reader = {sizeof(struct db_list), read_list};

int db_list_create(struct db *db, const struct db_list *list, int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO data_lists (name, campaign_id, active, blend_weight, country)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING id",
		ARGS(arg_text(list->name), arg_id(list->campaign_id),
			arg_bool(list->active), arg_int(list->blend_weight),
			arg_text(list->country)),
		ret_id);
}

int db_list_all(struct db *db, struct db_list **ret_lists, size_t *ret_count)
{
	return db_run_rows(db, LIST_SELECT " ORDER BY l.id", NO_ARGS, &list_reader,
		(void **)ret_lists, ret_count);
}

int db_list_of_campaign(
	struct db *db, int64_t campaign_id, struct db_list **ret_lists, size_t *ret_count)
{
	return db_run_rows(db, LIST_SELECT " WHERE l.campaign_id = $1 ORDER BY l.id",
		ARGS(arg_int(campaign_id)), &list_reader, (void **)ret_lists, ret_count);
}

int db_list_get(struct db *db, int64_t id, struct db_list *ret_list)
{
	return db_run_item(db, LIST_SELECT " WHERE l.id = $1", ARGS(arg_int(id)),
		&list_reader, ret_list);
}

/*
 * Changes a list by `sql`, which returns whether it has become active or another campaign's: then
 * what waited for that waits no more.
 */
static int change(struct db *db, int64_t list_id, const char *sql,
	const struct db_arg *args, int count)
{
	int64_t woke = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_run_number(db, sql, args, count, &woke);
	if (rc == 0 && woke)
		rc = db_patience(db, true);
	if (rc == 0 && woke)
		rc = db_run(db,
			"UPDATE queue_entries q SET run_at = now(), reason = ''"
			" FROM contacts c WHERE c.list_id = $1 AND q.contact_id = c.id"
			" AND q.state = 'pending' AND q.reason = 'list'",
			ARGS(arg_int(list_id)), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	return rc;
}

#define WAS                                                                   \
	" FROM (SELECT id, active, campaign_id FROM data_lists WHERE id = $1" \
	"  FOR NO KEY UPDATE) w" /* contacts may come meanwhile */
#define WOKE                                        \
	" RETURNING (l.active AND (NOT w.active OR" \
	"  l.campaign_id IS DISTINCT FROM w.campaign_id))::int"

int db_list_update(struct db *db, const struct db_list *list)
{
	return change(db, list->id,
		"UPDATE data_lists l SET name = $2, campaign_id = $3, active = $4,"
		" blend_weight = $5, country = $6, updated_at = now()" WAS
		" WHERE l.id = w.id" WOKE,
		ARGS(arg_int(list->id), arg_text(list->name), arg_id(list->campaign_id),
			arg_bool(list->active), arg_int(list->blend_weight),
			arg_text(list->country)));
}

int db_list_assign(struct db *db, int64_t list_id, int64_t campaign_id, int blend_weight)
{
	return change(db, list_id,
		"UPDATE data_lists l SET campaign_id = c.id, active = true,"
		" blend_weight = coalesce($3, l.blend_weight), updated_at = now()" WAS
		", campaigns c WHERE l.id = w.id AND c.id = $2 AND c.archived_at IS NULL" WOKE,
		ARGS(arg_int(list_id), arg_int(campaign_id), arg_id(blend_weight)));
}

int db_list_in_call(struct db *db, int64_t id, bool *ret_in_call)
{
	int64_t count = 0;
	int rc = db_run_number(db,
		"SELECT count(*) FROM contacts WHERE list_id = $1 AND locked_by IS NOT NULL",
		ARGS(arg_int(id)), &count);

	if (rc == 0)
		*ret_in_call = count > 0;
	return rc;
}

/* ---- all contacts at once ---- */

/*
 * Inside a transaction: removes the contacts, none of which may be in a call. Claims that come
 * at the same time wait for the row, and find it gone.
 */
static int remove_contacts(struct db *db, int64_t list_id, int64_t *ret_removed)
{
	PGresult *result = NULL;
	int64_t left = 0;
	int rc;

	rc = db_run_one(db, "SELECT id FROM data_lists WHERE id = $1 FOR UPDATE",
		ARGS(arg_int(list_id)), NULL);
	if (rc == 0)
		rc = db_run(db,
			"DELETE FROM contacts WHERE list_id = $1 AND locked_by IS NULL",
			ARGS(arg_int(list_id)), &result);
	if (rc == 0)
		*ret_removed = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	if (rc == 0)
		rc = db_run_number(db,
			"SELECT count(*) FROM (SELECT FROM contacts WHERE list_id = $1 LIMIT 1) x",
			ARGS(arg_int(list_id)), &left);
	return rc == 0 && left > 0 ? -EBUSY : rc;
}

static int remove_all(struct db *db, int64_t id, bool with_list, int64_t *ret_contacts)
{
	int64_t removed = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_patience(db, true);
	if (rc == 0)
		rc = db_turn_take(db, DB_TURN_CONTACTS, id);
	if (rc == 0)
		rc = remove_contacts(db, id, &removed);
	if (rc == 0 && with_list)
		rc = db_run_one(db, "DELETE FROM data_lists WHERE id = $1",
			ARGS(arg_int(id)), NULL);
	if (rc == 0 && with_list)
		rc = db_run(db, "DELETE FROM list_counts WHERE list_id = $1",
			ARGS(arg_int(id)), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	if (rc == 0)
		*ret_contacts = removed;
	return rc;
}

int db_list_delete(struct db *db, int64_t id, int64_t *ret_contacts)
{
	return remove_all(db, id, true, ret_contacts);
}

int db_list_clear(struct db *db, int64_t id, int64_t *ret_contacts)
{
	return remove_all(db, id, false, ret_contacts);
}

int db_lists_fold(struct db *db)
{
	return db_run(db, "SELECT fold_list_counts()", NO_ARGS, NULL);
}

static int clone_contacts(struct db *db, int64_t from, int64_t to, int64_t *ret_contacts)
{
	PGresult *result = NULL;
	int rc = db_run(db,
		"INSERT INTO contacts (list_id, phone, first_name, last_name, email, country,"
		" time_zone, custom) SELECT $2, phone, first_name, last_name, email, country,"
		" time_zone, custom FROM contacts WHERE list_id = $1 ORDER BY id",
		ARGS(arg_int(from), arg_int(to)), &result);

	if (rc == 0)
		*ret_contacts = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return rc;
}

int db_list_clone(struct db *db, int64_t id, const char *name, bool with_contacts,
	int64_t *ret_id, int64_t *ret_contacts)
{
	int64_t copy = 0, contacts = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_patience(db, true);
	if (rc == 0)
		rc = db_run_number(db,
			"INSERT INTO data_lists (name, active, blend_weight, country)"
			" SELECT $2, false, blend_weight, country FROM data_lists WHERE id = $1"
			" RETURNING id",
			ARGS(arg_int(id), arg_text(name)), &copy);
	if (rc == 0 && with_contacts)
		rc = clone_contacts(db, id, copy, &contacts);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	if (rc == 0) {
		*ret_id = copy;
		*ret_contacts = contacts;
	}
	return rc;
}
