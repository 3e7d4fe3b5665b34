/* turn.c: see turn.h. */
#include "db/turn.h"

#include "db/exec.h"

/* Two things of one id wait for each other, too: that is seldom, and short. */
#define TURN "hashtextextended($1::bigint::text, 7251664934)"

int db_turn_begin(struct db *db, int64_t id)
{
	return db_run(db, "SELECT pg_advisory_lock(" TURN ")", ARGS(arg_int(id)), NULL);
}

void db_turn_end(struct db *db, int64_t id)
{
	(void)db_run(db, "SELECT pg_advisory_unlock(" TURN ")", ARGS(arg_int(id)), NULL);
}
