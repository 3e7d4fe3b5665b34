/*
 * callbacks.h: promises to call somebody back.
 *
 * A pending callback is an entry at the head of its campaign's queue from its time on, for its
 * owner alone until the grace is over (arm_callbacks() and sweep_callbacks(), 0006_calls.sql).
 */
#ifndef OMNIVOX_DB_CALLBACKS_H
#define OMNIVOX_DB_CALLBACKS_H

#include <stddef.h>

#include "db/conn.h"

struct db_callback {
	int64_t id, campaign_id, contact_id;
	int64_t agent_id;                                         /* 0: anybody */
	int64_t from_call_id, done_call_id, entry_id, created_by; /* 0: none */
	int64_t due_ms, created_ms, updated_ms;
	int grace_s;
	char note[501];
	char state[DB_WORD_SIZE]; /* pending done missed cancelled */
	char phone[DB_NUMBER_SIZE], first_name[64], last_name[64];
	char time_zone[64]; /* IANA, of the contact; "": not given */
};

/*
 * `ret_id` of the new one. -EEXIST: the contact has an open one in this campaign; -ENOENT: no
 * such campaign (any more), contact or agent, or the contact is neither on a list of the campaign
 * nor was it ever in its queue; -EPERM: its number must not be called by this campaign.
 */
int db_callback_create(
	struct db *db, const struct db_callback *callback, int64_t *ret_id);
int db_callback_get(struct db *db, int64_t id, struct db_callback *ret_row);
/* Writes due_ms, agent_id, grace_s and note; makes a missed one pending again. -EINVAL: it is over. */
int db_callback_update(struct db *db, const struct db_callback *callback);
/* -EINVAL: it is over already. */
int db_callback_cancel(struct db *db, int64_t id);

/* Zero and NULL: all. Times are of `due_ms`: from <= due < to. */
struct db_callback_filter {
	int64_t campaign_id, agent_id, contact_id;
	const char *state;
	int64_t from_ms, to_ms;
	int64_t after; /* ids above */
};
/* By id; one more row than `limit` tells of a next page. */
int db_callback_page(struct db *db, const struct db_callback_filter *filter,
	unsigned limit, struct db_callback **ret_rows, size_t *ret_count);

/* The time on the clocks of an IANA zone, "2026-01-31T18:30"; "" without a zone. */
struct db_local_time {
	int64_t wall_ms;
	const char *zone;
	char text[20];
};
int db_callback_local_times(struct db *db, struct db_local_time *times, size_t count);

/*
 * Lets go of what was kept for an agent, marks what was missed, queues what has no entry yet.
 * `ret_changed`: up to 100 of those that a call, a disposition or time has made or changed, each
 * once; free() it.
 */
int db_callback_sweep(struct db *db, int64_t **ret_changed, size_t *ret_count);

#endif
