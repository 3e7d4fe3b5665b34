/*
 * facts.h: what is known of a queue entry and its campaign when somebody wants to call: read in one
 * statement, by indexes alone, for the verdict that gateway hands in.
 */
#ifndef OMNIVOX_DB_FACTS_H
#define OMNIVOX_DB_FACTS_H

#include <stddef.h>

#include "db/campaigns.h"

enum db_dnc_scope { DB_DNC_NONE, DB_DNC_CAMPAIGN, DB_DNC_ALL };

struct db_claim_facts {
	/* The campaign and its rules. */
	bool campaign_active;
	int max_attempts;
	char hours[DB_HOURS_SIZE], hours_zone[DB_WORD_SIZE];
	char time_zone[DB_ZONE_SIZE], fallback_zone[DB_ZONE_SIZE];
	struct db_limits limits;
	/* What it has used of them, ended calls their minutes; open ones those that have begun. */
	int calls_today, minutes_today, minutes_ever, minutes_open;
	int64_t day_ends_ms;
	bool cli_usable;
	char stopped_countries[800]; /* ISO codes and blanks: db/stops.h */
	/* The entry and its contact. */
	int64_t entry_id;
	char number[DB_NUMBER_SIZE];
	char contact_zone[DB_ZONE_SIZE]; /* "": by the number */
	int attempts;
	int64_t run_at_ms, now_ms; /* database clock */
	bool number_busy;          /* a call to it is open */
	bool locked;               /* the contact is in a call, or not let go yet */
	bool list_active;          /* and no other campaign's by now */
	enum db_dnc_scope dnc;
	int64_t attempts_free_ms; /* all attempts of 24 hours are made, until then; 0: not so */
};

struct db_claim_verdict {
	bool allowed;
	bool later;      /* refused now, but the entry stays pending */
	bool whole;      /* the campaign's matter: the entry is left alone */
	int64_t next_ms; /* when it may be otherwise; 0: nobody knows */
	const char *rule, *code, *reason; /* static storage */
	int version;
};

/* How gateway joins the claim with dialer/permission.h. Pure; on the caller's thread. */
typedef struct db_claim_verdict db_verdict_fn(
	void *arg, const struct db_claim_facts *facts);

/* One entry's facts, with a fresh snapshot. -ENOENT. */
int db_facts_read(struct db *db, int64_t campaign_id, int64_t entry_id,
	struct db_claim_facts *ret_facts);

/*
 * Asks the verdict about the next entries that are due, at most `limit`, and lets those that are
 * refused wait for their time, or skips them, in one transaction. So a list that may not be
 * called at this hour costs no claim for each of its contacts. *ret_refused: how many.
 */
int db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused);

/* The same for one entry that claim or preview has locked and the verdict refused. */
int db_entry_refuse(
	struct db *db, int64_t entry_id, const struct db_claim_verdict *verdict);

/*
 * Inside the claim's transaction, which has met a contact that somebody else holds: of the next
 * entries that are due, at most `limit`, those whose contacts are held as well wait with it. So a
 * list that is written or deleted as a whole costs no claim for each of its contacts.
 */
int db_queue_pass_held(struct db *db, int64_t campaign_id, unsigned limit);

#endif
