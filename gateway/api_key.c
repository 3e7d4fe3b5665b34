/* api_key.c: keys for programs: checking them, and their routes. See api_key.h. */
#include "gateway/api_key.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/api_keys.h"
#include "gateway/listeners.h"

#define SCHEME "Bearer "
#define SECRET_BYTES 32
#define PAGE_DEFAULT 50
#define PAGE_MAX 200

/* ---- checking ---- */

bool api_key_is_given(const struct http_request *request)
{
	return strncasecmp(request->authorization, SCHEME, strlen(SCHEME)) == 0;
}

/* Cuts "ovx_<id>_<secret>" in two. */
static int parse(const char *token, int64_t *ret_id, const char **ret_secret)
{
	char id[24];
	size_t len;

	if (strncmp(token, "ovx_", 4) != 0)
		return -EINVAL;
	token += 4;
	len = strspn(token, "0123456789");
	if (len == 0 || len >= sizeof(id) || token[len] != '_')
		return -EINVAL;
	memcpy(id, token, len);
	id[len] = '\0';
	*ret_secret = token + len + 1;
	return text_int(id, 1, INT64_MAX, ret_id);
}

int api_key_user(struct api_call *call)
{
	const char *token = call->request->authorization + strlen(SCHEME), *secret;
	unsigned char given[32], stored[32] = {0};
	struct db_api_key key = {.id = 0};
	struct db_user user = {.id = 0};
	int64_t id;
	int err;

	token += strspn(token, " ");
	if (parse(token, &id, &secret) < 0)
		return -EACCES;
	(void)SHA256((const unsigned char *)secret, strlen(secret), given);
	err = db_api_key_find(call->db, id, &key, &user, stored);
	if (err < 0 && err != -ENOENT)
		return err;
	/* Compared also when there is none: as long as for a wrong one. */
	if (text_differs(given, stored, sizeof(given)) != 0 || err == -ENOENT)
		return -EACCES;
	call->user = user;
	call->key_id = key.id;
	memcpy(call->key_name, key.name, sizeof(call->key_name));
	if (clock_wall_ms() - key.last_used_ms > 60000)
		(void)db_api_key_used(call->db, key.id);
	return 0;
}

/* ---- routes ---- */

static json_t *key_json(const struct db_api_key *key)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "id",
		api_id(key->id), "userId", api_id(key->user_id), "username",
		key->username, "name", key->name, "role", key->role, "createdAt",
		api_time(key->created_ms), "expiresAt", api_time(key->expires_ms),
		"lastUsedAt", api_time(key->last_used_ms));
}

static bool is_admin(const struct api_call *call)
{
	return strcmp(call->user.role, "admin") == 0;
}

void api_keys_list(struct api_call *call, struct api_reply *reply)
{
	int64_t after = api_query_int(call, "after", INT64_MAX, 0);
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_api_key *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (after < 0 || limit < 1) {
		api_fail(reply, 422, "VALIDATION",
			"after must be an id, limit a number from 1 to %d.", PAGE_MAX);
		return;
	}
	err = db_api_key_page(call->db, is_admin(call) ? 0 : call->user.id, after,
		(unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "API key", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(list, key_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "apiKeys", list, "nextCursor", next));
}

static int rank(const char *role)
{
	static const char *const roles[] = {"agent", "supervisor", "admin"};

	for (int i = 0; i < 3; i++)
		if (strcmp(role, roles[i]) == 0)
			return i;
	return -1;
}

static int read_new(
	struct api_call *call, struct api_reply *reply, struct db_api_key *key)
{
	static const char *const fields[] = {"name", "role", "expiresAt", NULL};

	memcpy(key->role, call->user.role, sizeof(key->role));
	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "name", true, key->name, sizeof(key->name)) <
			0 ||
		api_body_text(call, reply, "role", api_body_has(call, "role"), key->role,
			sizeof(key->role)) < 0 ||
		api_body_time(call, reply, "expiresAt", &key->expires_ms) < 0)
		return -EINVAL;
	if (rank(key->role) < 0) {
		api_fail_field(reply, "role", "role must be admin, supervisor or agent.");
		return -EINVAL;
	}
	if (rank(key->role) > rank(call->user.role)) {
		api_fail_field(reply, "role",
			"A key may not do more than who makes it: %s at most.",
			call->user.role);
		return -EINVAL;
	}
	if (key->expires_ms != 0 && key->expires_ms <= clock_wall_ms()) {
		api_fail_field(reply, "expiresAt", "expiresAt must be in the future.");
		return -EINVAL;
	}
	return 0;
}

void api_key_create(struct api_call *call, struct api_reply *reply)
{
	struct db_api_key key = {.user_id = call->user.id};
	char secret[2 * SECRET_BYTES + 1], token[API_KEY_SIZE];
	unsigned char hash[32];
	int err;

	if (read_new(call, reply, &key) < 0)
		return;
	(void)text_random(secret, SECRET_BYTES);
	(void)SHA256((const unsigned char *)secret, strlen(secret), hash);
	err = db_api_key_create(call->db, &key, hash, &key.id);
	if (err == 0)
		err = db_api_key_get(call->db, key.id, &key);
	if (err < 0) {
		api_fail_db(reply, err, "API key", call->db);
		goto out;
	}
	(void)snprintf(token, sizeof(token), "ovx_%" PRId64 "_%s", key.id, secret);
	reply->secret = true;
	api_ok(reply, 201,
		json_pack("{s:o, s:s}", "apiKey", key_json(&key), "key", token));
out:
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(token, sizeof(token));
}

void api_key_revoke(struct api_call *call, struct api_reply *reply)
{
	struct db_api_key key;
	int err = db_api_key_get(call->db, api_param_id(call, 0), &key);

	if (err == 0 && !is_admin(call) && key.user_id != call->user.id)
		err = -ENOENT;
	if (err == 0)
		err = db_api_key_revoke(call->db, key.id);
	if (err < 0) {
		api_fail_db(reply, err, "API key", call->db);
		return;
	}
	listeners_end_grant(call->gw, -key.id);
	api_ok(reply, 200, json_pack("{s:o}", "apiKey", key_json(&key)));
}
