/* turn.c: see turn.h. */
#include "db/turn.h"

#include "db/exec.h"

#define TURN "hashtextextended($1 || $2::bigint, 7251664934)"

int db_turn_begin(struct db *db, const char *what, int64_t id)
{
	return db_run(db, "SELECT pg_advisory_lock(" TURN ")",
		ARGS(arg_text(what), arg_int(id)), NULL);
}

int db_turn_take(struct db *db, const char *what, int64_t id)
{
	return db_run(db, "SELECT pg_advisory_xact_lock(" TURN ")",
		ARGS(arg_text(what), arg_int(id)), NULL);
}

void db_turn_end(struct db *db, const char *what, int64_t id)
{
	(void)db_run(db, "SELECT pg_advisory_unlock(" TURN ")",
		ARGS(arg_text(what), arg_int(id)), NULL);
}
