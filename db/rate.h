/*
 * rate.h: the account's calls per second, one bucket for all nodes: POST Calls and POST
 * Participants take a token each, whoever they ring. SQL for the files of db/ only.
 */
#ifndef OMNIVOX_DB_RATE_H
#define OMNIVOX_DB_RATE_H

/* Tokens that account_rate r holds at this moment. */
#define RATE_TOKENS                                                \
	"LEAST(GREATEST(1, r.per_second), r.tokens + r.per_second" \
	" * GREATEST(0, extract(epoch FROM clock_timestamp() - r.filled_at)))"

/* After "UPDATE account_rate r SET": takes one; touches no row when there is none. */
#define RATE_TAKE                                               \
	"tokens = " RATE_TOKENS " - 1,"                         \
	" filled_at = GREATEST(r.filled_at, clock_timestamp())" \
	" WHERE " RATE_TOKENS " >= 1"

/* Milliseconds until there will be one. */
#define RATE_WAIT_SQL                                                                   \
	"SELECT GREATEST(1, ceil((1 - " RATE_TOKENS ") / r.per_second * 1000))::bigint" \
	" FROM account_rate r"

#endif
