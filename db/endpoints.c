/* endpoints.c: how an agent is reached. See endpoints.h. */
#include "db/endpoints.h"

#include "db/exec.h"

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
