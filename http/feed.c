/*
 * feed.c: one buffer between a producer and a connection.
 *
 * Two locks, taken in this order: the hub's, which guards the list, and each feed's own, which
 * guards the rest, so that a producer may outlive the server. A feed is freed by the last of
 * three: its producer, its response, its exchange.
 */
#include "http/feed.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "http/feeds.h"
#include "http/reply.h"

#define FEED_BLOCK (16 * 1024) /* bytes that one turn of a connection takes */

struct feeds {
	pthread_mutex_t lock;
	struct list all; /* whose response lives */
	bool stopping;
};

struct http_feed {
	struct list node;
	struct feeds *feeds; /* only for the response's end */
	pthread_mutex_t lock;
	unsigned owners;
	void (*room)(void *arg);
	void (*gone)(void *arg);
	void *arg;
	struct MHD_Connection *connection; /* NULL: not open, or gone */
	struct buf waiting;
	size_t at;   /* what is before it in `waiting` has been sent */
	bool full;   /* the producer waits for room() */
	bool closed; /* by the producer: nothing more comes */
	bool broken; /* and not the whole of it */
	bool left;   /* by the reader */
	bool suspended;
};

int feeds_new(struct feeds **ret_feeds)
{
	struct feeds *feeds = calloc(1, sizeof(*feeds));

	if (feeds == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&feeds->lock, NULL);
	list_init(&feeds->all);
	*ret_feeds = feeds;
	return 0;
}

void feeds_free(struct feeds **feeds)
{
	if (*feeds == NULL)
		return;
	assert(list_empty(&(*feeds)->all));
	free(*feeds);
	*feeds = NULL;
}

/* With the lock, which it gives back. */
static void let_go(struct http_feed *feed)
{
	bool last = --feed->owners == 0;

	(void)pthread_mutex_unlock(&feed->lock);
	if (!last)
		return;
	buf_free(&feed->waiting);
	free(feed);
}

/* Under the lock. */
static void wake(struct http_feed *feed)
{
	if (!feed->suspended)
		return;
	feed->suspended = false;
	MHD_resume_connection(feed->connection);
}

/* Under the lock. Nobody reads any more; the producer hears of it once. */
static void leave(struct http_feed *feed)
{
	if (feed->left)
		return;
	feed->left = true;
	buf_free(&feed->waiting);
	feed->at = 0;
	if (!feed->closed && feed->gone != NULL)
		feed->gone(feed->arg);
}

/* Under the lock. */
static size_t take(struct http_feed *feed, char *buf, size_t room)
{
	size_t len = feed->waiting.len - feed->at;

	if (len > room)
		len = room;
	if (len > 0)
		memcpy(buf, feed->waiting.data + feed->at, len);
	feed->at += len;
	if (feed->at == feed->waiting.len) {
		buf_reset(&feed->waiting);
		feed->at = 0;
	}
	if (feed->full && feed->waiting.len - feed->at <= FEED_LOW) {
		feed->full = false;
		if (!feed->closed && feed->room != NULL)
			feed->room(feed->arg);
	}
	return len;
}

/* MHD_ContentReaderCallback, http thread. */
static ssize_t read_feed(void *arg, uint64_t position, char *buf, size_t room)
{
	struct http_feed *feed = arg;
	ssize_t result;

	(void)position;
	(void)pthread_mutex_lock(&feed->lock);
	result = (ssize_t)take(feed, buf, room);
	if (result > 0)
		goto out;
	if (feed->broken)
		result = MHD_CONTENT_READER_END_WITH_ERROR;
	else if (feed->closed)
		result = MHD_CONTENT_READER_END_OF_STREAM;
	else {
		assert(!feed->suspended && feed->connection != NULL);
		feed->suspended = true;
		MHD_suspend_connection(feed->connection);
	}
out:
	(void)pthread_mutex_unlock(&feed->lock);
	return result;
}

/* MHD_ContentReaderFreeCallback: the response is no more. */
static void free_response(void *arg)
{
	struct http_feed *feed = arg;

	(void)pthread_mutex_lock(&feed->feeds->lock);
	list_remove(&feed->node);
	(void)pthread_mutex_unlock(&feed->feeds->lock);
	(void)pthread_mutex_lock(&feed->lock);
	leave(feed);
	let_go(feed);
}

