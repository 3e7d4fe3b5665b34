/*
 * dnc.h: numbers that must not be called: by no campaign, or not by one.
 *
 * The claim reads this table for every call (facts.dnc). Numbers are E.164.
 */
#ifndef OMNIVOX_DB_DNC_H
#define OMNIVOX_DB_DNC_H

#include <stddef.h>

#include "db/conn.h"

#define DB_DNC_REASON_SIZE 256

struct db_dnc {
	int64_t id;
	char number[DB_NUMBER_SIZE];
	int64_t campaign_id; /* 0: the whole installation */
	char reason[DB_DNC_REASON_SIZE];
	char source[DB_WORD_SIZE]; /* operator, import, agent, caller */
	int64_t added_by;          /* user; 0: nobody who signed in */
	int64_t created_ms;
};

/*
 * Adds one number (id and created_ms are ignored) and skips its pending queue entries in the same
 * transaction; no call to it that is not placed yet will be. *ret_id and *ret_skipped may be
 * NULL. -EEXIST: it is there already; -EINVAL: no E.164 number; -ENOENT: no such campaign.
 */
int db_dnc_add(
	struct db *db, const struct db_dnc *dnc, int64_t *ret_id, int64_t *ret_skipped);

/* The same inside the caller's transaction; 0 when it is there already. */
int db_dnc_put(struct db *db, const struct db_dnc *dnc);

/* Many at once, all with the rest of `like`; those that are there already are left alone. */
int db_dnc_add_many(struct db *db, const struct db_dnc *like, const char *const *numbers,
	size_t count, int64_t *ret_added, int64_t *ret_skipped);

/* Skipped entries stay skipped. -ENOENT. */
int db_dnc_remove(struct db *db, int64_t id);

/* One by its id. -ENOENT. */
int db_dnc_get(struct db *db, int64_t id, struct db_dnc *ret_dnc);

/* What forbids this number in this campaign (0: in every one); -ENOENT: nothing. */
int db_dnc_check(
	struct db *db, const char *number, int64_t campaign_id, struct db_dnc *ret_dnc);

/*
 * Newest first, ids below `before` (0: from the newest), one more row than `limit` when there are
 * more. `search`: how the number begins, or a part of the reason; NULL: all.
 */
int db_dnc_page(struct db *db, const char *search, int64_t before, unsigned limit,
	struct db_dnc **ret_rows, size_t *ret_count);

struct db_dnc_counts {
	int64_t total, today; /* added in the last 24 hours */
};
int db_dnc_counts(struct db *db, struct db_dnc_counts *ret_counts);

#endif
