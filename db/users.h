/* users.h: people, their web sessions, and agents' SIP accounts with their registrations. */
#ifndef OMNIVOX_DB_USERS_H
#define OMNIVOX_DB_USERS_H

#include <stddef.h>

#include "db/conn.h"
#include "db/endpoints.h"

struct db_user {
	int64_t id;
	char username[64];
	char name[DB_NAME_SIZE];
	char role[DB_WORD_SIZE]; /* admin, supervisor, agent */
	char password_hash[160];
	bool active;
	int64_t created_ms; /* filled on reading */
};

/* -EEXIST: the username is taken. `ret_id` may be NULL. */
int db_user_create(struct db *db, const struct db_user *user, int64_t *ret_id);
int db_user_by_name(struct db *db, const char *username, struct db_user *ret_user);
int db_user_get(struct db *db, int64_t id, struct db_user *ret_user);
int db_user_count(struct db *db, int64_t *ret_count);

struct db_user_filter {
	const char *role;   /* NULL: any */
	const char *search; /* part of name or username; NULL: any */
	int active;         /* 1 or 0; -1: any */
	int64_t after;
	unsigned limit;
};

/* By id. One more row than the limit tells of a next page. */
int db_user_page(struct db *db, const struct db_user_filter *filter,
	struct db_user **ret_users, size_t *ret_count);

/* What is to be changed; NULL and -1 leave it as it is. */
struct db_user_change {
	int64_t id;
	const char *name;
	const char *role;
	const char *password_hash; /* ends the user's web sessions but one */
	int active;                /* 0 also ends web sessions, keys and registration */
	bool end_keys;             /* revokes the user's API keys */
	int64_t keep_session;      /* id; 0: none */
};

/*
 * One transaction. -EPERM: it would leave no active admin. -EBUSY: an agent that is signed in
 * to a campaign must sign out before it gets another role. `*ret_agent_session` (0: none) is an
 * agent session that was touched: one without a call has ended, one with a call ends with it
 * (db_sweep).
 */
int db_user_update(
	struct db *db, const struct db_user_change *change, int64_t *ret_agent_session);

/* Web sessions: `token_sha256` is 32 bytes. */
int db_session_create(struct db *db, const unsigned char token_sha256[32],
	int64_t user_id, unsigned lives_s);
/* The active user of a session that has not expired, and the session's id. */
int db_session_user(struct db *db, const unsigned char token_sha256[32],
	struct db_user *ret_user, int64_t *ret_session_id);
int db_session_end(struct db *db, const unsigned char token_sha256[32]);

/*
 * What somebody was let in by: a web session's id, or the negative id of an API key. `staff`: as
 * more than an agent.
 */
struct db_grant {
	int64_t id;
	bool staff;
};

/*
 * Which of these are good no more: ended, expired, their user is not active, or whoever has them is
 * staff now and was not, or was and is not. In no order.
 */
int db_grants_ended(struct db *db, const struct db_grant *grants, size_t count,
	struct db_grant **ret_ended, size_t *ret_count);

/* What an agent may see: a campaign that it is on, a call that is its own. -ENOENT if not. */
int db_agent_on_campaign(struct db *db, int64_t user_id, int64_t campaign_id);
/* The campaign of an agent who is on one only; -ENOENT: on none, or on several. */
int db_agent_only_campaign(struct db *db, int64_t user_id, int64_t *ret_campaign_id);
int db_agent_has_call(struct db *db, int64_t user_id, int64_t call_id);

struct db_sip_account {
	int64_t user_id;
	char username[64];
	char ha1_md5[33];
	char ha1_sha256[65];
};

/*
 * The user with role agent, its SIP account and its endpoint (NULL: a nailed SIP phone), all or
 * nothing. -EEXIST: one of the names is taken; -EINVAL: the endpoint's number does not fit its
 * type. `ret_id` may be NULL.
 */
int db_agent_create(struct db *db, const struct db_user *user,
	const struct db_sip_account *account, const struct db_endpoint *endpoint,
	int64_t *ret_id);
/* Makes the account, or changes its secret; for a new registration card. */
int db_sip_account_update(struct db *db, const struct db_sip_account *account);
int db_sip_account_find(
	struct db *db, const char *username, struct db_sip_account *ret_account);

struct db_registration {
	int64_t user_id;
	char username[64]; /* the SIP account's; filled on reading */
	char contact[256];
	char source[64];
	char call_id[128];
	char user_agent[128];
	int64_t cseq;
	int64_t expires_s; /* from now; 0 removes */
};

/*
 * Binds, refreshes or removes (contact "*": all of the user). One phone per agent: the newest
 * binding replaces the others.
 */
int db_registration_put(
	struct db *db, const char *username, const struct db_registration *registration);
/* The live binding of a user. */
int db_registration_find(
	struct db *db, int64_t user_id, struct db_registration *ret_binding);

/* Agents with what a list needs, in order of id. */
struct db_agent {
	struct db_user user; /* password_hash empty */
	char sip_username[64];
	bool registered;
	char user_agent[128];
	int64_t session_id;       /* 0: signed out */
	char state[DB_WORD_SIZE]; /* "offline" when signed out */
	char pause_reason[64];
	int64_t state_since_ms;
	int64_t campaign_id, call_id;
	bool phone_up, twilio_up, wants_ready;
	struct db_endpoint endpoint;
};
int db_agent_list(struct db *db, struct db_agent **ret_agents, size_t *ret_count);
int db_agent_get(struct db *db, int64_t user_id, struct db_agent *ret_agent);

#endif
