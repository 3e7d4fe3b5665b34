/* numbers.h: the account's own numbers, as Twilio listed them: what a campaign may show as CLI. */
#ifndef OMNIVOX_DB_NUMBERS_H
#define OMNIVOX_DB_NUMBERS_H

#include <stddef.h>

#include "db/conn.h"

struct db_number {
	char number[DB_NUMBER_SIZE];
	char sid[DB_SID_SIZE];
	char kind
		[DB_WORD_SIZE]; /* incoming: rented; caller_id: verified, of somebody else */
	char friendly_name[65];
	int64_t seen_ms;
	int64_t campaigns; /* that show it and are not completed; on reading */
};

/*
 * The whole list as Twilio has it now: what is not in it counts as gone. A number in both kinds
 * is `incoming`.
 */
int db_numbers_sync(struct db *db, const struct db_number *numbers, size_t count);
/* The list could not be read: why, for people. What was known stays. */
int db_numbers_failed(struct db *db, const char *error);

/* Those that the account has, by number. */
int db_numbers_list(struct db *db, struct db_number **ret_numbers, size_t *ret_count);

struct db_number_state {
	int64_t synced_ms, tried_ms; /* 0: never */
	char error[256];             /* of the last try; "": it went well */
};
int db_numbers_state(struct db *db, struct db_number_state *ret_state);

/* Whether the account has the number; true as well while no list was ever read. */
int db_number_usable(struct db *db, const char *number, bool *ret_usable);

#endif
