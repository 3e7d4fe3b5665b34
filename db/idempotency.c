/* idempotency.c: first answers. See idempotency.h. */
#include "db/idempotency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"

/* A new row, or an old one whose time is over; no row when the key is in use. */
static int take(
	struct db *db, const struct db_idempotency_request *request, int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO idempotency_keys AS i (principal, route, key, request_sha256,"
		" node_id, deadline_at, expires_at)"
		" VALUES ($1, $2, $3, $4, $5::uuid, now() + make_interval(secs => $6),"
		"  now() + make_interval(secs => $7))"
		" ON CONFLICT (principal, route, key) DO UPDATE SET"
		"  request_sha256 = EXCLUDED.request_sha256, node_id = EXCLUDED.node_id,"
		"  deadline_at = EXCLUDED.deadline_at, expires_at = EXCLUDED.expires_at,"
		"  status = NULL, body = NULL"
		" WHERE i.expires_at <= now() RETURNING i.id",
		ARGS(arg_text(request->principal), arg_text(request->route),
			arg_text(request->key), arg_bytes(request->sha256, 32),
			arg_text(request->node), arg_int(request->deadline_s),
			arg_int(request->lives_s)),
		ret_id);
}

static int look(struct db *db, const struct db_idempotency_request *request,
	struct db_idempotency *ret_found)
{
	PGresult *result = NULL;
	struct db_row row;
	bool same, late;
	int rc;

	rc = db_run_one(db,
		"SELECT id, request_sha256 = $4, deadline_at <= now(), status, body"
		" FROM idempotency_keys WHERE principal = $1 AND route = $2 AND key = $3",
		ARGS(arg_text(request->principal), arg_text(request->route),
			arg_text(request->key), arg_bytes(request->sha256, 32)),
		&result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	ret_found->id = row_int(&row);
	same = row_bool(&row);
	late = row_bool(&row);
	ret_found->status = (int)row_int(&row);
	ret_found->body = NULL;
	if (!same)
		ret_found->state = DB_IDEMPOTENCY_MISMATCH;
	else if (ret_found->status == 0)
		ret_found->state = late ? DB_IDEMPOTENCY_LOST : DB_IDEMPOTENCY_OPEN;
	else
		ret_found->state = DB_IDEMPOTENCY_DONE;
	if (ret_found->state == DB_IDEMPOTENCY_DONE && !PQgetisnull(result, 0, 4)) {
		ret_found->body = strdup(PQgetvalue(result, 0, 4));
		rc = ret_found->body == NULL ? -ENOMEM : 0;
	}
	PQclear(result);
	return rc;
}

int db_idempotency_begin(struct db *db, const struct db_idempotency_request *request,
	struct db_idempotency *ret_found)
{
	int rc = take(db, request, &ret_found->id);

	ret_found->state = DB_IDEMPOTENCY_NEW;
	if (rc != -ENOENT)
		return rc;
	rc = look(db, request, ret_found);
	/* Released between the two statements: to the asker it is a moment too early. */
	if (rc == -ENOENT) {
		ret_found->state = DB_IDEMPOTENCY_OPEN;
		return 0;
	}
	return rc;
}

int db_idempotency_finish(struct db *db, int64_t id, int status, const char *body)
{
	return db_run_one(db,
		"UPDATE idempotency_keys SET status = $2, body = $3"
		" WHERE id = $1 AND status IS NULL",
		ARGS(arg_int(id), arg_int(status), arg_text(body)), NULL);
}

int db_idempotency_release(struct db *db, int64_t id)
{
	return db_run(db, "DELETE FROM idempotency_keys WHERE id = $1 AND status IS NULL",
		ARGS(arg_int(id)), NULL);
}

int db_idempotency_abandon(struct db *db, const char *node)
{
	return db_run(db,
		"UPDATE idempotency_keys SET deadline_at = now()"
		" WHERE node_id = $1::uuid AND status IS NULL AND deadline_at > now()",
		ARGS(arg_text(node)), NULL);
}

int db_idempotency_sweep(struct db *db)
{
	return db_run(db, "DELETE FROM idempotency_keys WHERE expires_at <= now()",
		NO_ARGS, NULL);
}
