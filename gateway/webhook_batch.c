/* webhook_batch.c: see webhook_batch.h. */
#include "gateway/webhook_batch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/batch.h"
#include "base/list.h"
#include "base/log.h"
#include "gateway/agent_webhook.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/webhook_request.h"

#define WAITING_MAX 4096 /* webhooks not yet written */

/* One parsed webhook on its way to the database. */
struct news_post {
	struct post post;
	struct http_request *request;
	struct webhook_news news;
};

static struct news_post *news_of(struct post *post)
{
	return list_entry(post, struct news_post, post);
}

static void news_free(struct news_post *told)
{
	http_request_free(&told->request);
	free(told);
}

static void news_drop(struct post *post)
{
	news_free(news_of(post));
}

static void news_done(struct gateway *gw, struct news_post *told, int err)
{
	webhook_reply(gw, told->request->id, err < 0 ? 503 : 204);
	if (err == 0)
		metrics_webhook_told(told->news.events[told->news.count - 1].at_ms);
	news_free(told);
}

/* Finds the calls of the labels among them, all at once; 0 for what is no customer's. */
static int find_calls(struct db *db, struct post **posts, size_t count)
{
	const char *labels[BATCH_MAX];
	int64_t call_ids[BATCH_MAX];
	size_t asked = 0, at = 0;
	int err;

	for (size_t i = 0; i < count; i++)
		if (news_of(posts[i])->news.label != NULL)
			labels[asked++] = news_of(posts[i])->news.label;
	if (asked == 0)
		return 0;
	err = db_calls_by_label(db, labels, asked, call_ids);
	for (size_t i = 0; err == 0 && i < count; i++)
		if (news_of(posts[i])->news.label != NULL)
			news_of(posts[i])->news.events[0].call_id = call_ids[at++];
	return err;
}

/*
 * What is no customer's is an agent's leg, or nobody's. More may follow from it than one statement
 * can do, so each goes to a worker of its own, and waits for no batch, nor any batch for it.
 * Returns how many of the posts are left.
 */
static size_t hand_on(struct gateway *gw, struct post **posts, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct news_post *told = news_of(posts[i]);

		if (told->news.events[0].call_id != 0) {
			posts[left++] = posts[i];
		} else if (agent_leg_conference(gw, told->request) < 0) {
			news_done(gw, told, -EAGAIN);
		} else {
			free(told); /* the request is another's now */
		}
	}
	return left;
}

/* Stores all or, on an error, none of what is left when agents' legs were handed on. */
static int store(struct gateway *gw, struct db *db, struct post **posts, size_t *count)
{
	struct db_call_event events[WEBHOOK_EVENTS_MAX * BATCH_MAX];
	size_t total = 0;
	int err = find_calls(db, posts, *count);

	if (err < 0)
		return err;
	*count = hand_on(gw, posts, *count);
	for (size_t i = 0; i < *count; i++) {
		const struct webhook_news *news = &news_of(posts[i])->news;

		for (size_t e = 0; e < news->count; e++)
			events[total++] = news->events[e];
	}
	return total == 0 ? 0 : calls_apply(gw, db, events, total);
}

static void write_batch(void *arg, void *ctx, struct post **posts, size_t count)
{
	struct gateway *gw = arg;
	int all = store(gw, ctx, posts, &count);

	if (all < 0)
		log_warn("webhook", 0, "%zu webhooks not stored: %s", count,
			db_error(ctx));
	/* One that the database chokes on must not hold up the others. */
	for (size_t i = 0; i < count; i++) {
		size_t one = 1;
		int err = all < 0 && count > 1 ? store(gw, ctx, &posts[i], &one) : all;

		if (one == 1)
			news_done(gw, news_of(posts[i]), err);
	}
}

int webhooks_new(struct gateway *gw)
{
	return batch_new(
		&(struct batch_config){
			.jobs = gw->db,
			.limit = WAITING_MAX,
			.most = BATCH_MAX,
			.gather_us = 1000,
			.work = write_batch,
			.arg = gw,
		},
		&gw->webhooks);
}

void webhooks_free(struct gateway *gw)
{
	batch_free(&gw->webhooks);
}

int webhook_batch_put(
	struct gateway *gw, struct http_request *request, const struct webhook_news *news)
{
	struct news_post *told = calloc(1, sizeof(*told));
	int err;

	if (told == NULL)
		return -EAGAIN;
	told->post.run = news_drop; /* only ever taken */
	told->post.drop = news_drop;
	told->request = request;
	told->news = *news;
	err = batch_put(gw->webhooks, &told->post);
	if (err < 0)
		free(told);
	return err;
}
