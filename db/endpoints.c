/* endpoints.c: how an agent is reached. See endpoints.h. */
#include "db/endpoints.h"

#include "db/exec.h"

static void read_endpoint(struct db_row *row, void *item)
{
	struct db_endpoint *e = item;

	row_text(row, e->type, sizeof(e->type));
	row_text(row, e->number, sizeof(e->number));
	e->nailed = row_bool(row);
}

int db_endpoint_set(struct db *db, int64_t user_id, const struct db_endpoint *endpoint)
{
	return db_run_one(db,
		"INSERT INTO agent_endpoints AS e (user_id, type, number, nailed)"
		" SELECT u.id, $2, NULLIF($3, ''), $4 FROM users u"
		" WHERE u.id = $1 AND u.role = 'agent'"
		" ON CONFLICT (user_id) DO UPDATE SET type = EXCLUDED.type,"
		"  number = EXCLUDED.number, nailed = EXCLUDED.nailed, updated_at = now()"
		" RETURNING 1",
		ARGS(arg_int(user_id), arg_text(endpoint->type),
			arg_text(endpoint->number), arg_bool(endpoint->nailed)),
		NULL);
}

int db_endpoint_get(struct db *db, int64_t user_id, struct db_endpoint *ret_endpoint)
{
	static const struct db_reader reader = {
		sizeof(struct db_endpoint), read_endpoint};

	return db_run_item(db,
		"SELECT COALESCE(e.type, 'sip'), COALESCE(e.number, ''),"
		" COALESCE(e.nailed, true) FROM users u"
		" LEFT JOIN agent_endpoints e ON e.user_id = u.id WHERE u.id = $1",
		ARGS(arg_int(user_id)), &reader, ret_endpoint);
}
