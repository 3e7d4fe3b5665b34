/* test_twilio_client.c: what each way of failing means for money, against a real server. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/form.h"
#include "twilio/account.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "unit/twilio_bench.h"

static void a_create_sends_what_twilio_documents(void **state)
{
	static const struct step steps[] = {OK_CREATE};
	static const char *const leg[] = {
		"initiated", "ringing", "answered", "completed"};
	static const char *const conference[] = {"start", "end", "join", "leave", "mute",
		"hold", "modify", "announcement"};
	struct bench *b = bench_open(steps, 1);
	const struct twilio_answer *answer;
	const struct seen *seen;
	struct form form = {0};

	(void)state;
	assert_int_equal(bench_create(b, 77), 0);
	answer = wait_answer(b, 1);
	assert_int_equal(answer->result, TWILIO_OK);
	assert_int_equal(answer->op, TWILIO_PARTICIPANT_CREATE);
	assert_int_equal(answer->id, 77);
	assert_int_equal(answer->http_status, 201);
	assert_string_equal(answer->sid, CALL);
	assert_string_equal(answer->list.participants[0].conference_sid, CONFERENCE);
	assert_int_equal(answer->queue_time_ms, 1500);
	assert_string_equal(answer->message, "");

	seen = server_seen(b->server, 0);
	assert_non_null(strstr(seen->head,
		"POST " ROOT "/Conferences/ovx-1-2%2F3/Participants.json HTTP/1.1\r\n"));
	/* base64("AC0123456789abcdef0123456789abcdef:secret") */
	assert_non_null(strstr(seen->head,
		"Authorization: Basic "
		"QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpzZWNyZXQ="));
	assert_non_null(
		strstr(seen->head, "Content-Type: application/x-www-form-urlencoded"));
	assert_null(strstr(seen->head, "Expect:"));
	assert_int_equal(form_parse(seen->body, strlen(seen->body), 50, &form), 0);
	assert_string_equal(form_get(&form, "From"), "+14155550000");
	assert_string_equal(form_get(&form, "To"), "+14155552671");
	assert_string_equal(form_get(&form, "Label"), "leg 7");
	assert_string_equal(form_get(&form, "Timeout"), "30");
	assert_string_equal(form_get(&form, "EarlyMedia"), "true");
	assert_string_equal(form_get(&form, "Beep"), "false");
	assert_string_equal(form_get(&form, "StartConferenceOnEnter"), "true");
	assert_string_equal(form_get(&form, "EndConferenceOnExit"), "false");
	assert_string_equal(form_get(&form, "WaitUrl"), "");
	assert_string_equal(form_get(&form, "StatusCallback"),
		"https://example.com/status?call=1&x=2#rc=3");
	assert_string_equal(form_get(&form, "ConferenceStatusCallback"),
		"https://example.com/conference");
	assert_int_equal(bench_count_values(&form, "StatusCallbackEvent", NULL), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			bench_count_values(&form, "StatusCallbackEvent", leg[i]), 1);
	assert_int_equal(
		bench_count_values(&form, "ConferenceStatusCallbackEvent", NULL), 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(bench_count_values(&form,
					 "ConferenceStatusCallbackEvent", conference[i]),
			1);
	form_free(&form);
	bench_close(b);
}

/* The trap: libcurl repeats by itself a request that died on a reused connection. */
static void a_create_on_a_reused_connection_that_dies_is_lost_and_sent_once(void **state)
{
	static const enum step_kind deaths[] = {STEP_CLOSE, STEP_RESET};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct step steps[] = {
			OK_FETCH, {.kind = deaths[i]}, OK_CREATE, OK_CREATE};
		struct bench *b = bench_open(steps, 4);

		assert_int_equal(twilio_call_fetch(b->client, 1, CALL), 0);
		assert_int_equal(wait_answer(b, 1)->result, TWILIO_OK);
		assert_int_equal(bench_create(b, 2), 0);
		assert_int_equal(wait_answer(b, 2)->result, TWILIO_LOST);
		assert_int_equal(server_seen(b->server, 1)->connection, 0);
		assert_int_equal(count_posts(b), 1);
		assert_int_equal(server_seen_count(b->server), 2);
		bench_close(b);
	}
}

