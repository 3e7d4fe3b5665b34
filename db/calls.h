/*
 * calls.h: calls: the claim that makes one, the events that move it, the sweep that ends it.
 *
 * calls.state is written by the claim (birth) and by apply_call_events() in the database.
 */
#ifndef OMNIVOX_DB_CALLS_H
#define OMNIVOX_DB_CALLS_H

#include <stddef.h>

#include "db/conn.h"
#include "db/facts.h"

enum db_claim_result {
	DB_CLAIM_CALL, /* a call in state `placing`: POST it; `claimed` if ring_first */
	DB_CLAIM_NO_ENTRY, /* nothing is due; next_ms says when, 0: never; or it is `locked` */
	DB_CLAIM_NO_AGENT, /* nobody (or not that agent) is free */
	/* The verdict was no: rule, code, reason, next_ms. callback.owner: for another agent. */
	DB_CLAIM_REFUSED,
	DB_CLAIM_RATE,    /* calls per second used up; wait_ms */
	DB_CLAIM_STOPPED, /* the campaign does not run */
	DB_CLAIM_HELD, /* Twilio's answers stopped the account or caller id; `reason` */
};

/* A number that somebody dials by hand. */
struct db_dial {
	const char *number; /* E.164 */
	int64_t contact_id; /* 0: whoever has the number, or a new contact */
	const char *name;   /* of a new contact; "" */
	/* One call for each, however often it is asked for; NULL: none. */
	const char *correlation;
};

struct db_claim {
	int64_t campaign_id;
	int64_t entry_id; /* 0: the next one due (auto-dial), or that of `dial` */
	const struct db_dial *dial; /* NULL: an entry of the queue */
	int64_t session_id;         /* 0: any ready agent of the campaign */
	bool manual; /* Call Now: who is named will do paused or in wrap-up, too, if it can be reached */
	bool own_leg; /* the agent's browser has made this call's leg itself */
	const char *node, *install;
	unsigned deadline_ms; /* for `placing` */
	db_verdict_fn *verdict;
	void *arg;
};

struct db_claimed {
	enum db_claim_result result;
	char rule[32], code[DB_WORD_SIZE], reason[256];
	bool whole;  /* it was the campaign's matter, not this contact's */
	bool locked; /* all that is due is in somebody else's transaction */
	int64_t next_ms, wait_ms;
	int64_t call_id, entry_id, contact_id, session_id, agent_id, leg_id, campaign_id;
	int attempt;
	bool ring_first; /* the agent first: db_call_go() when it is there */
	char number[DB_NUMBER_SIZE], caller_id[DB_NUMBER_SIZE];
	char conference[64], label[64];
	int ring_timeout_s;
	char amd[DB_WORD_SIZE]; /* off detect hangup_machine */
};

/*
 * One transaction: locks the number, asks the verdict, takes a rate token, reserves the agent,
 * writes the call as `placing`. -ENOENT: no such campaign or entry (of a dial: the contact is not
 * the campaign's, or has another number); -EALREADY: the entry is not pending. A dial that makes
 * no call leaves nothing behind; -EEXIST: there is a call of its correlation.
 */
int db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed);

/* The call of a correlation, the correlation of a call ("" none), a number's open call; -ENOENT. */
int db_call_by_correlation(struct db *db, const char *correlation, int64_t *ret_call_id);
int db_call_correlation(
	struct db *db, int64_t call_id, char *ret_correlation, size_t size);
int db_call_open_with(struct db *db, const char *number, int64_t *ret_call_id);

/*
 * The agent that was rung for a `claimed` call is there: asks the verdict once more (its own call
 * apart, of whose attempt and place the claim has decided), takes a rate token for the customer
 * and makes the call `placing`, to be placed by `node`. Result CALL, RATE (try again in wait_ms),
 * REFUSED (rule, code, reason) or STOPPED: the campaign does not run any more; after these two the
 * caller tells the call `unsent`, and the entry waits for the code. -ENOENT: the call is not
 * `claimed` any more.
 */
struct db_go {
	int64_t call_id;
	const char *node;
	db_verdict_fn *manual, *automatic; /* by the call's mode */
	void *arg;
};
int db_call_go(struct db *db, const struct db_go *go, struct db_claimed *ret_claimed);

/* One thing that happened to a call. Texts are borrowed. */
struct db_call_event {
	int64_t call_id;
	const char *source; /* call, conference, rest, gateway */
	const char *source_sid;
	int64_t sequence;    /* -1: none */
	const char *event;   /* a word of the state table */
	int64_t at_ms;       /* wall */
	const char *leg_sid; /* NULL: not known */
	int duration_s;      /* -1: not told */
	int code;            /* 0: none */
	const char *detail;  /* for people; may be NULL */
};

/* What became of a call. */
struct db_call_change {
	int64_t call_id, campaign_id, entry_id, contact_id, session_id, agent_id;
	char old_state[DB_WORD_SIZE], state[DB_WORD_SIZE], outcome[DB_WORD_SIZE];
	char action[DB_WORD_SIZE]; /* "": nothing to do outside */
	char leg_sid[DB_SID_SIZE];
	char entry_state[DB_WORD_SIZE], session_state[DB_WORD_SIZE];
	char number[DB_NUMBER_SIZE];
	bool controls_due; /* it ended with a hold or mute that Twilio must be told the end of */
};

/*
 * Applies all in one statement and one commit; see 0002_call_life.sql. Unknown call ids are
 * ignored. Only changed calls, and those with an action waiting, come back.
 */
