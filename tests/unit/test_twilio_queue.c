/* test_twilio_queue.c: how many requests are under way at once, and what becomes of those that wait. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "twilio/calls.h"
#include "unit/twilio_bench.h"

static void a_full_client_says_so_at_once(void **state)
{
	static const struct step steps[] = {{.kind = STEP_STALL}, {.kind = STEP_STALL}};
	struct bench *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	b->server = server_start(steps, 2);
	bench_open_at(b, "http", server_port(b->server), 2);
	assert_int_equal(bench_create(b, 1), 0);
	assert_int_equal(bench_create(b, 2), 0);
	assert_int_equal(bench_create(b, 3), -EAGAIN);
	assert_int_equal(wait_answer(b, 2)->result, TWILIO_LOST);
	assert_int_equal(server_seen_count(b->server), 2);
	bench_close(b);
}

static void many_at_once_get_one_answer_each(void **state)
{
	struct step steps[30];
	struct bench *b;
	unsigned seen_ids = 0;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		steps[i] = (struct step){.kind = STEP_ANSWER,
			.status = 201,
			.body = CREATED,
			.delay_ms = 5};
	b = bench_open(steps, 30);
	for (uint64_t i = 0; i < 30; i++)
		assert_int_equal(bench_create(b, i), 0);
	(void)wait_answer(b, 30);
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(b->answers[i]->result, TWILIO_OK);
		assert_int_equal(seen_ids & 1U << b->answers[i]->id, 0);
		seen_ids |= 1U << b->answers[i]->id;
	}
	assert_int_equal(count_posts(b), 30);
	bench_close(b);
}

static void stopping_waits_for_the_answer_of_a_create(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER, .status = 201, .body = CREATED, .delay_ms = 300}};
	struct bench *b = bench_open(steps, 1);

	(void)state;
	assert_int_equal(bench_create(b, 1), 0);
	assert_int_equal(server_wait_seen(b->server, 1), 0);
	twilio_client_free(&b->client);
	assert_int_equal(b->count, 1);
	assert_int_equal(b->answers[0]->result, TWILIO_OK);
	bench_close(b);
}

struct asker {
	struct bench *b;
	atomic_bool over;
	size_t admitted;
};

static void *ask_on(void *arg)
{
	struct asker *asker = arg;

	while (!atomic_load(&asker->over))
		asker->admitted += twilio_call_fetch(asker->b->client, 9, CALL) == 0;
	return NULL;
}

/* Handlers and workers go on asking while the gateway stops, and after that. */
static void a_stopped_client_can_still_be_asked(void **state)
{
	struct step steps[SERVER_STEPS_MAX];
	struct asker asker = {.over = false};
	pthread_t thread;
	struct bench *b;

	(void)state;
	for (size_t i = 1; i < SERVER_STEPS_MAX; i++)
		steps[i] = (struct step){.kind = STEP_STALL};
	steps[0] = (struct step){
		.kind = STEP_ANSWER, .status = 201, .body = CREATED, .delay_ms = 300};
	b = bench_open(steps, SERVER_STEPS_MAX);
	asker.b = b;
	assert_int_equal(bench_create(b, 1), 0);
	assert_int_equal(server_wait_seen(b->server, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, ask_on, &asker), 0);
	assert_int_equal(server_wait_seen(b->server, 2), 0);
	twilio_client_stop(b->client);
	assert_int_equal(bench_create(b, 2), -EAGAIN);
	twilio_cancel_creates(b->client);
	atomic_store(&asker.over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(asker.admitted > 0);
	assert_int_equal(b->count, asker.admitted + 1);
	twilio_client_stop(b->client);
	bench_close(b);
}

static void stopping_answers_everything_that_is_open(void **state)
{
	struct step steps[20];
	struct bench *b;
	unsigned lost = 0, unsent = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		steps[i] = (struct step){.kind = STEP_STALL};
	b = bench_open(steps, 20);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(bench_create(b, i), 0);
	assert_int_equal(server_wait_seen(b->server, 16), 0);
	twilio_client_free(&b->client);
	assert_int_equal(b->count, 20);
	for (size_t i = 0; i < 20; i++) {
		lost += b->answers[i]->result == TWILIO_LOST;
		unsent += b->answers[i]->result == TWILIO_NOT_SENT;
	}
	assert_int_equal(lost, 16);
	assert_int_equal(unsent, 4);
	bench_close(b);
}

static void a_429_halves_what_is_under_way(void **state)
{
	struct step steps[40];
	struct bench *b;
	unsigned lost = 0, unsent = 0;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		steps[i] = (struct step){.kind = STEP_STALL};
	steps[0] = (struct step)TOO_MANY;
	b = bench_open(steps, 40);
	assert_int_equal(bench_create(b, 0), 0);
	assert_int_equal(server_wait_seen(b->server, 2), 0);
	for (uint64_t i = 1; i < 20; i++)
		assert_int_equal(bench_create(b, i), 0);
	assert_int_equal(server_wait_seen(b->server, 9), 0);
	twilio_client_free(&b->client);
	assert_int_equal(b->count, 20);
	for (size_t i = 0; i < 20; i++) {
		lost += b->answers[i]->result == TWILIO_LOST;
		unsent += b->answers[i]->result == TWILIO_NOT_SENT;
	}
	assert_int_equal(lost, 8);
	assert_int_equal(unsent, 12);
	bench_close(b);
}

static void cancelled_creates_that_wait_are_not_sent(void **state)
{
	struct step steps[20];
	struct bench *b;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		steps[i] = (struct step){.kind = STEP_STALL};
	b = bench_open(steps, 20);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(bench_create(b, i), 0);
	assert_int_equal(twilio_call_fetch(b->client, 20, CALL), 0);
	assert_int_equal(server_wait_seen(b->server, 16), 0);
	twilio_cancel_creates(b->client);
	(void)wait_answer(b, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(b->answers[i]->result, TWILIO_NOT_SENT);
		assert_string_equal(
			b->answers[i]->message, "Cancelled before it was sent.");
	}
	/* The others, and the read, are not touched: they end with their time. */
	assert_int_equal(wait_answer(b, 5)->result, TWILIO_LOST);
	assert_int_equal(count_posts(b), 16);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_client_says_so_at_once),
		cmocka_unit_test(many_at_once_get_one_answer_each),
		cmocka_unit_test(stopping_waits_for_the_answer_of_a_create),
		cmocka_unit_test(a_stopped_client_can_still_be_asked),
		cmocka_unit_test(stopping_answers_everything_that_is_open),
		cmocka_unit_test(a_429_halves_what_is_under_way),
		cmocka_unit_test(cancelled_creates_that_wait_are_not_sent),
	};

	return cmocka_run_group_tests_name("twilio_queue", tests, NULL, NULL);
}
