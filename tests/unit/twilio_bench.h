/*
 * twilio_bench.h: a Twilio client at a scripted server, and what it answered, in order.
 */
#ifndef OMNIVOX_TESTS_TWILIO_BENCH_H
#define OMNIVOX_TESTS_TWILIO_BENCH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/form.h"
#include "twilio/client.h"
#include "unit/scripted_server.h"

#define ACCOUNT "AC0123456789abcdef0123456789abcdef"
#define CALL "CA0123456789abcdef0123456789abcdef"
#define CONFERENCE "CF0123456789abcdef0123456789abcdef"
#define ROOT "/2010-04-01/Accounts/" ACCOUNT
#define CREATED                                                       \
	"{\"call_sid\":\"" CALL "\",\"conference_sid\":\"" CONFERENCE \
	"\",\"status\":\"queued\",\"queue_time\":\"1500\"}"
#define FETCHED                                                                           \
	"{\"sid\":\"" CALL "\",\"status\":\"in-progress\",\"to\":\"+14155552671\","       \
	"\"from\":\"+14155550000\",\"date_created\":\"Fri, 20 Aug 2010 01:13:42 +0000\"," \
	"\"start_time\":null,\"end_time\":null,\"duration\":null}"
#define ANSWERS_MAX 64
#define TOTAL_MS 1500

#define OK_CREATE                                                   \
	{                                                           \
		.kind = STEP_ANSWER, .status = 201, .body = CREATED \
	}
#define OK_FETCH                                                    \
	{                                                           \
		.kind = STEP_ANSWER, .status = 200, .body = FETCHED \
	}
#define TOO_MANY                                                                            \
	{                                                                                   \
		.kind = STEP_ANSWER, .status = 429,                                         \
		.body = "{\"code\":20429,\"message\":\"Too Many Requests\",\"status\":429}" \
	}
#define BROKEN_500                                                                 \
	{                                                                          \
		.kind = STEP_ANSWER, .status = 500,                                \
		.body = "{\"code\":20500,\"message\":\"Internal\",\"status\":500}" \
	}

/* A client at a server, and what it answered. */
struct bench {
	struct scripted_server *server;
	struct twilio_client *client;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct twilio_answer *answers[ANSWERS_MAX];
	size_t count;
};

/* A client with room for `limit` requests at any server of this machine. */
void bench_open_at(struct bench *b, const char *scheme, uint16_t port, size_t limit);
struct twilio_config bench_config(struct bench *b, const char *base);

/* At a new server that answers with these steps. */
struct bench *bench_open(const struct step *steps, size_t count);
void bench_close(struct bench *b);

/* Asks for a participant: the request that costs money. */
int bench_create(struct bench *b, uint64_t id);

/* The n-th answer (from 1); the bench's. */
const struct twilio_answer *wait_answer(struct bench *b, size_t n);

/* How many POSTs the server saw. */
size_t count_posts(struct bench *b);

/* How often the form has the pair; `value` NULL: the name. */
size_t bench_count_values(const struct form *form, const char *name, const char *value);

#endif
