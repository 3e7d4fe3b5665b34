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
};

/* -EEXIST: the username is taken. `ret_id` may be NULL. */
int db_user_create(struct db *db, const struct db_user *user, int64_t *ret_id);
int db_user_by_name(struct db *db, const char *username, struct db_user *ret_user);
int db_user_count(struct db *db, int64_t *ret_count);

/* Web sessions: `token_sha256` is 32 bytes. */
int db_session_create(struct db *db, const unsigned char token_sha256[32],
	int64_t user_id, unsigned lives_s);
/* The active user of a session that has not expired. */
int db_session_user(
	struct db *db, const unsigned char token_sha256[32], struct db_user *ret_user);
int db_session_end(struct db *db, const unsigned char token_sha256[32]);

struct db_sip_account {
	int64_t user_id;
	char username[64];
	char ha1_md5[33];
	char ha1_sha256[65];
};

/* The user with role agent and its SIP account in one transaction. */
int db_agent_create(struct db *db, const struct db_user *user,
	const struct db_sip_account *account, int64_t *ret_id);
/* Changes the account's secret; for a new registration card. */
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
