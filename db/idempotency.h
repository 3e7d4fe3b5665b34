/*
 * idempotency.h: the first answer to each request that carried an Idempotency-Key.
 *
 * A row is open from before the request is executed until its answer is stored. A row that is
 * still open at its deadline is lost: the process died in between, nobody knows whether the
 * request took effect, and so it is never executed again under this key.
 */
#ifndef OMNIVOX_DB_IDEMPOTENCY_H
#define OMNIVOX_DB_IDEMPOTENCY_H

#include "db/conn.h"

enum db_idempotency_state {
	DB_IDEMPOTENCY_NEW,      /* the row is ours: execute, then finish or release it */
	DB_IDEMPOTENCY_DONE,     /* status and body are the first answer */
	DB_IDEMPOTENCY_OPEN,     /* somebody executes it just now */
	DB_IDEMPOTENCY_LOST,     /* executed or not, nobody knows */
	DB_IDEMPOTENCY_MISMATCH, /* the key was used for another request */
};

struct db_idempotency_request {
	const char *principal; /* who asks */
	const char *route;
	const char *key;
	unsigned char sha256[32]; /* of all that makes the request what it is */
	const char *node;
	unsigned deadline_s; /* until the row is lost */
	unsigned lives_s;    /* until the key may be used anew */
};

struct db_idempotency {
	enum db_idempotency_state state;
	int64_t id;
	int status;
	char *body; /* DONE: malloc, the caller's; NULL when it was not kept */
};

int db_idempotency_begin(struct db *db, const struct db_idempotency_request *request,
	struct db_idempotency *ret_found);

/* Stores the answer. `body` NULL: it must not be kept. -ENOENT: the row is not open. */
int db_idempotency_finish(struct db *db, int64_t id, int status, const char *body);

/* Nothing was done: the key may be used again. */
int db_idempotency_release(struct db *db, int64_t id);

/* At a node's start: what its last worker had open is lost. */
int db_idempotency_abandon(struct db *db, const char *node);

/* Removes rows whose time is over. */
int db_idempotency_sweep(struct db *db);

#endif