static void a_create_whose_answer_may_have_been_lost_is_never_repeated(void **state)
{
	static const struct step ends[] = {
		{.kind = STEP_CLOSE},
		{.kind = STEP_RESET},
		{.kind = STEP_STALL},
		{.kind = STEP_NOISE},
		{.kind = STEP_HALF, .status = 201, .body = CREATED},
		BROKEN_500,
		{.kind = STEP_ANSWER, .status = 503, .headers = "Retry-After: 0\r\n"},
		{.kind = STEP_ANSWER, .status = 408, .body = "{}"},
		{.kind = STEP_ANSWER, .status = 302, .headers = "Location: /\r\n"},
		{.kind = STEP_ANSWER, .status = 201, .body = ""},
		{.kind = STEP_ANSWER, .status = 201, .body = "<html>"},
		{.kind = STEP_ANSWER, .status = 201, .body = "{\"call_sid\":null}"},
		{.kind = STEP_ANSWER, .status = 201, .body = "{\"call_sid\":\"CA12\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct step steps[] = {ends[i], OK_CREATE};
		struct bench *b = bench_open(steps, 2);

		assert_int_equal(bench_create(b, i), 0);
		assert_int_equal(wait_answer(b, 1)->result, TWILIO_LOST);
		assert_string_not_equal(wait_answer(b, 1)->message, "");
		assert_string_equal(wait_answer(b, 1)->sid, "");
		assert_int_equal(count_posts(b), 1);
		bench_close(b);
	}
}

static void a_create_that_cannot_connect_was_not_sent(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct scripted_server *gone = server_start(NULL, 0);
	uint16_t port = server_port(gone);

	(void)state;
	assert_non_null(b);
	server_stop(gone);
	bench_open_at(b, "http", port, 4);
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_NOT_SENT);
	assert_int_equal(wait_answer(b, 1)->http_status, 0);
	assert_string_not_equal(wait_answer(b, 1)->message, "");
	bench_close(b);
}

static void a_create_without_a_tls_handshake_was_not_sent(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct scripted_server *plain = server_start(NULL, 0);

	(void)state;
	assert_non_null(b);
	b->server = plain;
	bench_open_at(b, "https", server_port(plain), 4);
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_NOT_SENT);
	assert_int_equal(server_seen_count(plain), 0);
	bench_close(b);
}

static void a_create_refused_with_429_is_repeated_until_it_is_taken(void **state)
{
	static const struct step steps[] = {TOO_MANY, TOO_MANY, TOO_MANY, OK_CREATE};
	struct bench *b = bench_open(steps, 4);

	(void)state;
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_OK);
	assert_int_equal(count_posts(b), 4);
	assert_string_equal(
		server_seen(b->server, 0)->body, server_seen(b->server, 3)->body);
	bench_close(b);
}

static void a_create_refused_with_429_to_the_end_was_not_sent(void **state)
{
	static const struct step steps[] = {
		TOO_MANY, TOO_MANY, TOO_MANY, TOO_MANY, OK_CREATE};
	struct bench *b = bench_open(steps, 5);

	(void)state;
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_NOT_SENT);
	assert_int_equal(wait_answer(b, 1)->code, 20429);
	assert_int_equal(wait_answer(b, 1)->http_status, 429);
	assert_int_equal(count_posts(b), 4);
	bench_close(b);
}

static void a_create_lost_after_a_429_is_lost(void **state)
{
	static const struct step steps[] = {TOO_MANY, {.kind = STEP_CLOSE}, OK_CREATE};
	struct bench *b = bench_open(steps, 3);

	(void)state;
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_LOST);
	assert_int_equal(count_posts(b), 2);
	bench_close(b);
}

