/*
 * queue.h: what people do with queue entries, and why entries are not being dialled.
 *
 * queue_entries.state is written by the claim, by apply_call_events(), and for entries that are
 * not in a call by the functions here, by db_dnc_*() and by the functions of callbacks.h.
 */
#ifndef OMNIVOX_DB_QUEUE_H
#define OMNIVOX_DB_QUEUE_H

#include <stddef.h>

#include "db/campaigns.h"
#include "db/facts.h"

/* Each: -ENOENT no such entry in the campaign; -EINVAL: not in this state. */

/* Takes a pending entry out of the queue; `reason` as in gateway/reason.h. */
int db_entry_skip(
	struct db *db, int64_t campaign_id, int64_t entry_id, const char *reason);
/*
 * A skipped or completed entry waits again, at once and with all its attempts. -EEXIST: the
 * contact has another one that is open.
 */
int db_entry_requeue(struct db *db, int64_t campaign_id, int64_t entry_id);
/* Of a pending entry; 1 is dialled first. */
int db_entry_priority(struct db *db, int64_t campaign_id, int64_t entry_id, int priority);

/* Borrowed for the call. `verdict` is asked inside the transaction, with `arg`. */
struct db_preview {
	int64_t campaign_id, user_id;
	int hold_s;
	db_verdict_fn *verdict;
	void *arg;
};

/*
 * The next entry that is due, for this agent alone for `hold_s` seconds; the one that it has
 * already, if any. One that the verdict refuses, not for the campaign's sake, is the agent's no more
 * and waits for its time, or is skipped: then *ret_entry_id is 0, and asked again another is looked
 * for. -ENOENT: nothing is due.
 */
int db_entry_preview(
	struct db *db, const struct db_preview *preview, int64_t *ret_entry_id);

/*
 * Entries of a campaign that wait for a moment that changed settings may have moved become due; the
 * next campaign of which this was not done yet. -ENOENT: there is none, or somebody is at it, here
 * or on another node, and will find what there is. May take minutes.
 */
int db_queue_recheck(struct db *db, int64_t *ret_campaign_id);

/* How many entries are where, and why. */
struct db_queue_reason {
	char state[DB_WORD_SIZE];
	char reason[DB_WORD_SIZE]; /* "": due; what holds it is the campaign's reason */
	int64_t count;
	int64_t earliest_ms; /* of pending ones when the first is due, or anybody's; 0: nobody knows */
};
int db_queue_reasons(struct db *db, int64_t campaign_id,
	struct db_queue_reason **ret_rows, size_t *ret_count);

/* The agents who could take its calls: assigned to it, or signed in for it. */
struct db_queue_agent {
	int64_t user_id;
	char name[DB_NAME_SIZE];
	char state[DB_WORD_SIZE]; /* "offline" without a session */
	char pause_reason[64];
	bool reachable;
	bool elsewhere; /* signed in for another campaign */
	int64_t since_ms;
};
int db_queue_agents(struct db *db, int64_t campaign_id, struct db_queue_agent **ret_rows,
	size_t *ret_count);

/* Auto-dial's calls whose request has not been answered yet. */
int db_campaign_placing(struct db *db, int64_t campaign_id, int64_t *ret_count);

/* What a campaign has used: today, by its own days, and ever. Open calls are not in the minutes. */
struct db_campaign_use {
	int64_t calls_today, minutes_today, calls_ever, minutes_ever;
};
int db_campaign_use(struct db *db, int64_t campaign_id, struct db_campaign_use *ret_use);

/* All campaigns that are not archived. */
struct db_campaign_totals {
	int64_t campaigns, draft, active, paused, completed;
	int64_t contacts, calls, completed_calls;
};
int db_campaign_totals(struct db *db, struct db_campaign_totals *ret_totals);

#endif
