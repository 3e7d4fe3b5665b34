/* listeners.c: ends streams whose listeners may listen no more. See listeners.h. */
#include "gateway/listeners.h"

#include <errno.h>
#include <stdlib.h>

#include "base/ticker.h"
#include "db/users.h"
#include "http/events.h"

#define LOOK_MS 2000
#define GRANTS_MAX 1024 /* more than connections */

struct listeners {
	struct gateway *gw;
	struct ticker *ticker;
	struct db_grant grants[GRANTS_MAX]; /* of the ticker's round: who listens now */
	size_t count;
};

/* ---- at once ---- */

static bool has_grant(void *arg, const struct http_listener *listener)
{
	return listener->grant == *(const int64_t *)arg;
}

void listeners_end_grant(struct gateway *gw, int64_t grant)
{
	http_events_end(gw->events, has_grant, &grant);
}

struct user_but {
	int64_t user_id, keep_grant;
};

static bool is_user(void *arg, const struct http_listener *listener)
{
	const struct user_but *but = arg;

	return listener->owner == but->user_id && listener->grant != but->keep_grant;
}

void listeners_end_user(struct gateway *gw, int64_t user_id, int64_t keep_grant)
{
	struct user_but but = {user_id, keep_grant};

	http_events_end(gw->events, is_user, &but);
}

/* ---- by looking ---- */

/* What it was let in by: who hears everything was staff then. */
static struct db_grant grant_of(const struct http_listener *listener)
{
	return (struct db_grant){.id = listener->grant, .staff = listener->hears == 0};
}

static bool came_by(void *arg, const struct http_listener *listener)
{
	const struct db_grant *grant = arg;

	return listener->grant == grant->id && grant_of(listener).staff == grant->staff;
}

static bool collect(void *arg, const struct http_listener *listener)
{
	struct listeners *listeners = arg;

	if (listeners->count < GRANTS_MAX)
		listeners->grants[listeners->count++] = grant_of(listener);
	return false;
}

static bool look_begin(void *arg)
{
	struct listeners *listeners = arg;

	listeners->count = 0;
	http_events_end(listeners->gw->events, collect, listeners);
	return listeners->count > 0;
}

static void look_work(void *arg, void *ctx)
{
	const struct listeners *listeners = arg;
	struct db_grant *ended = NULL;
	size_t count = 0;

	/* Without a database nobody is thrown out: it is asked again. */
	if (db_grants_ended(ctx, listeners->grants, listeners->count, &ended, &count) ==
		0)
		for (size_t i = 0; i < count; i++)
			http_events_end(listeners->gw->events, came_by, &ended[i]);
	free(ended);
}

int listeners_new(struct gateway *gw, struct listeners **ret_listeners)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));
	int err;

	if (listeners == NULL)
		return -ENOMEM;
	listeners->gw = gw;
	err = ticker_new(&(struct ticker_config){.timers = gw->timers,
				 .jobs = gw->db,
				 .first_ms = LOOK_MS,
				 .rest_ms = LOOK_MS,
				 .begin = look_begin,
				 .work = look_work,
				 .arg = listeners},
		&listeners->ticker);
	if (err < 0) {
		free(listeners);
		return err;
	}
	*ret_listeners = listeners;
	return 0;
}

void listeners_free(struct listeners **listeners)
{
	if (*listeners != NULL)
		ticker_free(&(*listeners)->ticker);
	free(*listeners);
	*listeners = NULL;
}
