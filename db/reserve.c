/* reserve.c: agents for customers who are on the line already. See reserve.h. */
#include "db/reserve.h"

#include <errno.h>

#include "db/exec.h"

static void read_reserved(struct db_row *row, void *item)
{
	struct db_reserved *r = item;

	r->call_id = row_int(row);
	r->session_id = row_int(row);
	row_text(row, r->conference, sizeof(r->conference));
	row_text(row, r->label, sizeof(r->label));
	row_text(row, r->number, sizeof(r->number));
}

static const struct db_reader reader = {sizeof(struct db_reserved), read_reserved};

int db_call_reserve(struct db *db, int64_t call_id, const char *provider_sid,
	const char *install, struct db_reserved *ret_reserved)
{
	return db_run_item(db,
		"SELECT $1::bigint, session_id, conference, label, number"
		" FROM reserve_agent($1, $2, $3)",
		ARGS(arg_int(call_id), arg_text(provider_sid), arg_text(install)),
		&reader, ret_reserved);
}

int db_call_inbound(struct db *db, const char *provider_sid, const char *from,
	const char *to, const char *node, const char *install, int64_t *ret_call_id)
{
	int64_t id = 0;
	int rc = db_run_number(db, "SELECT inbound_call($1, $2, $3, $4::uuid, $5)",
		ARGS(arg_text(provider_sid), arg_text(from), arg_text(to), arg_text(node),
			arg_text(install)),
		&id);

	if (rc < 0)
		return rc;
	*ret_call_id = id;
	return id == 0 ? -ENOENT : 0;
}

int db_call_of_leg(struct db *db, const char *provider_sid, int64_t call_id,
	int64_t entry_id, struct db_reserved *ret_reserved)
{
	return db_run_item(db,
		"WITH c AS MATERIALIZED (SELECT c.id, c.agent_session_id, c.conference, c.number,"
		"  l.id AS leg, l.label, l.provider_sid FROM open_calls o JOIN calls c ON c.id = o.call_id"
		"  JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'"
		"  WHERE c.conference <> '' AND (l.provider_sid = $1"
		"   OR l.provider_sid IS NULL AND (c.id = $2 OR c.entry_id = $3))"
		"  ORDER BY l.provider_sid IS NULL LIMIT 1 FOR UPDATE OF l),"
		" u AS (UPDATE call_legs l SET provider_sid = $1 FROM c"
		"  WHERE l.id = c.leg AND l.provider_sid IS NULL)"
		" SELECT c.id, c.agent_session_id, c.conference, c.label, c.number FROM c",
		ARGS(arg_text(provider_sid), arg_id(call_id), arg_id(entry_id)), &reader,
		ret_reserved);
}
