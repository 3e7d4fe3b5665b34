/* idempotency.c: the header Idempotency-Key. See idempotency.h. */
#include "gateway/idempotency.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/idempotency.h"

#define KEY_MAX 128
#define LIVES_S (24 * 3600)
/* Longer than the 30 s after which the server gives 504, and than a worker's statements. */
#define DEADLINE_S 60

static bool key_is_visible(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;
	return len >= 1 && len <= KEY_MAX;
}

/* All that makes the request what it is; each part ended, so that none runs into the next. */
static int fingerprint(const struct http_request *request, unsigned char ret_hash[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		 EVP_DigestUpdate(ctx, request->path, strlen(request->path) + 1) &&
		 EVP_DigestUpdate(
			 ctx, request->query_text, strlen(request->query_text) + 1) &&
		 EVP_DigestUpdate(
			 ctx, request->content_type, strlen(request->content_type) + 1) &&
		 EVP_DigestUpdate(ctx, request->body, request->body_len) &&
		 EVP_DigestFinal_ex(ctx, ret_hash, NULL);

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -ENOMEM;
}

static int begin(struct api_call *call, const struct api_route *route,
	struct db_idempotency *ret_found)
{
	char principal[32], path[256];
	struct db_idempotency_request request = {
		.principal = principal,
		.route = path,
		.key = call->request->idempotency_key,
		.node = call->gw->node,
		.deadline_s = DEADLINE_S,
		.lives_s = LIVES_S,
	};
	int64_t who = api_principal(call);
	int err = fingerprint(call->request, request.sha256);

	if (err < 0)
		return err;
	(void)snprintf(principal, sizeof(principal), "%c%" PRId64, who < 0 ? 'k' : 'u',
		who < 0 ? -who : who);
	(void)snprintf(path, sizeof(path), "%s %s", api_method(call->request->method),
		route->http.path);
	return db_idempotency_begin(call->db, &request, ret_found);
}

static void answer(const struct db_idempotency *found, struct api_reply *reply)
{
	switch (found->state) {
	case DB_IDEMPOTENCY_OPEN:
		api_fail(reply, 409, "IDEMPOTENCY_IN_PROGRESS",
			"A request with this Idempotency-Key is being done just now. Ask again "
			"in a second for its answer.");
		reply->retry_after_s = 1;
		return;
	case DB_IDEMPOTENCY_LOST:
		api_fail(reply, 409, "IDEMPOTENCY_LOST",
			"The first request with this Idempotency-Key was interrupted. Look "
			"whether it took effect before you send it again with a new key.");
		return;
	case DB_IDEMPOTENCY_MISMATCH:
		api_fail(reply, 422, "IDEMPOTENCY_MISMATCH",
			"This Idempotency-Key was used for another request. Nothing was done; "
			"use a new key for a new request.");
		return;
	default:
		api_fail(reply, 409, "IDEMPOTENCY_SECRET",
			"This request was done already. Its answer had a secret in it that is "
			"shown once only; if it was lost, make a new one.");
	}
}

bool idempotency_begin(struct api_call *call, const struct api_route *route,
	struct api_reply *reply, int64_t *ret_row, char **ret_body)
{
	const char *key = call->request->idempotency_key;
	struct db_idempotency found = {.body = NULL};
	int err;

	*ret_row = 0;
	*ret_body = NULL;
	if (!route->once || !call->request->has_idempotency_key)
		return true;
	if (!key_is_visible(key)) {
		api_fail(reply, 400, "BAD_IDEMPOTENCY_KEY",
			"Idempotency-Key must be 1 to %d visible ASCII characters, such as a "
			"UUID.",
			KEY_MAX);
		return false;
	}
	err = begin(call, route, &found);
	if (err < 0) {
		api_fail_db(reply, err, "Idempotency-Key", call->db);
		return false;
	}
	if (found.state == DB_IDEMPOTENCY_NEW) {
		*ret_row = found.id;
		return true;
	}
	if (found.state == DB_IDEMPOTENCY_DONE && found.body != NULL) {
		reply->status = found.status;
		*ret_body = found.body;
	} else {
		answer(&found, reply);
	}
	return false;
}

bool idempotency_unknown(int status, const char *code)
{
	return status >= 500 && strcmp(code, "DATABASE_UNAVAILABLE") == 0;
}

bool idempotency_nothing_done(int status, const char *code)
{
	return status == 429 || (status == 503 && !idempotency_unknown(status, code));
}
