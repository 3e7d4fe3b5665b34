/*
 * post.h: a bounded queue of messages from any thread to one reader, woken by an eventfd.
 *
 * This is the only door between threads. A post is embedded in the struct that it carries;
 * putting it hands the whole struct over. The reader runs it once.
 */
#ifndef OMNIVOX_BASE_POST_H
#define OMNIVOX_BASE_POST_H

#include <stddef.h>

struct post_queue;

struct post {
	/* Called on the reader's thread; owns the surrounding struct from then on. */
	void (*run)(struct post *post);
	/* Called instead of run when the queue is freed with the post still in it. */
	void (*drop)(struct post *post);
	struct post *next; /* the queue's */
};

/* `limit`: posts that may wait at once. Returns 0 or a negative errno. */
int post_queue_new(size_t limit, struct post_queue **ret_queue);

/* Drops what still waits. NULL-safe, sets NULL. No thread may put any more. */
void post_queue_free(struct post_queue **queue);

/* Any thread. -EAGAIN when full: the post is still the caller's. */
int post_queue_put(struct post_queue *queue, struct post *post);

/*
 * Any thread. For the answer to something the reader asked for: always taken, because the
 * bound was applied when the question was admitted.
 */
void post_queue_answer(struct post_queue *queue, struct post *post);

/* Readable when something waits; for poll or epoll. Owned by the queue. */
int post_queue_fd(const struct post_queue *queue);

/*
 * Reader: takes up to `most` of what waits without running it, for readers that work on many
 * at once; the caller owns the posts. Returns how many.
 */
size_t post_queue_take(struct post_queue *queue, struct post **ret_posts, size_t most);

/* How many wait now. Any thread. */
size_t post_queue_waiting(struct post_queue *queue);

/* Reader: runs what waited when it was called, at most `most`; returns how many. */
size_t post_queue_run(struct post_queue *queue, size_t most);

#endif
