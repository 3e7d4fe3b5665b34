/* afterwork.c: what is written down before an answer goes out. See afterwork.h. */
#include "gateway/afterwork.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "db/idempotency.h"
#include "gateway/audit.h"
#include "gateway/idempotency.h"

/* The HTTP server gives up after 30 s; whoever answers later than this never does. */
#define FORGET_MS 600000

/* Few at once: one for each worker, and one for each deferred answer. A list is quick enough. */
struct afterwork {
	pthread_mutex_t lock;
	struct list kept;
};

int afterwork_new(struct afterwork **ret_afterwork)
{
	struct afterwork *afterwork = calloc(1, sizeof(*afterwork));

	if (afterwork == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&afterwork->lock, NULL);
	list_init(&afterwork->kept);
	*ret_afterwork = afterwork;
	return 0;
}

void afterwork_free(struct afterwork **afterwork)
{
	struct list *node, *tmp;

	if (*afterwork == NULL)
		return;
	list_for_each(&(*afterwork)->kept, node, tmp)
		free(list_entry(node, struct after, node));
	(void)pthread_mutex_destroy(&(*afterwork)->lock);
	free(*afterwork);
	*afterwork = NULL;
}

struct after *after_new(const struct api_call *call, const struct api_route *route,
	int64_t idempotency_row)
{
	struct after *after = calloc(1, sizeof(*after));

	if (after == NULL)
		return NULL;
	after->request_id = call->request->id;
	after->idempotency_row = idempotency_row;
	audit_request(&after->audit, call, route);
	return after;
}

/* Under the lock. */
static void forget_old(struct afterwork *afterwork, int64_t now_ms)
{
	struct list *node, *tmp;

	list_for_each(&afterwork->kept, node, tmp)
	{
		struct after *after = list_entry(node, struct after, node);

		if (now_ms - after->kept_ms < FORGET_MS)
			return; /* the oldest stand first */
		list_remove(&after->node);
		free(after);
	}
}

void afterwork_keep(struct afterwork *afterwork, struct after *after)
{
	after->kept_ms = clock_mono_ms();
	(void)pthread_mutex_lock(&afterwork->lock);
	forget_old(afterwork, after->kept_ms);
	list_add_tail(&afterwork->kept, &after->node);
	(void)pthread_mutex_unlock(&afterwork->lock);
}

/* Under the lock. NULL: none. */
static struct after *find(struct afterwork *afterwork, uint64_t request_id)
{
	struct list *node, *tmp;

	list_for_each(&afterwork->kept, node, tmp)
	{
		struct after *after = list_entry(node, struct after, node);

		if (after->request_id == request_id)
			return after;
	}
	return NULL;
}

struct after *afterwork_take(struct afterwork *afterwork, uint64_t request_id)
{
	struct after *found;

	(void)pthread_mutex_lock(&afterwork->lock);
	found = find(afterwork, request_id);
	if (found != NULL)
		list_remove(&found->node);
	(void)pthread_mutex_unlock(&afterwork->lock);
	return found;
}

bool afterwork_waits(struct afterwork *afterwork, uint64_t request_id)
{
	bool waits;

	(void)pthread_mutex_lock(&afterwork->lock);
	waits = find(afterwork, request_id) != NULL;
	(void)pthread_mutex_unlock(&afterwork->lock);
	return waits;
}

static void settle_key(
	struct db *db, int64_t row, const struct api_reply *reply, const char *body)
{
	int err;

	if (row == 0 || idempotency_unknown(reply->status, reply->code))
		return;
	if (idempotency_nothing_done(reply->status, reply->code))
		err = db_idempotency_release(db, row);
	else
		err = db_idempotency_finish(
			db, row, reply->status, reply->secret ? NULL : body);
	if (err < 0)
		log_warn("api", 0, "an answer was not kept for its Idempotency-Key: %s",
			db_error(db));
}

void after_write(struct db *db, struct after *after, const struct api_reply *reply,
	const char *body)
{
	settle_key(db, after->idempotency_row, reply, body);
	if (reply->status < 200 || reply->status > 299)
		return;
	audit_result(&after->audit, reply);
	if (db_audit_add(db, &after->audit) < 0)
		log_warn("api", 0, "%s %s by %s is missing in the audit log: %s",
			after->audit.method, after->audit.route, after->audit.username,
			db_error(db));
}
