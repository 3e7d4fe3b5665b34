/*
 * test_webhook_batch.c: gateway/webhook.c, amd_webhook.c and webhook_batch.c: what is written
 * together, in which order, and what is answered, with a database that does as it is told.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/text.h"
#include "gateway/agent_webhook.h"
#include "gateway/amd_webhook.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/webhook.h"
#include "gateway/webhook_batch.h"
#include "unit/cmocka_all.h"

#define SID "CA%032d"
#define AGENT_LABELS \
	500 /* "ovx-label-501" is an agent's, "ovx-label-7" the customer's of call 7 */
#define CHOKES 13 /* no event of this call can be written */
#define WRITES_MAX 16
#define REQUESTS_MAX 256

static struct gateway gw;

/* What was written: the events of each statement, as "CALL:EVENT ". */
static char writes[WRITES_MAX][4096];
static size_t write_count, lookups;
static uint64_t agents[REQUESTS_MAX]; /* requests that were handed on */
static size_t agent_count;
static int status_of[REQUESTS_MAX]; /* answers by request; 0: none yet */
static int answers_before_write;    /* how many had been answered at the first write */
static int lookup_err, agent_err;

int __wrap_calls_apply(struct gateway *self, struct db *db,
	const struct db_call_event *events, size_t count);
int __wrap_calls_apply(struct gateway *self, struct db *db,
	const struct db_call_event *events, size_t count)
{
	struct buf text = {0};
	int err = 0;

	(void)self;
	(void)db;
	for (size_t i = 0; i < count; i++) {
		buf_printf(
			&text, "%lld:%s ", (long long)events[i].call_id, events[i].event);
		if (events[i].call_id == CHOKES)
			err = -EIO;
	}
	if (write_count == 0)
		for (size_t i = 0; i < REQUESTS_MAX; i++)
			answers_before_write += status_of[i] != 0;
	assert_true(write_count < WRITES_MAX);
	(void)text_copy(
		writes[write_count++], sizeof(writes[0]), count == 0 ? "" : text.data);
	buf_free(&text);
	return err;
}

int __wrap_db_calls_by_label(
	struct db *db, const char *const *labels, size_t count, int64_t *ret_call_ids);
int __wrap_db_calls_by_label(
	struct db *db, const char *const *labels, size_t count, int64_t *ret_call_ids)
{
	(void)db;
	lookups++;
	for (size_t i = 0; i < count; i++) {
		long id = strtol(strrchr(labels[i], '-') + 1, NULL, 10);

		ret_call_ids[i] = id > AGENT_LABELS ? 0 : id;
	}
	return lookup_err;
}

int __wrap_agent_leg_conference(struct gateway *self, struct http_request *request);
int __wrap_agent_leg_conference(struct gateway *self, struct http_request *request)
{
	(void)self;
	if (agent_err < 0)
		return agent_err;
	agents[agent_count++] = request->id;
	http_request_free(&request);
	return 0;
}

void __wrap_http_reply(
	struct http_server *server, uint64_t id, const struct http_reply *reply);
void __wrap_http_reply(
	struct http_server *server, uint64_t id, const struct http_reply *reply)
{
	(void)server;
	assert_true(id < REQUESTS_MAX);
	assert_int_equal(status_of[id], 0); /* once */
	status_of[id] = reply->status;
}

/* Those below are not the server's. */
void __wrap_http_request_free(struct http_request **request);
void __wrap_http_request_free(struct http_request **request)
{
	form_free(&(*request)->query);
	form_free(&(*request)->form);
	free(*request);
	*request = NULL;
}

void __wrap_metrics_webhook_told(int64_t at_ms);
void __wrap_metrics_webhook_told(int64_t at_ms)
{
	(void)at_ms;
}

const char *__wrap_db_error(const struct db *db);
const char *__wrap_db_error(const struct db *db)
{
	(void)db;
	return "as the test says";
}

/* ---- one worker, which is held while webhooks gather ---- */

static struct job gate;
static sem_t reached, opened;

static void gate_work(struct job *job, void *ctx)
{
	(void)job;
	(void)ctx;
	(void)sem_post(&reached);
	(void)sem_wait(&opened);
}

