/*
 * afterwork.h: what is written down about a request that changes something before its answer is
 * sent: the answer itself for its Idempotency-Key, and who did it for the audit log.
 *
 * A handler may defer its answer to another thread, and that thread may be faster than the
 * handler returns. So the afterwork of a request is kept here, by the request's id, from before
 * the handler runs until somebody answers.
 */
#ifndef OMNIVOX_GATEWAY_AFTERWORK_H
#define OMNIVOX_GATEWAY_AFTERWORK_H

#include "base/list.h"
#include "db/audit.h"
#include "gateway/api.h"
#include "gateway/routes.h"

struct afterwork;

struct after {
	struct list node; /* the keeper's */
	uint64_t request_id;
	int64_t kept_ms;
	int64_t idempotency_row; /* 0: none */
	struct db_audit audit;
};

int afterwork_new(struct afterwork **ret_afterwork);
void afterwork_free(struct afterwork **afterwork);

/* Notes who asks for what. NULL without memory, which is 503. */
struct after *after_new(const struct api_call *call, const struct api_route *route,
	int64_t idempotency_row);

/* Any thread. Takes the afterwork of a request, or gives it back: NULL when there is none. */
void afterwork_keep(struct afterwork *afterwork, struct after *after);
struct after *afterwork_take(struct afterwork *afterwork, uint64_t request_id);
/* Any thread. Whether it is still there: nobody has answered the request yet. */
bool afterwork_waits(struct afterwork *afterwork, uint64_t request_id);

/* Database worker. Writes down what a filled reply (with its rendered body) means. */
void after_write(struct db *db, struct after *after, const struct api_reply *reply,
	const char *body);

#endif