void feed_begin(struct http_feed *feed, struct MHD_Connection *connection)
{
	(void)pthread_mutex_lock(&feed->lock);
	feed->connection = connection;
	feed->owners++;
	(void)pthread_mutex_unlock(&feed->lock);
}

void feed_end(struct http_feed *feed)
{
	(void)pthread_mutex_lock(&feed->lock);
	assert(!feed->suspended);
	feed->connection = NULL;
	leave(feed);
	let_go(feed);
}

void feeds_stop(struct feeds *feeds)
{
	struct list *node, *tmp;

	(void)pthread_mutex_lock(&feeds->lock);
	feeds->stopping = true;
	list_for_each(&feeds->all, node, tmp)
	{
		struct http_feed *feed = list_entry(node, struct http_feed, node);

		(void)pthread_mutex_lock(&feed->lock);
		feed->broken = !feed->closed || feed->broken;
		wake(feed);
		(void)pthread_mutex_unlock(&feed->lock);
	}
	(void)pthread_mutex_unlock(&feeds->lock);
}

static int make_response(const struct http_feed_config *config, struct http_feed *feed,
	struct MHD_Response **ret_response)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		config->length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)config->length,
		FEED_BLOCK, read_feed, feed, free_response);
	int err;

	if (response == NULL)
		return -ENOMEM;
	err = reply_secure(response);
	if (err == 0)
		err = reply_header(response, "Content-Type", config->content_type);
	for (size_t i = 0; i < config->header_count && err == 0; i++)
		err = reply_header(
			response, config->headers[i].name, config->headers[i].value);
	*ret_response = response;
	return err;
}

static struct http_feed *feed_new(
	struct feeds *feeds, const struct http_feed_config *config)
{
	struct http_feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return NULL;
	(void)pthread_mutex_init(&feed->lock, NULL);
	list_init(&feed->node);
	feed->feeds = feeds;
	feed->owners = 2; /* the producer and the response */
	feed->room = config->room;
	feed->gone = config->gone;
	feed->arg = config->arg;
	return feed;
}

int feed_answer(struct feeds *feeds, const struct http_feed_config *config,
	struct http_feed **ret_feed, struct answer *ret_answer)
{
	struct http_feed *feed = feed_new(feeds, config);
	struct MHD_Response *response = NULL;
	int err;

	if (feed == NULL)
		return -ENOMEM;
	err = make_response(config, feed, &response);
	if (err != 0) {
		feed->closed = true; /* nobody is told */
		if (response != NULL)
			MHD_destroy_response(response); /* which lets one owner go */
		else
			feed->owners--;
		(void)pthread_mutex_lock(&feed->lock);
		let_go(feed);
		return err;
	}
	(void)pthread_mutex_lock(&feeds->lock);
	list_add_tail(&feeds->all, &feed->node);
	feed->broken = feeds->stopping;
	(void)pthread_mutex_unlock(&feeds->lock);
	*ret_feed = feed;
	*ret_answer = (struct answer){
		.status = config->status, .response = response, .feed = feed};
	return 0;
}

/* Under the lock. What has been sent makes way once it is more than what has not. */
static void make_room(struct http_feed *feed)
{
	size_t left = feed->waiting.len - feed->at;

	if (feed->at <= left)
		return;
	memmove(feed->waiting.data, feed->waiting.data + feed->at, left);
	feed->waiting.len = left;
	feed->at = 0;
}

int http_feed_write(struct http_feed *feed, const void *data, size_t len)
{
	int result = 0;

	(void)pthread_mutex_lock(&feed->lock);
	assert(!feed->closed);
	if (feed->left || feed->broken) {
		result = -EPIPE;
		goto out;
	}
	make_room(feed);
	buf_add(&feed->waiting, data, len);
	if (feed->waiting.failed) {
		result = -ENOMEM;
		goto out;
	}
	feed->full = feed->waiting.len - feed->at >= FEED_FULL;
	result = feed->full ? 1 : 0;
	wake(feed);
out:
	(void)pthread_mutex_unlock(&feed->lock);
	return result;
}

void http_feed_close(struct http_feed **held, bool whole)
{
	struct http_feed *feed = *held;

	if (feed == NULL)
		return;
	*held = NULL;
	(void)pthread_mutex_lock(&feed->lock);
	feed->closed = true;
	feed->broken = feed->broken || !whole;
	wake(feed);
	let_go(feed);
}
