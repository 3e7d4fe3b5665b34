/*
 * dispositions.h: what a call can turn out to be, and what the agent says that it was.
 *
 * A disposition's rules are worked off by the database: at once when the call has ended, else
 * by its end (settle_dispositions(), 0006_calls.sql). Errors as in conn.h.
 */
#ifndef OMNIVOX_DB_DISPOSITIONS_H
#define OMNIVOX_DB_DISPOSITIONS_H

#include <stddef.h>

#include "db/conn.h"

#define DB_NOTES_SIZE 2001
#define DB_DISPOSITION_CAMPAIGNS 64 /* named for one disposition at most */

struct db_disposition {
	int64_t id;
	char name[DB_NAME_SIZE];
	char category[DB_WORD_SIZE]; /* positive neutral negative */
	int position;
	bool active;
	int retry_after_s; /* -1: not dialled again because of it */
	bool callback_required, dnc, final, notes_required;
	/* Campaigns that it is for; none: all. */
	int64_t campaigns[DB_DISPOSITION_CAMPAIGNS];
	size_t campaign_count;
};

/*
 * Those of one campaign that an agent may choose now (campaign_id > 0), or all there are; in
 * the order of `position`. agent_id > 0: those of all campaigns and of the agent's, which alone
 * are named.
 */
int db_disposition_list(struct db *db, int64_t campaign_id, int64_t agent_id,
	struct db_disposition **ret_rows, size_t *ret_count);
int db_disposition_get(struct db *db, int64_t id, struct db_disposition *ret_row);
/*
 * id 0: a new one. -EEXIST: the name is taken; -EINVAL: rules that contradict each other;
 * -ENOENT: no such disposition or campaign.
 */
int db_disposition_save(
	struct db *db, const struct db_disposition *disposition, int64_t *ret_id);
/* Away when no call has it, else only not to be chosen any more (*ret_kept). */
int db_disposition_remove(struct db *db, int64_t id, bool *ret_kept);

/* What is said about one call. */
struct db_dispose {
	int64_t call_id, disposition_id, user_id;
	bool staff; /* may change what was said before */
	const char *notes;
	int64_t callback_ms;    /* wall; 0: none */
	int64_t callback_agent; /* 0: anybody */
	int callback_grace_s;
	bool end_wrap_up; /* the agent is done with the call */
};

enum db_dispose_result {
	DB_DISPOSE_DONE,
	DB_DISPOSE_SAME,      /* said before: nothing happened again */
	DB_DISPOSE_OTHER,     /* another one was given, and this user may not change it */
	DB_DISPOSE_TOO_EARLY, /* the call was not answered and has not ended */
	DB_DISPOSE_NOT_HERE,  /* inactive, or not of the call's campaign */
	DB_DISPOSE_NO_NOTES,
	DB_DISPOSE_NO_TIME,    /* a callback needs its time */
	DB_DISPOSE_NO_CONTACT, /* nobody to call back: the contact was removed */
};

/*
 * One transaction: the answer, the number on the do-not-call list, the callback, what becomes of
 * the queue entry. `ret_session_id`: whose wrap-up ended by it, else 0. -ENOENT: no such call
 * or disposition.
 */
int db_call_dispose(struct db *db, const struct db_dispose *dispose,
	enum db_dispose_result *ret_result, int64_t *ret_session_id);

/* What was said about a call; -ENOENT: nothing yet. */
struct db_call_disposition {
	int64_t disposition_id, user_id, at_ms, callback_id; /* 0: none */
	char name[DB_NAME_SIZE];
	char notes[DB_NOTES_SIZE];
	bool applied; /* its rules are worked off */
};
int db_call_disposition_get(
	struct db *db, int64_t call_id, struct db_call_disposition *ret_row);

#endif
