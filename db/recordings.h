/*
 * recordings.h: the recording of a call's customer leg, from the bridge to the end of its
 * retention. It lies at Twilio; here is what is known about it.
 *
 * recordings.state is written by want_recordings() (birth, in the transaction that bridged the
 * call), take_due_recordings(), settle_recordings() and apply_recording() of 0006_calls.sql.
 */
#ifndef OMNIVOX_DB_RECORDINGS_H
#define OMNIVOX_DB_RECORDINGS_H

#include <stddef.h>

#include "db/conn.h"

struct db_recording {
	int64_t id, call_id, campaign_id, agent_id; /* agent 0: none */
	char state[DB_WORD_SIZE];
	bool pause_wanted;
	char provider_sid[DB_SID_SIZE], call_sid[DB_SID_SIZE];
	int channels, duration_s, error_code; /* 0, -1, 0: not known */
	char error_text[256];
	int64_t created_ms, started_ms, completed_ms, deleted_ms, delete_ms; /* 0: null */
};
int db_recording_get(struct db *db, int64_t id, struct db_recording *ret_row);
int db_recording_of_call(struct db *db, int64_t call_id, struct db_recording *ret_row);

/* Zero and NULL: all. */
struct db_recording_filter {
	int64_t campaign_id, agent_id, call_id;
	const char *state;
	int64_t from_ms, to_ms; /* created_at: from <= it < to */
	int64_t before;         /* ids below; 0: from the newest */
};
/* Newest first; one more row than `limit` tells of a next page. */
int db_recording_page(struct db *db, const struct db_recording_filter *filter,
	unsigned limit, struct db_recording **ret_rows, size_t *ret_count);

/* What must be done at Twilio now; each was noted as taken by `node`. */
struct db_recording_due {
	int64_t id, call_id;
	char op[DB_WORD_SIZE]; /* announce create find fetch pause resume delete; others: nothing */
	char call_sid[DB_SID_SIZE], recording_sid[DB_SID_SIZE],
		conference_sid[DB_SID_SIZE]; /* "": not known */
	char announcement_url[512];          /* the sound to announce it with; "": none */
};
int db_recording_due(struct db *db, const char *node, unsigned limit,
	struct db_recording_due **ret_due, size_t *ret_count);

/* At start: this node's requests without an answer are looked for soon. */
int db_recording_doubt(struct db *db, const char *node);

/* What was heard of a recording. */
struct db_recording_news {
	int64_t id;
	char sid[DB_SID_SIZE]; /* "": not told */
	const char *status;    /* Twilio's word, or ours; see apply_recording() */
	bool certain;          /* Twilio's answer, not a webhook that may be late */
	int duration_s, channels, code; /* -1, 0, 0: not told */
	int64_t started_ms;             /* 0: not told */
	const char *text;               /* for people; "": none */
};
/* *ret_changed: into another state. Unknown ids change nothing. */
int db_recording_apply(
	struct db *db, const struct db_recording_news *news, bool *ret_changed);

/*
 * Pause or go on; due at once, a pause beside a request to go on after its answer. -ENOENT: the
 * call has no recording; -EINVAL: it is over. `ret_row` tells whether there is anything
 * to do: state and pause_wanted.
 */
int db_recording_pause(
	struct db *db, int64_t call_id, bool pause, struct db_recording *ret_row);

/* Due to be deleted now. -EBUSY: it is still being made. */
int db_recording_remove(struct db *db, int64_t id);

/* What the announcement of a recording says; "" when there is no text. */
#define DB_ANNOUNCEMENT_SIZE 512
int db_recording_announcement(
	struct db *db, int64_t id, char ret_text[DB_ANNOUNCEMENT_SIZE]);
/*
 * The recording whose announcement plays in this agent session's conference, if it is the one that
 * is meant (0: nobody knows which); -ENOENT.
 */
int db_recording_announcing(
	struct db *db, int64_t session_id, int64_t meant_id, int64_t *ret_id);

/* RECORDING_DAYS: of recordings that begin from now on. */
int db_recording_keep(struct db *db, int days);

#endif
