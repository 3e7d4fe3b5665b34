/* test_post.c: base/post.h. */
#include "base/post.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

#define DEADLINE_MS 10000

struct note {
	struct post post;
	struct post_queue *queue;
	int value;
};

static int seen[16];
static size_t seen_count, dropped;

static void note_run(struct post *post)
{
	seen[seen_count++] = list_entry(post, struct note, post)->value;
}

static void note_run_again(struct post *post)
{
	struct note *note = list_entry(post, struct note, post);

	note_run(post);
	assert_int_equal(post_queue_put(note->queue, post), 0);
}

static void note_drop(struct post *post)
{
	(void)post;
	dropped++;
}

static struct note note_of(struct post_queue *queue, int value)
{
	return (struct note){.post = {.run = note_run, .drop = note_drop},
		.queue = queue,
		.value = value};
}

static bool readable(const struct post_queue *queue)
{
	struct pollfd fd = {.fd = post_queue_fd(queue), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static int make_queue(void **state)
{
	struct post_queue *queue = NULL;

	seen_count = dropped = 0;
	if (post_queue_new(4, &queue) < 0)
		return -1;
	*state = queue;
	return 0;
}

static int free_queue(void **state)
{
	struct post_queue *queue = *state;

	post_queue_free(&queue);
	post_queue_free(&queue);
	return 0;
}

static void posts_run_in_the_order_they_were_put(void **state)
{
	struct post_queue *queue = *state;
	struct note notes[3];

	for (int i = 0; i < 3; i++) {
		notes[i] = note_of(queue, i + 1);
		assert_int_equal(post_queue_put(queue, &notes[i].post), 0);
	}
	assert_int_equal(post_queue_waiting(queue), 3);
	assert_int_equal(post_queue_run(queue, 10), 3);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[2], 3);
	assert_int_equal(post_queue_waiting(queue), 0);
}

static void a_full_queue_refuses_but_takes_answers(void **state)
{
	struct post_queue *queue = *state;
	struct note notes[6];

	for (int i = 0; i < 6; i++)
		notes[i] = note_of(queue, i);
	for (int i = 0; i < 4; i++)
		assert_int_equal(post_queue_put(queue, &notes[i].post), 0);
	assert_int_equal(post_queue_put(queue, &notes[4].post), -EAGAIN);
	post_queue_answer(queue, &notes[5].post);
	assert_int_equal(post_queue_run(queue, 10), 5);
	assert_int_equal(seen[4], 5);
}

static void the_descriptor_is_readable_while_something_waits(void **state)
{
	struct post_queue *queue = *state;
	struct note a = note_of(queue, 1), b = note_of(queue, 2);

	assert_false(readable(queue));
	assert_int_equal(post_queue_put(queue, &a.post), 0);
	assert_int_equal(post_queue_put(queue, &b.post), 0);
	assert_true(readable(queue));
	assert_int_equal(post_queue_run(queue, 1), 1);
	assert_true(readable(queue));
	assert_int_equal(post_queue_run(queue, 1), 1);
	assert_false(readable(queue));
	assert_int_equal(post_queue_run(queue, 1), 0);
}

static void a_post_that_puts_itself_again_waits_for_the_next_turn(void **state)
{
	struct post_queue *queue = *state;
	struct note note = note_of(queue, 1);

	note.post.run = note_run_again;
	assert_int_equal(post_queue_put(queue, &note.post), 0);
	assert_int_equal(post_queue_run(queue, 10), 1);
	assert_true(readable(queue));
	note.post.run = note_run;
	assert_int_equal(post_queue_run(queue, 10), 1);
	assert_int_equal(seen_count, 2);
}

static void posts_can_be_taken_without_being_run(void **state)
{
	struct post_queue *queue = *state;
	struct note notes[3];
	struct post *taken[3] = {NULL};

	for (int i = 0; i < 3; i++) {
		notes[i] = note_of(queue, i);
		assert_int_equal(post_queue_put(queue, &notes[i].post), 0);
	}
	assert_int_equal(post_queue_take(queue, taken, 2), 2);
	assert_ptr_equal(taken[0], &notes[0].post);
	assert_ptr_equal(taken[1], &notes[1].post);
	assert_int_equal(post_queue_take(queue, taken, 2), 1);
	assert_ptr_equal(taken[0], &notes[2].post);
	assert_int_equal(seen_count, 0);
}

static void freeing_the_queue_drops_what_waits(void **state)
{
	struct post_queue *queue = NULL;
	struct note a, b;

	(void)state;
	assert_int_equal(post_queue_new(4, &queue), 0);
	a = note_of(queue, 1);
	b = note_of(queue, 2);
	b.post.drop = NULL;
	assert_int_equal(post_queue_put(queue, &a.post), 0);
	assert_int_equal(post_queue_put(queue, &b.post), 0);
	post_queue_free(&queue);
	assert_null(queue);
	assert_int_equal(dropped, 1);
	assert_int_equal(seen_count, 0);
}

#define WRITERS 4
#define PER_WRITER 5000

static long long sum;

static void count_run(struct post *post)
{
	struct note *note = list_entry(post, struct note, post);

	sum += note->value;
	free(note);
}

static void *write_many(void *arg)
{
	struct post_queue *queue = arg;

	for (int i = 1; i <= PER_WRITER; i++) {
		struct note *note = malloc(sizeof(*note));

		*note = note_of(queue, i);
		note->post.run = count_run;
		while (post_queue_put(queue, &note->post) == -EAGAIN)
			(void)poll(NULL, 0, 1); /* full: the reader is at work */
	}
	return NULL;
}

static void nothing_is_lost_between_many_writers_and_a_reader_that_polls(void **state)
{
	struct post_queue *queue = NULL;
	pthread_t writers[WRITERS];
	struct pollfd fd = {.events = POLLIN};
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;
	size_t got = 0;

	(void)state;
	sum = 0;
	assert_int_equal(post_queue_new(64, &queue), 0);
	fd.fd = post_queue_fd(queue);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_many, queue), 0);
	while (got < WRITERS * PER_WRITER && clock_mono_ms() < deadline)
		if (poll(&fd, 1, 100) == 1)
			got += post_queue_run(queue, 16);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i], NULL), 0);
	assert_int_equal(got, WRITERS * PER_WRITER);
	assert_true(sum == (long long)WRITERS * PER_WRITER * (PER_WRITER + 1) / 2);
	post_queue_free(&queue);
}

static void without_memory_there_is_no_queue(void **state)
{
	struct post_queue *queue = NULL;

	(void)state;
	failing_alloc_at(1);
	assert_int_equal(post_queue_new(4, &queue), -ENOMEM);
	assert_null(queue);
}

#define with_queue(test) cmocka_unit_test_setup_teardown(test, make_queue, free_queue)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_queue(posts_run_in_the_order_they_were_put),
		with_queue(a_full_queue_refuses_but_takes_answers),
		with_queue(the_descriptor_is_readable_while_something_waits),
		with_queue(a_post_that_puts_itself_again_waits_for_the_next_turn),
		with_queue(posts_can_be_taken_without_being_run),
		with_queue(freeing_the_queue_drops_what_waits),
		cmocka_unit_test(
			nothing_is_lost_between_many_writers_and_a_reader_that_polls),
		cmocka_unit_test(without_memory_there_is_no_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
