/* post.c: a bounded queue from any thread to one reader. See post.h. */
#include "base/post.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct post_queue {
	pthread_mutex_t lock;
	struct post *first, *last;
	size_t count, limit;
	int fd;
};

int post_queue_new(size_t limit, struct post_queue **ret_queue)
{
	struct post_queue *queue = calloc(1, sizeof(*queue));
	int err;

	if (queue == NULL)
		return -ENOMEM;
	queue->limit = limit;
	queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->fd < 0) {
		err = -errno;
		free(queue);
		return err;
	}
	(void)pthread_mutex_init(&queue->lock, NULL);
	*ret_queue = queue;
	return 0;
}

void post_queue_free(struct post_queue **queue)
{
	struct post *post;

	if (*queue == NULL)
		return;
	while ((post = (*queue)->first) != NULL) {
		(*queue)->first = post->next;
		if (post->drop != NULL)
			post->drop(post);
	}
	(void)close((*queue)->fd);
	(void)pthread_mutex_destroy(&(*queue)->lock);
	free(*queue);
	*queue = NULL;
}

static int put(struct post_queue *queue, struct post *post, size_t limit)
{
	static const uint64_t one = 1;
	bool wake;

	post->next = NULL;
	(void)pthread_mutex_lock(&queue->lock);
	if (queue->count >= limit) {
		(void)pthread_mutex_unlock(&queue->lock);
		return -EAGAIN;
	}
	wake = queue->first == NULL;
	if (wake)
		queue->first = post;
	else
		queue->last->next = post;
	queue->last = post;
	queue->count++;
	(void)pthread_mutex_unlock(&queue->lock);
	/* The reader empties the counter before it takes posts: one write wakes it for all. */
	if (wake && write(queue->fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
	return 0;
}

int post_queue_put(struct post_queue *queue, struct post *post)
{
	return put(queue, post, queue->limit);
}

void post_queue_answer(struct post_queue *queue, struct post *post)
{
	int err = put(queue, post, SIZE_MAX);

	assert(err == 0);
	(void)err;
}

int post_queue_fd(const struct post_queue *queue)
{
	return queue->fd;
}

size_t post_queue_waiting(struct post_queue *queue)
{
	size_t count;

	(void)pthread_mutex_lock(&queue->lock);
	count = queue->count;
	(void)pthread_mutex_unlock(&queue->lock);
	return count;
}

/* Cuts up to `most` posts off the front as a chain that ends in NULL. */
static struct post *cut(struct post_queue *queue, size_t most, size_t *ret_count)
{
	static const uint64_t one = 1;
	struct post *chain, *last = NULL;
	uint64_t woken;
	size_t count = 0;

	if (read(queue->fd, &woken, sizeof(woken)) < 0)
		assert(errno == EAGAIN);
	(void)pthread_mutex_lock(&queue->lock);
	chain = queue->first;
	while (count < most && queue->first != NULL) {
		last = queue->first;
		queue->first = last->next;
		count++;
	}
	queue->count -= count;
	if (last != NULL)
		last->next = NULL;
	/* What is left must wake the reader again: nobody else will. */
	if (queue->first != NULL && write(queue->fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
	(void)pthread_mutex_unlock(&queue->lock);
	*ret_count = count;
	return count == 0 ? NULL : chain;
}

size_t post_queue_take(struct post_queue *queue, struct post **ret_posts, size_t most)
{
	size_t count;
	struct post *post = cut(queue, most, &count);

	for (size_t i = 0; i < count; i++, post = post->next)
		ret_posts[i] = post;
	return count;
}

size_t post_queue_run(struct post_queue *queue, size_t most)
{
	size_t count;
	struct post *post = cut(queue, most, &count);

	while (post != NULL) {
		struct post *next = post->next; /* run may free the post */

		post->run(post);
		post = next;
	}
	return count;
}
