/* nodes.c: the gateways of one database. See nodes.h. */
#include "db/nodes.h"

#include <stdlib.h>

#include "db/exec.h"

static void read_census(struct db_row *row, void *item)
{
	struct db_census *census = item;
	char value[32];

	row_text(row, census->kind, sizeof(census->kind));
	row_text(row, census->word, sizeof(census->word));
	row_text(row, value, sizeof(value));
	census->value = strtod(value, NULL);
}

int db_census(struct db *db, struct db_census **ret_rows, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_census), read_census};

	return db_run_rows(db,
		"SELECT 'call', state, count(*)::float8 FROM calls WHERE state <> 'ended'"
		" GROUP BY state"
		" UNION ALL SELECT 'agent', state, count(*) FROM agent_sessions"
		"  WHERE ended_at IS NULL GROUP BY state"
		" UNION ALL SELECT 'registration', '', count(*) FROM registrations"
		"  WHERE expires_at > now()"
		" UNION ALL SELECT 'tokens', '', LEAST(GREATEST(1, per_second), tokens"
		"  + per_second * GREATEST(0, extract(epoch FROM now() - filled_at)))"
		"  FROM account_rate",
		NO_ARGS, &reader, (void **)ret_rows, ret_count);
}