static void a_retry_waits_as_long_as_twilio_asks(void **state)
{
	static const struct step steps[] = {{.kind = STEP_ANSWER,
						    .status = 429,
						    .headers = "Retry-After: 1\r\n",
						    .body = "{}"},
		OK_CREATE};
	struct bench *b = bench_open(steps, 2);
	int64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_OK);
	assert_true(clock_mono_ms() - start >= 1000);
	bench_close(b);
}

static void a_refusal_says_why_and_is_final(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER,
			.status = 400,
			.body = "{\"code\":21211,\"message\":\"Invalid 'To' Phone Number\","
				"\"status\":400}"},
		{.kind = STEP_ANSWER, .status = 404, .body = "not json"},
	};
	struct bench *b = bench_open(steps, 2);

	(void)state;
	assert_int_equal(bench_create(b, 5), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_REFUSED);
	assert_int_equal(wait_answer(b, 1)->code, 21211);
	assert_string_equal(wait_answer(b, 1)->message, "Invalid 'To' Phone Number");
	assert_int_equal(twilio_call_fetch(b->client, 6, CALL), 0);
	assert_int_equal(wait_answer(b, 2)->result, TWILIO_REFUSED);
	assert_int_equal(wait_answer(b, 2)->code, 0);
	assert_string_equal(wait_answer(b, 2)->message, "HTTP status 404");
	assert_int_equal(server_seen_count(b->server), 2);
	bench_close(b);
}

static void a_read_is_repeated_after_any_failure(void **state)
{
	static const struct step steps[] = {BROKEN_500, {.kind = STEP_RESET},
		{.kind = STEP_HALF, .status = 200}, OK_FETCH};
	struct bench *b = bench_open(steps, 4);
	const struct twilio_answer *answer;

	(void)state;
	assert_int_equal(twilio_call_fetch(b->client, 9, CALL), 0);
	answer = wait_answer(b, 1);
	assert_int_equal(answer->result, TWILIO_OK);
	assert_string_equal(answer->message, "");
	assert_int_equal(answer->count, 1);
	assert_string_equal(answer->list.calls[0].status, "in-progress");
	assert_int_equal(answer->list.calls[0].created_ms, 1282266822000);
	assert_int_equal(answer->list.calls[0].ended_ms, 0);
	assert_int_equal(answer->list.calls[0].duration_s, -1);
	assert_int_equal(server_seen_count(b->server), 4);
	bench_close(b);
}

static void a_read_that_fails_each_time_is_given_up(void **state)
{
	static const struct step steps[] = {
		BROKEN_500, BROKEN_500, BROKEN_500, BROKEN_500, OK_FETCH};
	struct bench *b = bench_open(steps, 5);

	(void)state;
	assert_int_equal(twilio_call_fetch(b->client, 9, CALL), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_LOST);
	assert_int_equal(wait_answer(b, 1)->code, 20500);
	assert_int_equal(server_seen_count(b->server), 4);
	bench_close(b);
}

static void ending_a_call_is_repeated_because_it_may_be(void **state)
{
	static const struct step steps[] = {BROKEN_500, {.kind = STEP_CLOSE}, OK_FETCH};
	struct bench *b = bench_open(steps, 3);

	(void)state;
	assert_int_equal(twilio_call_update(b->client, 9, CALL, "completed"), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_OK);
	assert_string_equal(wait_answer(b, 1)->sid, CALL);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(server_seen(b->server, i)->body, "Status=completed");
		assert_non_null(strstr(server_seen(b->server, i)->head,
			"POST " ROOT "/Calls/" CALL ".json "));
	}
	bench_close(b);
}

static void a_list_of_calls_is_asked_by_both_numbers(void **state)
{
	static const struct step steps[] = {{.kind = STEP_ANSWER,
		.status = 200,
		.body = "{\"calls\":[" FETCHED "," FETCHED "]}"}};
	struct bench *b = bench_open(steps, 1);

	(void)state;
	assert_int_equal(
		twilio_call_list(b->client, 9, "+14155552671", "+14155550000"), 0);
	assert_int_equal(wait_answer(b, 1)->result, TWILIO_OK);
	assert_int_equal(wait_answer(b, 1)->count, 2);
	assert_string_equal(wait_answer(b, 1)->list.calls[1].sid, CALL);
	assert_non_null(strstr(server_seen(b->server, 0)->head,
		"GET " ROOT
		"/Calls.json?PageSize=50&To=%2B14155552671&From=%2B14155550000 "));
	bench_close(b);
}

