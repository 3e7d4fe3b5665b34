/* api_keys.c: keys for programs. See api_keys.h. */
#include "db/api_keys.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

/* Of a key k joined with its user u. Roles are compared by rank: a demoted user's keys follow. */
#define RANK(role) "array_position(ARRAY['agent', 'supervisor', 'admin'], " role ")"
#define KEY_COLUMNS                                                               \
	"k.id, k.user_id, u.username, k.name,"                                    \
	" CASE WHEN " RANK("u.role") " < " RANK(                                  \
		"k.role") " THEN u.role ELSE k.role END,"                         \
			  " " MS("k.created_at") ", " MS("k.expires_at") ", " MS( \
				  "k.last_used_at")

struct found_key {
	struct db_api_key key;
	struct db_user user;
	char sha256_hex[65];
};

static void read_key(struct db_row *row, void *item)
{
	struct db_api_key *key = item;

	key->id = row_int(row);
	key->user_id = row_int(row);
	row_text(row, key->username, sizeof(key->username));
	row_text(row, key->name, sizeof(key->name));
	row_text(row, key->role, sizeof(key->role));
	key->created_ms = row_int(row);
	key->expires_ms = row_int(row);
	key->last_used_ms = row_int(row);
}

static const struct db_reader key_reader = {sizeof(struct db_api_key), read_key};

static void read_found(struct db_row *row, void *item)
{
	struct found_key *found = item;

	read_key(row, &found->key);
	row_text(row, found->sha256_hex, sizeof(found->sha256_hex));
	found->user.id = found->key.user_id;
	memcpy(found->user.username, found->key.username, sizeof(found->user.username));
	row_text(row, found->user.name, sizeof(found->user.name));
	memcpy(found->user.role, found->key.role, sizeof(found->user.role));
	found->user.active = true;
}

int db_api_key_create(struct db *db, const struct db_api_key *key,
	const unsigned char secret_sha256[32], int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO api_keys (user_id, name, role, secret_sha256, expires_at)"
		" VALUES ($1, $2, $3, $4, to_timestamp($5::bigint / 1000.0)) RETURNING id",
		ARGS(arg_int(key->user_id), arg_text(key->name), arg_text(key->role),
			arg_bytes(secret_sha256, 32), arg_id(key->expires_ms)),
		ret_id);
}

static unsigned char nibble(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

int db_api_key_find(struct db *db, int64_t id, struct db_api_key *ret_key,
	struct db_user *ret_user, unsigned char ret_sha256[32])
{
	static const struct db_reader reader = {sizeof(struct found_key), read_found};
	struct found_key found = {.key = {.id = 0}};
	int rc;

	rc = db_run_item(db,
		"SELECT " KEY_COLUMNS ", encode(k.secret_sha256, 'hex'), u.name"
		" FROM api_keys k JOIN users u ON u.id = k.user_id"
		" WHERE k.id = $1 AND k.revoked_at IS NULL AND u.active"
		" AND (k.expires_at IS NULL OR k.expires_at > now())",
		ARGS(arg_int(id)), &reader, &found);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < 32; i++)
		ret_sha256[i] = (unsigned char)(nibble(found.sha256_hex[2 * i]) << 4 |
						nibble(found.sha256_hex[2 * i + 1]));
	*ret_key = found.key;
	*ret_user = found.user;
	return 0;
}

int db_api_key_used(struct db *db, int64_t id)
{
	return db_run(db,
		"UPDATE api_keys SET last_used_at = now() WHERE id = $1"
		" AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
		ARGS(arg_int(id)), NULL);
}

int db_api_key_page(struct db *db, int64_t user_id, int64_t after, unsigned limit,
	struct db_api_key **ret_keys, size_t *ret_count)
{
	return db_run_rows(db,
		"SELECT " KEY_COLUMNS " FROM api_keys k JOIN users u ON u.id = k.user_id"
		" WHERE k.revoked_at IS NULL AND k.id > $2"
		" AND ($1::bigint IS NULL OR k.user_id = $1) ORDER BY k.id LIMIT $3::int + 1",
		ARGS(arg_id(user_id), arg_int(after), arg_int(limit)), &key_reader,
		(void **)ret_keys, ret_count);
}

int db_api_key_get(struct db *db, int64_t id, struct db_api_key *ret_key)
{
	return db_run_item(db,
		"SELECT " KEY_COLUMNS " FROM api_keys k JOIN users u ON u.id = k.user_id"
		" WHERE k.revoked_at IS NULL AND k.id = $1",
		ARGS(arg_int(id)), &key_reader, ret_key);
}

int db_api_key_revoke(struct db *db, int64_t id)
{
	return db_run_one(db,
		"UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL",
		ARGS(arg_int(id)), NULL);
}
