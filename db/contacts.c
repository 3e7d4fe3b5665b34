/* contacts.c: contacts one by one and page by page. See contacts.h. */
#include "db/contacts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/contact_rows.h"
#include "db/entry_reason.h"

#define CONTACT_SELECT                                                               \
	"SELECT " CONTACT_COLUMNS ", c.country, c.time_zone, c.custom, c.import_id," \
	" " MS("c.created_at") " FROM contacts c"

void db_read_contact(struct db_row *row, struct db_contact *c)
{
	c->id = row_int(row);
	c->list_id = row_int(row);
	row_text(row, c->phone, sizeof(c->phone));
	row_text(row, c->first_name, sizeof(c->first_name));
	row_text(row, c->last_name, sizeof(c->last_name));
	row_text(row, c->email, sizeof(c->email));
	c->attempts = (int)row_int(row);
	row_text(row, c->last_outcome, sizeof(c->last_outcome));
	c->last_attempt_ms = row_int(row);
	c->locked_by = row_int(row);
}

static void read_full(struct db_row *row, void *item)
{
	struct db_contact_full *full = item;

	db_read_contact(row, &full->is);
	row_text(row, full->country, sizeof(full->country));
	row_text(row, full->time_zone, sizeof(full->time_zone));
	row_text(row, full->custom, sizeof(full->custom));
	full->import_id = row_int(row);
	full->created_ms = row_int(row);
}

static const struct db_reader reader = {sizeof(struct db_contact_full), read_full};

int db_contact_create(struct db *db, const struct db_contact_full *c, int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO contacts (list_id, phone, first_name, last_name, email, country,"
		" time_zone, custom) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
		ARGS(arg_int(c->is.list_id), arg_text(c->is.phone),
			arg_text(c->is.first_name), arg_text(c->is.last_name),
			arg_text(c->is.email), arg_text(c->country),
			arg_text(c->time_zone), arg_text(c->custom)),
		ret_id);
}

int db_contact_get(struct db *db, int64_t id, struct db_contact_full *ret_contact)
{
	return db_run_item(db, CONTACT_SELECT " WHERE id = $1", ARGS(arg_int(id)),
		&reader, ret_contact);
}

/* No row was touched: is there none, or is it in a call? */
static int absent_or_busy(struct db *db, int64_t id, int rc)
{
	int64_t found;

	if (rc != -ENOENT)
		return rc;
	rc = db_run_number(
		db, "SELECT id FROM contacts WHERE id = $1", ARGS(arg_int(id)), &found);
	return rc == 0 ? -EBUSY : rc;
}

/*
 * What waits for a moment that the number or its zone has told of becomes due: the claim asks anew.
 * A retry, or a promise, keeps its time. Who claims holds the entry and waits for the contact: what
 * is held is passed over.
 */
static const char update_sql[] =
	"WITH was AS (SELECT id, phone, time_zone FROM contacts WHERE id = $1"
	"  FOR NO KEY UPDATE),"
	" now_is AS (UPDATE contacts c SET phone = $2, first_name = $3, last_name = $4,"
	"  email = $5, country = $6, time_zone = $7,"
	"  custom = coalesce(nullif($8, '')::jsonb, c.custom)"
	"  FROM was WHERE c.id = was.id AND (c.locked_by IS NULL OR c.phone = $2)"
	"  RETURNING c.id, (c.phone, c.time_zone) <> (was.phone, was.time_zone) AS moved)"
	", woken AS (UPDATE queue_entries q SET run_at = now(), reason = ''"
	"  FROM (SELECT e.id FROM queue_entries e JOIN now_is n ON n.id = e.contact_id"
	"   WHERE n.moved AND e.state = 'pending' AND e.run_at > now()"
	"   AND e.reason" REASON_OF_FACTS
	" FOR UPDATE OF e SKIP LOCKED) w WHERE q.id = w.id)"
	" SELECT 1 FROM now_is";

int db_contact_update(struct db *db, const struct db_contact_full *c)
{
	int rc = db_run_one(db, update_sql,
		ARGS(arg_int(c->is.id), arg_text(c->is.phone), arg_text(c->is.first_name),
			arg_text(c->is.last_name), arg_text(c->is.email),
			arg_text(c->country), arg_text(c->time_zone),
			arg_text(c->custom)),
		NULL);

	return absent_or_busy(db, c->is.id, rc);
}

int db_contact_delete(struct db *db, int64_t id)
{
	int rc =
		db_run_one(db, "DELETE FROM contacts WHERE id = $1 AND locked_by IS NULL",
			ARGS(arg_int(id)), NULL);

	return absent_or_busy(db, id, rc);
}

/* ---- pages ---- */

#define PAGE " WHERE list_id = $1 AND id > $2"
#define PAGE_END " ORDER BY id LIMIT $3"
/* Between a prefix and the prefix with the last of all characters behind it. */
#define FROM_TO(column, from, to) \
	column " ~>=~ lower(" from ") AND " column " ~<~ lower(" to ")"
#define FIRST(from, to) "first_name <> '' AND " FROM_TO("lower(first_name)", from, to)
#define LAST(from, to) "last_name <> '' AND " FROM_TO("lower(last_name)", from, to)

/* What sorts behind everything that begins with `prefix`, byte by byte. */
static struct db_arg beyond(const char *prefix, char *text, size_t size)
{
	(void)snprintf(text, size, "%s\xf4\x8f\xbf\xbf", prefix == NULL ? "" : prefix);
	return arg_text(text);
}

int db_contact_page(struct db *db, const struct db_contact_query *q,
	struct db_contact_full **ret_contacts, size_t *ret_count)
{
	static const char all[] = CONTACT_SELECT PAGE PAGE_END;
	static const char by_phone[] =
		CONTACT_SELECT PAGE " AND phone ~>=~ $4 AND phone ~<~ $5" PAGE_END;
	static const char by_name[] = CONTACT_SELECT PAGE
		" AND ((" FIRST("$4", "$5") ") OR (" LAST("$4", "$5") "))" PAGE_END;
	static const char by_both[] = CONTACT_SELECT PAGE
		" AND " FIRST("$4", "$5") " AND " LAST("$6", "$7") PAGE_END;
	const char *from = q->phone != NULL  ? q->phone
			   : q->name != NULL ? q->name
					     : q->first;
	char to[192], last_to[192];
	const struct db_arg args[] = {arg_int(q->list_id), arg_int(q->after),
		arg_int((int64_t)q->limit + 1), arg_text(from),
		beyond(from, to, sizeof(to)), arg_text(q->last),
		beyond(q->last, last_to, sizeof(last_to))};

	if (from == NULL)
		return db_run_rows(
			db, all, args, 3, &reader, (void **)ret_contacts, ret_count);
	return db_run_rows(db,
		q->phone != NULL  ? by_phone
		: q->name != NULL ? by_name
				  : by_both,
		args, q->phone == NULL && q->name == NULL ? 7 : 5, &reader,
		(void **)ret_contacts, ret_count);
}
