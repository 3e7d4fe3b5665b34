/* rate.c: the account's calls per second as they are. See rate_state.h. */
#include "db/rate_state.h"

#include "db/exec.h"

static void read_rate(struct db_row *row, void *item)
{
	struct db_rate *rate = item;

	rate->per_second = row_real(row);
	rate->most_per_second = row_real(row);
	rate->slow_calls = row_int(row);
	rate->changed_ms = row_int(row);
}

int db_rate_get(struct db *db, struct db_rate *ret_rate)
{
	static const struct db_reader reader = {sizeof(struct db_rate), read_rate};

	return db_run_item(db,
		"SELECT per_second, most_per_second, slow_calls, " MS(
			"changed_at") " FROM account_rate",
		NO_ARGS, &reader, ret_rate);
}

#define JUST_LOWERED                                 \
	"(changed_at > now() - interval '2 seconds'" \
	" AND per_second < most_per_second)"

int db_rate_lower(struct db *db)
{
	/* Calls that were placed together are slow together: that is one reason, not many. */
	return db_run(db,
		"UPDATE account_rate SET slow_calls = slow_calls + 1,"
		" per_second = CASE WHEN " JUST_LOWERED " THEN per_second ELSE"
		"  GREATEST(per_second / 2, LEAST(most_per_second, 0.1)) END,"
		" tokens = CASE WHEN " JUST_LOWERED
		" THEN tokens ELSE LEAST(tokens, 0) END,"
		" changed_at = CASE WHEN " JUST_LOWERED " THEN changed_at ELSE now() END",
		NO_ARGS, NULL);
}

int db_rate_recover(struct db *db)
{
	return db_run(db,
		"UPDATE account_rate SET changed_at = now(),"
		" per_second = LEAST(most_per_second, per_second + most_per_second / 20)"
		" WHERE per_second < most_per_second"
		" AND changed_at <= now() - interval '10 seconds'",
		NO_ARGS, NULL);
}