static void the_other_lists_are_read(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"conferences\":[{\"sid\":\"CF11111111111111111111111111111111\","
				"\"status\":\"completed\"},{\"sid\":\"" CONFERENCE
				"\",\"status\":\"init\"}]}"},
		{.kind = STEP_ANSWER, .status = 200, .body = "{\"conferences\":[]}"},
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"participants\":[{\"call_sid\":\"" CALL
				"\",\"label\":\"a\",\"status\":\"connected\"},"
				"{\"call_sid\":\"" CALL
				"\",\"label\":null,\"status\":\"ringing\"}]}"},
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"incoming_phone_numbers\":[{\"sid\":"
				"\"PN0123456789abcdef0123456789abcdef\","
				"\"phone_number\":\"+14155550000\","
				"\"friendly_name\":\"Main\"}]}"},
	};
	struct bench *b = bench_open(steps, 4);
	const struct twilio_answer *a;

	(void)state;
	assert_int_equal(twilio_conference_find(b->client, 1, "ovx 1"), 0);
	assert_string_equal(wait_answer(b, 1)->sid, CONFERENCE);
	assert_non_null(strstr(server_seen(b->server, 0)->head, "FriendlyName=ovx%201 "));
	assert_int_equal(twilio_conference_find(b->client, 2, "ovx-2"), 0);
	assert_int_equal(wait_answer(b, 2)->result, TWILIO_OK);
	assert_string_equal(wait_answer(b, 2)->sid, "");
	assert_int_equal(twilio_participant_list(b->client, 3, CONFERENCE), 0);
	a = wait_answer(b, 3);
	assert_int_equal(a->count, 2);
	assert_string_equal(a->list.participants[0].label, "a");
	assert_string_equal(a->list.participants[1].label, "");
	assert_string_equal(a->list.participants[1].status, "ringing");
	assert_int_equal(twilio_number_list(b->client, 4), 0);
	a = wait_answer(b, 4);
	assert_int_equal(a->count, 1);
	assert_string_equal(a->list.numbers[0].number, "+14155550000");
	assert_string_equal(a->list.numbers[0].friendly_name, "Main");
	bench_close(b);
}

static void requests_share_a_connection(void **state)
{
	static const struct step steps[] = {OK_FETCH, OK_CREATE, OK_FETCH};
	struct bench *b = bench_open(steps, 3);

	(void)state;
	assert_int_equal(twilio_call_fetch(b->client, 1, CALL), 0);
	(void)wait_answer(b, 1);
	assert_int_equal(bench_create(b, 2), 0);
	(void)wait_answer(b, 2);
	assert_int_equal(twilio_call_fetch(b->client, 3, CALL), 0);
	(void)wait_answer(b, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(server_seen(b->server, i)->connection, 0);
	bench_close(b);
}

static void a_connection_closed_while_idle_costs_no_call(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER_CLOSE, .status = 200, .body = FETCHED}, OK_CREATE};
	struct bench *b = bench_open(steps, 2);

	(void)state;
	assert_int_equal(twilio_call_fetch(b->client, 1, CALL), 0);
	(void)wait_answer(b, 1);
	assert_int_equal(server_wait_closed(b->server, 1), 0);
	assert_int_equal(bench_create(b, 2), 0);
	assert_int_equal(wait_answer(b, 2)->result, TWILIO_OK);
	assert_int_equal(count_posts(b), 1);
	bench_close(b);
}

