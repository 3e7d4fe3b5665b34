/* api_keys.h: keys for programs: made, found, listed, ended. */
#ifndef OMNIVOX_DB_API_KEYS_H
#define OMNIVOX_DB_API_KEYS_H

#include <stddef.h>

#include "db/users.h"

struct db_api_key {
	int64_t id, user_id;
	char username[64]; /* of the user it acts for; filled on reading */
	char name[DB_NAME_SIZE];
	char role[DB_WORD_SIZE]; /* the lower one of its own and the user's */
	int64_t created_ms, expires_ms, last_used_ms; /* 0: never */
};

/* Takes user, name, role and expires_ms. */
int db_api_key_create(struct db *db, const struct db_api_key *key,
	const unsigned char secret_sha256[32], int64_t *ret_id);

/*
 * The key, the user it acts for and the hash of its secret, which the caller compares. -ENOENT
 * when it is unknown, revoked or expired, or its user is not active.
 */
int db_api_key_find(struct db *db, int64_t id, struct db_api_key *ret_key,
	struct db_user *ret_user, unsigned char ret_sha256[32]);

/* Notes the use; writes at most once a minute. */
int db_api_key_used(struct db *db, int64_t id);

/*
 * Keys that are not revoked, from `after` on by id, of one user or (0) of all. One more row
 * than `limit` tells of a next page.
 */
int db_api_key_page(struct db *db, int64_t user_id, int64_t after, unsigned limit,
	struct db_api_key **ret_keys, size_t *ret_count);
int db_api_key_get(struct db *db, int64_t id, struct db_api_key *ret_key);

/* -ENOENT: there is none, or it was revoked before. */
int db_api_key_revoke(struct db *db, int64_t id);

#endif