static int setup(void **state)
{
	(void)state;
	memset(writes, 0, sizeof(writes));
	memset(status_of, 0, sizeof(status_of));
	write_count = lookups = agent_count = 0;
	answers_before_write = lookup_err = agent_err = 0;
	gw = (struct gateway){.http = NULL};
	(void)sem_init(&reached, 0, 0);
	(void)sem_init(&opened, 0, 0);
	gate = (struct job){.work = gate_work};
	if (jobs_new(&(struct jobs_config){.threads = 1, .limit = 100}, &gw.db) < 0)
		return -1;
	assert_int_equal(jobs_put(gw.db, &gate), 0);
	(void)sem_wait(&reached);
	return webhooks_new(&gw);
}

/* Lets the worker go on; when this returns, all that was put is done. */
static void let_go(void)
{
	struct job last = {.work = gate_work};

	assert_int_equal(jobs_put(gw.db, &last), 0);
	(void)sem_post(&opened);
	(void)sem_post(&opened);
	(void)sem_wait(&reached);
	jobs_free(&gw.db);
}

static int teardown(void **state)
{
	(void)state;
	(void)sem_post(&opened);
	jobs_free(&gw.db);
	webhooks_free(&gw);
	(void)sem_destroy(&reached);
	(void)sem_destroy(&opened);
	return 0;
}

