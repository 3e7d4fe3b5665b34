/* campaigns.h: campaigns, their agents and queues. */
#ifndef OMNIVOX_DB_CAMPAIGNS_H
#define OMNIVOX_DB_CAMPAIGNS_H

#include <stddef.h>

#include "db/contacts.h"

#define DB_RETRY_KINDS 7
#define DB_HOURS_SIZE 512

/* What may be spent; 0: no limit. */
struct db_limits {
	int calls_day, minutes_day;
	double cost_day, cost, cost_per_minute;
};

struct db_campaign {
	int64_t id;
	char name[DB_NAME_SIZE];
	char description[512];
	char state[DB_WORD_SIZE];
	char dial_method[DB_WORD_SIZE];
	char caller_id[DB_NUMBER_SIZE];
	bool auto_dial;
	int priority, weight; /* 1 gets agents first; the share among equals */
	int batch_size, call_gap_ms, batch_gap_ms, ring_timeout_s, wrap_up_s, preview_s;
	int max_attempts, max_attempts_24h;
	int retry_after_s[DB_RETRY_KINDS],
		retry_max[DB_RETRY_KINDS]; /* by dialer/retry.h */
	char hours[DB_HOURS_SIZE];     /* as dialer/hours.h writes them; "": any time */
	char hours_zone[DB_WORD_SIZE]; /* contact or campaign */
	char time_zone[DB_ZONE_SIZE], fallback_zone[DB_ZONE_SIZE];
	bool record;
	char announcement_text[512], announcement_url[512];
	int recording_days;     /* 0: as the installation says */
	char amd[DB_WORD_SIZE]; /* off detect hangup_machine */
	char script[4096];
	struct db_limits limits;
	int64_t created_ms, updated_ms, archived_ms; /* 0: not archived */
	char run_code
		[DB_WORD_SIZE]; /* why the runner dials or does not; its node writes it */
	char run_reason[256];   /* the same for people */
	int64_t run_next_ms;    /* until when, as far as that is known; else 0 */
	/* Counted on reading. */
	int64_t pending, dialing, completed, skipped, agents;
};

/* `ret_id` of the new row; id and counts of `campaign` are ignored. */
int db_campaign_create(
	struct db *db, const struct db_campaign *campaign, int64_t *ret_id);
int db_campaign_get(struct db *db, int64_t id, struct db_campaign *ret_campaign);
/* Writes what people set, all but the state. An archived campaign is -ENOENT. */
int db_campaign_update(struct db *db, const struct db_campaign *campaign);
/* Hides it for good, completed, its history kept. -EBUSY: calls are open; -EALREADY. */
int db_campaign_archive(struct db *db, int64_t id);
/*
 * Draft to active, active to paused and back, any to completed, which is final; the present state
 * is harmless. -EINVAL: it cannot follow.
 */
int db_campaign_set_state(struct db *db, int64_t id, const char *state);
/* Those that are not archived, oldest first; of an agent (id not 0) those that it may see. */
int db_campaign_list(struct db *db, int64_t agent_id, struct db_campaign **ret_campaigns,
	size_t *ret_count);

/* -ENOENT: no such campaign or agent; nobody joins an archived one. Harmless when repeated. */
int db_campaign_join(struct db *db, int64_t campaign_id, int64_t user_id);
int db_campaign_leave(struct db *db, int64_t campaign_id, int64_t user_id);

/*
 * Auto-dial wanted or not. Starting makes a draft or paused campaign active and takes back what its
 * runner said; -EINVAL when it is completed, -EALREADY when it already was so.
 */
int db_campaign_auto_dial(struct db *db, int64_t id, bool wanted);

/*
 * The campaigns that this node shall run now: takes or renews the lease (lease_ms, database
 * clock) of every active campaign with auto_dial, not held by another living node. The counts
 * are left 0: nobody reads a long queue every second.
 */
int db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count);

/*
 * The runner's reason, for people on any node. `said`: when it said so, growing; two notes may be
 * written in either order, and the later one stands. What a node says that has lost the campaign
 * to another is not written.
 */
struct db_campaign_note {
	int64_t id;
	const char *node, *code, *reason;
	int64_t next_ms; /* when it may be otherwise; 0: nobody knows */
	int64_t said;
};
int db_campaign_note(struct db *db, const struct db_campaign_note *note);

/*
 * Entries for at most `max` contacts of the campaign's active lists that never had one. In steps
 * of some tenths of a second, each its own transaction; none is begun after `most_ms`. What was
 * made before an error stays, and a repetition adds the rest.
 */
struct db_generate {
	int64_t max;
	int most_ms;
	int64_t added;
	bool more; /* the time was over before `max` and the lists were */
};
int db_queue_generate(struct db *db, int64_t campaign_id, struct db_generate *generate);

struct db_entry {
	int64_t id, campaign_id;
	char state[DB_WORD_SIZE];
	char outcome[DB_WORD_SIZE];
	int priority, attempts, dials;
	int64_t run_at_ms, queued_ms, dialed_ms, completed_ms; /* 0: null */
	int64_t list_id;
	char list_name[DB_NAME_SIZE];
	struct db_contact contact;
	int64_t agent_id; /* of the last call, 0: none */
	char reason
		[DB_WORD_SIZE]; /* why it waits for run_at, or was skipped; "" when due */
	int64_t owner_id,
		owner_until_ms; /* for this agent alone, until then; 0: anybody's */
};

struct db_queue_stats {
	int64_t total, pending, dialing, completed, skipped;
};

/* Which entries; what is NULL or 0 does not matter. */
struct db_queue_query {
	int64_t campaign_id, after; /* by id from `after` on */
	unsigned limit;             /* one more row than it tells of a next page */
	const char *state, *reason; /* "" is a reason, too: entries that are due */
	int64_t list_id;
	int priority;
	bool due;           /* pending, and its time has come */
	const char *search; /* how the number begins, or a part of a name */
};
int db_queue_page(struct db *db, const struct db_queue_query *query,
	struct db_entry **ret_entries, size_t *ret_count);
int db_queue_stats(struct db *db, int64_t campaign_id, struct db_queue_stats *ret_stats);
int db_entry_get(
	struct db *db, int64_t campaign_id, int64_t entry_id, struct db_entry *ret_entry);

#endif