static void what_is_no_sid_is_not_sent(void **state)
{
	struct bench *b = bench_open(NULL, 0);

	(void)state;
	assert_int_equal(twilio_call_fetch(b->client, 1, "CA1/../../x"), -EINVAL);
	assert_int_equal(twilio_call_fetch(b->client, 1, CONFERENCE), -EINVAL);
	assert_int_equal(twilio_call_update(b->client, 1, NULL, "completed"), -EINVAL);
	assert_int_equal(twilio_call_update(b->client, 1, CALL, "busy"), -EINVAL);
	assert_int_equal(twilio_participant_list(b->client, 1, "CF"), -EINVAL);
	bench_close(b);
	/* closing would have waited for an answer */
}

static void the_password_leaves_the_machine_only_encrypted(void **state)
{
	static const char *const refused[] = {"http://api.twilio.com",
		"http://10.0.0.1:80", "http://127.0.0.1.example.com",
		"http://localhost.example.com", "http://127.0.0.1@example.com",
		"ftp://127.0.0.1", "api.twilio.com", "", "https://api.twilio.com/path",
		"https://api.twilio.com?x=1", "https://u:p@api.twilio.com"};
	static const char *const taken[] = {"https://api.twilio.com",
		"https://api.twilio.com/", "http://127.0.0.1:1", "http://[::1]:1",
		"http://localhost:1"};
	struct bench b = {.count = 0};
	struct twilio_client *client = NULL;
	struct twilio_config config;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		config = bench_config(&b, refused[i]);
		assert_int_equal(twilio_client_new(&config, &client), -EINVAL);
		assert_null(client);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		config = bench_config(&b, taken[i]);
		assert_int_equal(twilio_client_new(&config, &client), 0);
		twilio_client_free(&client);
	}
}

static void an_api_key_takes_the_place_of_the_token(void **state)
{
	static const struct step steps[] = {OK_FETCH};
	struct bench *b = calloc(1, sizeof(*b));
	struct twilio_config config;
	char base[64];

	(void)state;
	assert_non_null(b);
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->changed, NULL);
	b->server = server_start(steps, 1);
	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%u", server_port(b->server));
	config = bench_config(b, base);
	config.api_key_sid = "SK1";
	config.api_key_secret = "s";
	assert_int_equal(twilio_client_new(&config, &b->client), 0);
	assert_int_equal(twilio_call_fetch(b->client, 1, CALL), 0);
	(void)wait_answer(b, 1);
	/* base64("SK1:s") */
	assert_non_null(strstr(server_seen(b->server, 0)->head, "Basic U0sxOnM=\r\n"));
	assert_non_null(strstr(server_seen(b->server, 0)->head, ACCOUNT));
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_create_sends_what_twilio_documents),
		cmocka_unit_test(
			a_create_on_a_reused_connection_that_dies_is_lost_and_sent_once),
		cmocka_unit_test(
			a_create_whose_answer_may_have_been_lost_is_never_repeated),
		cmocka_unit_test(a_create_that_cannot_connect_was_not_sent),
		cmocka_unit_test(a_create_without_a_tls_handshake_was_not_sent),
		cmocka_unit_test(a_create_refused_with_429_is_repeated_until_it_is_taken),
		cmocka_unit_test(a_create_refused_with_429_to_the_end_was_not_sent),
		cmocka_unit_test(a_create_lost_after_a_429_is_lost),
		cmocka_unit_test(a_retry_waits_as_long_as_twilio_asks),
		cmocka_unit_test(a_refusal_says_why_and_is_final),
		cmocka_unit_test(a_read_is_repeated_after_any_failure),
		cmocka_unit_test(a_read_that_fails_each_time_is_given_up),
		cmocka_unit_test(ending_a_call_is_repeated_because_it_may_be),
		cmocka_unit_test(a_list_of_calls_is_asked_by_both_numbers),
		cmocka_unit_test(the_other_lists_are_read),
		cmocka_unit_test(requests_share_a_connection),
		cmocka_unit_test(a_connection_closed_while_idle_costs_no_call),
		cmocka_unit_test(what_is_no_sid_is_not_sent),
		cmocka_unit_test(the_password_leaves_the_machine_only_encrypted),
		cmocka_unit_test(an_api_key_takes_the_place_of_the_token),
	};

	return cmocka_run_group_tests_name("twilio_client", tests, NULL, NULL);
}
