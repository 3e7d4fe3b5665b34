/* audit.c: who changed what. See audit.h. */
#include "db/audit.h"

#include "db/exec.h"

int db_audit_add(struct db *db, const struct db_audit *entry)
{
	return db_run(db,
		"INSERT INTO audit_log (user_id, username, key_id, key_name, role, address,"
		" method, route, status, targets, fields)"
		" VALUES ($1, $2, $3, NULLIF($4, ''), $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb)",
		ARGS(arg_id(entry->user_id), arg_text(entry->username),
			arg_id(entry->key_id), arg_text(entry->key_name),
			arg_text(entry->role), arg_text(entry->address),
			arg_text(entry->method), arg_text(entry->route),
			arg_int(entry->status), arg_text(entry->targets),
			arg_text(entry->fields)),
		NULL);
}

static void read_audit(struct db_row *row, void *item)
{
	struct db_audit *entry = item;

	entry->id = row_int(row);
	entry->at_ms = row_int(row);
	entry->user_id = row_int(row);
	row_text(row, entry->username, sizeof(entry->username));
	entry->key_id = row_int(row);
	row_text(row, entry->key_name, sizeof(entry->key_name));
	row_text(row, entry->role, sizeof(entry->role));
	row_text(row, entry->address, sizeof(entry->address));
	row_text(row, entry->method, sizeof(entry->method));
	row_text(row, entry->route, sizeof(entry->route));
	entry->status = (int)row_int(row);
	row_text(row, entry->targets, sizeof(entry->targets));
	row_text(row, entry->fields, sizeof(entry->fields));
}

int db_audit_page(struct db *db, const struct db_audit_filter *filter,
	struct db_audit **ret_entries, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_audit), read_audit};

	return db_run_rows(db,
		"SELECT id, " MS(
			"at") ", user_id, username, key_id, key_name, role, address,"
			      " method, route, status, targets, fields FROM audit_log"
			      " WHERE ($1::bigint IS NULL OR user_id = $1)"
			      " AND ($2::bigint IS NULL OR key_id = $2)"
			      " AND ($3::text IS NULL OR method = $3) AND ($4::text IS NULL OR route = $4)"
			      " AND ($5::bigint IS NULL OR at >= to_timestamp($5::bigint / 1000.0))"
			      " AND ($6::bigint IS NULL OR at < to_timestamp($6::bigint / 1000.0))"
			      " AND ($7::bigint IS NULL OR id < $7)"
			      " ORDER BY id DESC LIMIT $8::int + 1",
		ARGS(arg_id(filter->user_id), arg_id(filter->key_id),
			arg_text(filter->method), arg_text(filter->route),
			arg_id(filter->since_ms), arg_id(filter->until_ms),
			arg_id(filter->before), arg_int(filter->limit)),
		&reader, (void **)ret_entries, ret_count);
}
