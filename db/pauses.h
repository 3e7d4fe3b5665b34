/*
 * pauses.h: why agents pause, when they did, and every state they were in with its reason: what
 * answers "how long was this agent idle, and why". Written by a trigger on agent_sessions.
 */
#ifndef OMNIVOX_DB_PAUSES_H
#define OMNIVOX_DB_PAUSES_H

#include <stddef.h>

#include "db/conn.h"

struct db_pause_reason {
	char type[DB_WORD_SIZE]; /* break, auto_dial_pause, preview_pause */
	char reason[64];
};

/* What an agent may say, in the order in which people are shown it. */
int db_pause_reasons(
	struct db *db, struct db_pause_reason **ret_reasons, size_t *ret_count);

/*
 * Whether `reason` may be said. `type` NULL: of the first type that has it, which comes back in
 * ret_reason. -ENOENT: it may not.
 */
int db_pause_reason_find(struct db *db, const char *type, const char *reason,
	struct db_pause_reason *ret_reason);

struct db_pause {
	int64_t id, session_id, campaign_id;
	char type[DB_WORD_SIZE]; /* also "system": a reason of our own */
	char reason[64], comment[256];
	int64_t started_ms, ended_ms; /* 0: it goes on */
};

struct db_agent_state {
	int64_t id, session_id, campaign_id, call_id;
	char state[DB_WORD_SIZE], reason[64];
	int64_t at_ms, until_ms; /* 0: it goes on; `offline` has no end */
};

/* What of an agent's history is wanted: newest first, ids below `before` (0: the newest). */
struct db_history {
	int64_t user_id, before;
	int64_t from_ms, to_ms; /* begun in this time; 0: no bound */
	unsigned limit;         /* one row more comes when there are more */
};
int db_pause_page(struct db *db, const struct db_history *history,
	struct db_pause **ret_rows, size_t *ret_count);
int db_agent_state_page(struct db *db, const struct db_history *history,
	struct db_agent_state **ret_rows, size_t *ret_count);

#endif
