/* twilio_bench.c: see twilio_bench.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "twilio/conferences.h"
#include "unit/twilio_bench.h"

static void take_answer(void *arg, struct twilio_answer *answer)
{
	struct bench *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	if (b->count < ANSWERS_MAX)
		b->answers[b->count] = answer;
	else
		twilio_answer_free(&answer);
	b->count++;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
}

struct twilio_config bench_config(struct bench *b, const char *base)
{
	return (struct twilio_config){
		.account_sid = ACCOUNT,
		.auth_token = "secret",
		.api_base = base,
		.connect_ms = 1000,
		.total_ms = TOTAL_MS,
		.limit = 32,
		.answer = take_answer,
		.arg = b,
	};
}

void bench_open_at(struct bench *b, const char *scheme, uint16_t port, size_t limit)
{
	char base[64];
	struct twilio_config config;

	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->changed, NULL);
	(void)snprintf(base, sizeof(base), "%s://127.0.0.1:%u", scheme, port);
	config = bench_config(b, base);
	config.limit = limit;
	assert_int_equal(twilio_client_new(&config, &b->client), 0);
}

struct bench *bench_open(const struct step *steps, size_t count)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->server = server_start(steps, count);
	bench_open_at(b, "http", server_port(b->server), 32);
	return b;
}

void bench_close(struct bench *b)
{
	twilio_client_free(&b->client);
	assert_null(b->client);
	twilio_client_free(&b->client);
	if (b->server != NULL)
		server_stop(b->server);
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		twilio_answer_free(&b->answers[i]);
	(void)pthread_cond_destroy(&b->changed);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

/* The n-th answer (from 1). */
const struct twilio_answer *wait_answer(struct bench *b, size_t n)
{
	struct timespec deadline;
	int err = 0;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 30;
	(void)pthread_mutex_lock(&b->lock);
	while (b->count < n && err == 0)
		err = pthread_cond_timedwait(&b->changed, &b->lock, &deadline);
	(void)pthread_mutex_unlock(&b->lock);
	assert_int_equal(err, 0);
	return b->answers[n - 1];
}

size_t count_posts(struct bench *b)
{
	size_t posts = 0;

	for (size_t i = 0; i < server_seen_count(b->server); i++)
		if (strncmp(server_seen(b->server, i)->head, "POST ", 5) == 0)
			posts++;
	return posts;
}

size_t bench_count_values(const struct form *form, const char *name, const char *value)
{
	size_t found = 0;

	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->pairs[i].name, name) == 0 &&
			(value == NULL || strcmp(form->pairs[i].value, value) == 0))
			found++;
	return found;
}

int bench_create(struct bench *b, uint64_t id)
{
	const struct twilio_participant p = {
		.conference = "ovx-1-2/3",
		.from = "+14155550000",
		.to = "+14155552671",
		.label = "leg 7",
		.timeout_s = 30,
		.early_media = 1,
		.status_callback = "https://example.com/status?call=1&x=2#rc=3",
		.conference_status_callback = "https://example.com/conference",
	};

	return twilio_participant_create(b->client, id, &p);
}