static struct http_request *request(uint64_t id, const char *query, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static struct http_request *request(
	uint64_t id, const char *query, const char *format, ...)
{
	struct http_request *made = calloc(1, sizeof(*made));
	char body[512];
	va_list args;

	assert_non_null(made);
	va_start(args, format);
	(void)vsnprintf(body, sizeof(body), format, args);
	va_end(args);
	made->id = id;
	made->method = HTTP_POST;
	made->body_fd = -1;
	assert_int_equal(form_parse(query, strlen(query), 10, &made->query), 0);
	assert_int_equal(form_parse(body, strlen(body), 40, &made->form), 0);
	return made;
}

static void status(uint64_t id, int call, const char *word)
{
	char query[32];

	(void)snprintf(query, sizeof(query), "call=%d", call);
	assert_int_equal(
		webhook_call_status(&gw,
			request(id, query, "CallSid=" SID "&CallStatus=%s", call, word)),
		0);
}

static void amd(uint64_t id, int call, const char *by)
{
	char query[32];

	(void)snprintf(query, sizeof(query), "call=%d", call);
	assert_int_equal(
		webhook_amd(&gw,
			request(id, query, "CallSid=" SID "&AnsweredBy=%s", call, by)),
		0);
}

static void conference(uint64_t id, int label, const char *event)
{
	assert_int_equal(webhook_conference(&gw,
				 request(id, "session=1",
					 "CallSid=" SID "&ParticipantLabel=ovx-label-%d"
					 "&StatusCallbackEvent=%s&SequenceNumber=%d",
					 label, label, event, (int)id)),
		0);
}

static void who_picked_up_is_written_with_all_that_waits(void **state)
{
	(void)state;
	status(1, 7, "ringing");
	amd(2, 8, "human");
	status(3, 7, "in-progress");
	amd(4, 7, "machine_start");
	let_go();
	assert_int_equal(write_count, 1);
	assert_string_equal(writes[0], "7:ringing 8:human 7:answered 7:machine ");
	assert_int_equal(answers_before_write, 0);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(status_of[i], 204);
}

static void customers_who_join_and_leave_are_written_with_all_that_waits(void **state)
{
	(void)state;
	status(1, 7, "in-progress");
	conference(2, 7, "participant-join");
	conference(3, 8, "participant-join");
	conference(4, 7, "participant-leave");
	status(5, 7, "completed");
	let_go();
	assert_int_equal(lookups, 1);
	assert_int_equal(write_count, 1);
	assert_string_equal(
		writes[0], "7:answered 7:joined 8:joined 7:left 7:completed ");
	assert_int_equal(answers_before_write, 0);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(status_of[i], 204);
}

static void an_agents_leg_is_handed_on_and_holds_up_nobody(void **state)
{
	(void)state;
	conference(1, 7, "participant-join");
	conference(2, 501, "participant-join");
	conference(3, 502, "participant-leave");
	status(4, 7, "completed");
	let_go();
	assert_int_equal(agent_count, 2);
	assert_true(agents[0] == 2 && agents[1] == 3);
	assert_int_equal(
		status_of[2] + status_of[3], 0); /* by whom they were handed to */
	assert_int_equal(write_count, 1);
	assert_string_equal(writes[0], "7:joined 7:completed ");
	assert_int_equal(status_of[1], 204);
	assert_int_equal(status_of[4], 204);
}

static void nothing_is_written_when_all_are_agents_legs(void **state)
{
	(void)state;
	conference(1, 501, "participant-join");
	let_go();
	assert_int_equal(agent_count, 1);
	assert_int_equal(write_count, 0);
}

static void an_agents_leg_that_nobody_can_take_is_asked_for_again(void **state)
{
	(void)state;
	agent_err = -EAGAIN;
	conference(1, 501, "participant-join");
	status(2, 7, "ringing");
	let_go();
	assert_int_equal(status_of[1], 503);
	assert_int_equal(status_of[2], 204);
}

static void one_that_chokes_the_database_holds_up_nobody(void **state)
{
	(void)state;
	amd(1, 7, "human");
	conference(2, CHOKES, "participant-join");
	conference(3, 501, "participant-join");
	conference(4, 8, "participant-join");
	amd(5, CHOKES, "human");
	let_go();
	assert_int_equal(status_of[1], 204);
	assert_int_equal(status_of[2], 503);
	assert_int_equal(status_of[4], 204);
	assert_int_equal(status_of[5], 503);
	assert_int_equal(agent_count, 1);
	assert_string_equal(writes[0], "7:human 13:joined 8:joined 13:human ");
	assert_int_equal(write_count, 5);
}

static void labels_that_cannot_be_looked_up_hold_up_no_status(void **state)
{
	(void)state;
	lookup_err = -EIO;
	conference(1, 7, "participant-join");
	conference(2, 501, "participant-join");
	status(3, 8, "ringing");
	amd(4, 8, "human");
	let_go();
	assert_int_equal(status_of[1], 503);
	assert_int_equal(status_of[2], 503);
	assert_int_equal(agent_count, 0);
	assert_int_equal(status_of[3], 204);
	assert_int_equal(status_of[4], 204);
	assert_int_equal(write_count, 2);
}

static void a_conference_event_that_tells_nothing_needs_no_worker(void **state)
{
	(void)state;
	conference(1, 7, "participant-mute");
	conference(2, 7, "conference-start");
	assert_int_equal(
		webhook_conference(&gw, request(3, "session=1", "StatusCallbackEvent=%s",
						"participant-join")),
		0);
	for (int i = 1; i <= 3; i++)
		assert_int_equal(status_of[i], 204);
	let_go();
	assert_int_equal(write_count + lookups, 0);
}

static void what_names_no_call_is_refused_and_not_written(void **state)
{
	(void)state;
	assert_int_equal(
		webhook_amd(&gw, request(1, "", "CallSid=" SID "&AnsweredBy=human", 7)),
		0);
	assert_int_equal(webhook_amd(&gw, request(2, "call=7", "CallSid=" SID, 7)), 0);
	assert_int_equal(
		webhook_call_status(&gw, request(3, "call=7", "CallSid=" SID, 7)), 0);
	for (int i = 1; i <= 3; i++)
		assert_int_equal(status_of[i], 400);
	let_go();
	assert_int_equal(write_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(who_picked_up_is_written_with_all_that_waits),
		T(customers_who_join_and_leave_are_written_with_all_that_waits),
		T(an_agents_leg_is_handed_on_and_holds_up_nobody),
		T(nothing_is_written_when_all_are_agents_legs),
		T(an_agents_leg_that_nobody_can_take_is_asked_for_again),
		T(one_that_chokes_the_database_holds_up_nobody),
		T(labels_that_cannot_be_looked_up_hold_up_no_status),
		T(a_conference_event_that_tells_nothing_needs_no_worker),
		T(what_names_no_call_is_refused_and_not_written),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