int db_call_events_apply(struct db *db, const struct db_call_event *events, size_t count,
	struct db_call_change **ret_changes, size_t *ret_count);

/* The calls of customers' legs by their labels: `ret_call_ids[i]` for `labels[i]`, 0 for none. */
int db_calls_by_label(
	struct db *db, const char *const *labels, size_t count, int64_t *ret_call_ids);

/* The call whose customer's leg has this SID at Twilio, or -ENOENT. */
int db_call_by_sid(struct db *db, const char *sid, int64_t *ret_call_id);

/* The action was done: exactly once is enough. */
int db_call_action_done(struct db *db, int64_t call_id);

/* What the sweeper must ask Twilio or do now. Each row's deadline was moved `again_ms` ahead. */
struct db_due {
	int64_t call_id, session_id;
	char state[DB_WORD_SIZE];
	char action[DB_WORD_SIZE]; /* waiting and due; "" else */
	char leg_sid[DB_SID_SIZE];
	char number[DB_NUMBER_SIZE], caller_id[DB_NUMBER_SIZE];
	char conference[64];
	int64_t placed_ms;
	bool mine; /* this node placed it */
};
int db_call_due(struct db *db, const char *node, unsigned again_ms, unsigned limit,
	struct db_due **ret_due, size_t *ret_count);

/*
 * Frees what no live call holds: reserved sessions past hold_until, wrap-ups that are over.
 * Returns the sessions that changed; contacts and entries whose call has ended are let go too.
 */
struct db_agent_session;
int db_sweep(struct db *db, const char *node, struct db_agent_session **ret_sessions,
	size_t *ret_count);

/* Whether Twilio has told that it dials: `initiated`. */
int db_call_dialled(struct db *db, int64_t call_id, bool *ret_dialled);

/* At start: this node's `placing` calls; their POST may or may not have left. */
int db_call_placing(
	struct db *db, const char *node, int64_t **ret_ids, size_t *ret_count);

/*
 * Everything still open at Twilio, for a look at it at start: makes all deadlines due. Calls whose
 * agent is rung first are not there yet.
 */
int db_call_expire_deadlines(struct db *db, const char *node);

/* Which of these SIDs belong to legs of ours. `ret_known[i]` for `sids[i]`. */
int db_sids_known(struct db *db, const char *const *sids, size_t count, bool *ret_known);

/* One call for people. */
struct db_call {
	int64_t id, campaign_id, contact_id, entry_id, agent_id, session_id;
	int attempt;
	char mode[DB_WORD_SIZE];
	char number[DB_NUMBER_SIZE], caller_id[DB_NUMBER_SIZE];
	char conference[64];
	char state[DB_WORD_SIZE], outcome[DB_WORD_SIZE];
	int error_code;
	char error_text[256];
	char verdict_rule[32];
	int verdict_version;
	char provider_sid[DB_SID_SIZE];
	int64_t placed_ms, ringing_ms, answered_ms, bridged_ms, ended_ms; /* 0: null */
	int duration_s;                                                   /* -1: null */
	bool was_ambiguous;
	char answered_by[32];           /* as AnsweredBy; "": not told */
	char direction[DB_WORD_SIZE];   /* outbound inbound */
	int64_t disposition_id;         /* 0: nothing was said yet */
	char disposition[DB_NAME_SIZE]; /* its name */
};
int db_call_get(struct db *db, int64_t call_id, struct db_call *ret_call);

/* Which calls; zero and NULL: all. */
struct db_call_filter {
	int64_t campaign_id, agent_id, contact_id, disposition_id;
	const char *number, *state, *outcome, *direction;
	bool open;              /* not ended */
	int64_t from_ms, to_ms; /* placed_at, wall: from <= it < to */
	int64_t before;         /* ids below; 0: from the newest */
};
/* Newest first; one more row than `limit` tells of a next page. */
int db_call_page(struct db *db, const struct db_call_filter *filter, unsigned limit,
	struct db_call **ret_calls, size_t *ret_count);

/* A call with the names of what it is about; at most `limit` rows. */
struct db_call_named {
	struct db_call call;
	char campaign[DB_NAME_SIZE], agent[64]; /* agent: its username */
	char first_name[64], last_name[64];     /* of the contact */
	char notes[2001];                       /* of the disposition */
};
int db_call_page_named(struct db *db, const struct db_call_filter *filter, unsigned limit,
	struct db_call_named **ret_calls, size_t *ret_count);

struct db_call_event_row {
	char source[DB_WORD_SIZE], event[DB_WORD_SIZE];
	int64_t sequence; /* -1: none */
	int64_t at_ms;
	char detail[256];
};
int db_call_history(struct db *db, int64_t call_id, struct db_call_event_row **ret_rows,
	size_t *ret_count);

/*
 * Deletes the events of at most `max` calls that ended more than `days` ago, if their recording is
 * not kept. Such a call takes no event any more: a webhook that comes then changes nothing.
 */
int db_call_events_forget(struct db *db, int days, int max, int64_t *ret_calls);

/* The customer's leg, and those of the agent in its conference while the call lasted. */
struct db_call_leg_row {
	char kind[DB_WORD_SIZE]; /* customer, agent */
	char provider_sid[DB_SID_SIZE], label[64];
	int64_t joined_ms, left_ms; /* 0: not yet */
};
int db_call_legs(struct db *db, int64_t call_id, struct db_call_leg_row **ret_rows,
	size_t *ret_count);

#endif
