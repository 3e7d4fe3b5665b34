/* test_twilio_nouns.c: each request as Twilio documents it, and what is read from its answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/account.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "twilio/recordings.h"
#include "unit/twilio_bench.h"

#define RECORDING "RE0123456789abcdef0123456789abcdef"
#define NUMBER "PN0123456789abcdef0123456789abcdef"
#define APP "AP0123456789abcdef0123456789abcdef"
#define DOMAIN "SD0123456789abcdef0123456789abcdef"
#define LIST "CL0123456789abcdef0123456789abcdef"
#define CREDENTIAL "CR0123456789abcdef0123456789abcdef"

typedef int asking(struct twilio_client *client);

/* Asks, and holds the first line and the body of the request against what is expected. */
static const struct twilio_answer *expect(
	struct bench *b, asking *ask, const char *line, const char *body)
{
	size_t n = server_seen_count(b->server);
	const struct twilio_answer *answer;
	char head[512];

	assert_int_equal(ask(b->client), 0);
	answer = wait_answer(b, n + 1);
	(void)snprintf(head, sizeof(head), "%s HTTP/1.1\r\n", line);
	if (strncmp(server_seen(b->server, n)->head, head, strlen(head)) != 0)
		assert_string_equal(server_seen(b->server, n)->head, head);
	assert_string_equal(server_seen(b->server, n)->body, body);
	return answer;
}

static struct bench *answering(int status, const char *body)
{
	const struct step steps[] = {
		{.kind = STEP_ANSWER, .status = status, .body = body}};

	return bench_open(steps, 1);
}

/* One request whose answer is read as its op wants it. */
static void one(
	asking *ask, const char *line, const char *form, int status, const char *reply)
{
	struct bench *b = answering(status, reply);
	const struct twilio_answer *answer = expect(b, ask, line, form);

	assert_int_equal(answer->result, TWILIO_OK);
	bench_close(b);
}

/* ---- calls ---- */

static int redirect_call(struct twilio_client *client)
{
	return twilio_call_redirect(client, 1, CALL, NULL, "<Response/>");
}

static void a_call_is_redirected(void **state)
{
	(void)state;
	one(redirect_call, "POST " ROOT "/Calls/" CALL ".json", "Twiml=%3CResponse%2F%3E",
		200, FETCHED);
}

static void a_call_is_redirected_to_exactly_one_source(void **state)
{
	struct bench *b = bench_open(NULL, 0);

	(void)state;
	assert_int_equal(twilio_call_redirect(b->client, 1, CALL, NULL, NULL), -EINVAL);
	assert_int_equal(twilio_call_redirect(b->client, 1, CALL, "https://example.com",
				 "<Response/>"),
		-EINVAL);
	bench_close(b);
}

/* ---- conferences and participants ---- */

static int fetch_participant(struct twilio_client *client)
{
	return twilio_participant_fetch(client, 1, CONFERENCE, "agent 1");
}

static int hold_participant(struct twilio_client *client)
{
	return twilio_participant_update(client, 1, CONFERENCE, CALL,
		&(struct twilio_participant_change){.hold = "true"});
}

static int call_customer(struct twilio_client *client)
{
	return twilio_participant_create(client, 1,
		&(struct twilio_participant){.conference = "room",
			.from = "+14155550000",
			.to = "+14155552671",
			.machine_detection = "Enable",
			.amd_callback = "https://e.com/amd"});
}

static void participants_are_called_and_changed(void **state)
{
	static const char participant[] =
		"{\"call_sid\":\"" CALL "\",\"conference_sid\":\"" CONFERENCE
		"\",\"label\":\"a\",\"status\":\"connected\",\"hold\":true,\"muted\":false}";
	struct bench *b;
	const struct twilio_answer *answer;

	(void)state;
	one(fetch_participant,
		"GET " ROOT "/Conferences/" CONFERENCE "/Participants/agent%201.json", "",
		200, participant);
	one(call_customer, "POST " ROOT "/Conferences/room/Participants.json",
		"From=%2B14155550000&To=%2B14155552671&EarlyMedia=false&Beep=false"
		"&StartConferenceOnEnter=true&EndConferenceOnExit=false&WaitUrl="
		"&MachineDetection=Enable"
		"&AmdStatusCallback=https%3A%2F%2Fe.com%2Famd",
		201, CREATED);

	b = answering(200, participant);
	answer = expect(b, hold_participant,
		"POST " ROOT "/Conferences/" CONFERENCE "/Participants/" CALL ".json",
		"Hold=true");
	assert_int_equal(answer->count, 1);
	assert_string_equal(answer->sid, CALL);
	assert_string_equal(answer->list.participants[0].conference_sid, CONFERENCE);
	assert_true(answer->list.participants[0].hold);
	assert_false(answer->list.participants[0].muted);
	bench_close(b);
}

/* ---- recordings ---- */

static int start_recording(struct twilio_client *client)
{
	return twilio_recording_create(client, 1, CALL, "https://e.com/r");
}

static int pause_recording(struct twilio_client *client)
{
	return twilio_recording_update(client, 1, CALL, NULL, "paused");
}

static int resume_recording(struct twilio_client *client)
{
	return twilio_recording_update(client, 1, CALL, RECORDING, "in-progress");
}

static int fetch_recording(struct twilio_client *client)
{
	return twilio_recording_fetch(client, 1, RECORDING);
}

static int delete_recording(struct twilio_client *client)
{
	return twilio_recording_delete(client, 1, RECORDING);
}

static int list_recordings(struct twilio_client *client)
{
	return twilio_recording_list(client, 1, CALL);
}

static void recordings_are_started_paused_listed_and_deleted(void **state)
{
	static const char recording[] =
		"{\"sid\":\"" RECORDING "\",\"call_sid\":\"" CALL
		"\",\"status\":\"completed\",\"channels\":2,\"duration\":\"17\","
		"\"error_code\":null,\"start_time\":\"Fri, 20 Aug 2010 01:13:42 +0000\"}";
	struct bench *b;
	const struct twilio_answer *answer;

	(void)state;
	one(start_recording, "POST " ROOT "/Calls/" CALL "/Recordings.json",
		"RecordingChannels=dual&RecordingStatusCallback=https%3A%2F%2Fe.com%2Fr"
		"&RecordingStatusCallbackEvent=in-progress"
		"&RecordingStatusCallbackEvent=completed&RecordingStatusCallbackEvent=absent",
		201, recording);
	one(pause_recording,
		"POST " ROOT "/Calls/" CALL "/Recordings/Twilio.CURRENT.json",
		"Status=paused&PauseBehavior=skip", 200, recording);
	one(resume_recording,
		"POST " ROOT "/Calls/" CALL "/Recordings/" RECORDING ".json",
		"Status=in-progress", 200, recording);
	one(delete_recording, "DELETE " ROOT "/Recordings/" RECORDING ".json", "", 204,
		"");
	one(list_recordings, "GET " ROOT "/Recordings.json?PageSize=50&CallSid=" CALL, "",
		200, "{\"recordings\":[],\"next_page_uri\":null}");
	b = answering(200, recording);
	answer = expect(
		b, fetch_recording, "GET " ROOT "/Recordings/" RECORDING ".json", "");
	assert_int_equal(answer->list.recordings[0].duration_s, 17);
	assert_int_equal(answer->list.recordings[0].channels, 2);
	assert_int_equal(answer->list.recordings[0].error_code, 0);
	assert_int_equal(answer->list.recordings[0].started_ms, 1282266822000);
	bench_close(b);
}

/* ---- the account ---- */

static int list_caller_ids(struct twilio_client *client)
{
	return twilio_caller_id_list(client, 1);
}

static const struct twilio_voice voice = {.friendly_name = "Ours",
	.url = "https://e.com/v",
	.fallback_url = "",
	.status_callback = "https://e.com/s"};

static int update_number(struct twilio_client *client)
{
	return twilio_number_update(client, 1, NUMBER, &voice);
}

static int take_number_out(struct twilio_client *client)
{
	return twilio_number_update(client, 1, NUMBER,
		&(struct twilio_voice){.url = "https://e.com/v",
			.leave_application = true,
			.leave_trunk = true});
}

static int list_applications(struct twilio_client *client)
{
	return twilio_application_list(client, 1, "Ours & theirs");
}

static int create_application(struct twilio_client *client)
{
	return twilio_application_create(client, 1, &voice);
}

static int update_application(struct twilio_client *client)
{
	return twilio_application_update(
		client, 1, APP, &(struct twilio_voice){.url = "https://e.com/v"});
}

static void numbers_and_applications_are_set_up(void **state)
{
	static const char number[] =
		"{\"sid\":\"" NUMBER "\",\"phone_number\":\"+14155550000\","
		"\"capabilities\":{\"voice\":true},"
		"\"voice_url\":\"https://e.com/v\"}";
	static const char app[] =
		"{\"sid\":\"" APP "\",\"friendly_name\":\"Ours\",\"voice_url\":null}";
	struct bench *b;
	const struct twilio_answer *answer;

	(void)state;
	b = answering(200, number);
	answer = expect(b, update_number,
		"POST " ROOT "/IncomingPhoneNumbers/" NUMBER ".json",
		"FriendlyName=Ours&VoiceUrl=https%3A%2F%2Fe.com%2Fv&VoiceMethod=POST"
		"&VoiceFallbackUrl=&VoiceFallbackMethod=GET"
		"&StatusCallback=https%3A%2F%2Fe.com%2Fs&StatusCallbackMethod=POST");
	assert_true(answer->list.numbers[0].voice);
	assert_string_equal(answer->list.numbers[0].voice_url, "https://e.com/v");
	bench_close(b);
	one(take_number_out, "POST " ROOT "/IncomingPhoneNumbers/" NUMBER ".json",
		"VoiceUrl=https%3A%2F%2Fe.com%2Fv&VoiceMethod=POST"
		"&VoiceApplicationSid=&TrunkSid=",
		200, number);
	one(list_caller_ids, "GET " ROOT "/OutgoingCallerIds.json?PageSize=50", "", 200,
		"{\"outgoing_caller_ids\":[{\"sid\":\"" NUMBER
		"\",\"phone_number\":\"+14155550000\"}]}");
	one(list_applications,
		"GET " ROOT
		"/Applications.json?PageSize=50&FriendlyName=Ours%20%26%20theirs",
		"", 200, "{\"applications\":[]}");
	one(create_application, "POST " ROOT "/Applications.json",
		"FriendlyName=Ours&VoiceUrl=https%3A%2F%2Fe.com%2Fv&VoiceMethod=POST"
		"&VoiceFallbackUrl=&VoiceFallbackMethod=GET"
		"&StatusCallback=https%3A%2F%2Fe.com%2Fs&StatusCallbackMethod=POST",
		201, app);
	one(update_application, "POST " ROOT "/Applications/" APP ".json",
		"VoiceUrl=https%3A%2F%2Fe.com%2Fv&VoiceMethod=POST", 200, app);
}

/* ---- SIP ---- */

static int list_domains(struct twilio_client *client)
{
	return twilio_sip_domain_list(client, 1);
}

static int create_domain(struct twilio_client *client)
{
	return twilio_sip_domain_create(client, 1, "ours.sip.twilio.com", &voice);
}

static int update_domain(struct twilio_client *client)
{
	return twilio_sip_domain_update(client, 1, DOMAIN,
		&(struct twilio_voice){.status_callback = "https://s"});
}

static int list_lists(struct twilio_client *client)
{
	return twilio_sip_credential_list_list(client, 1);
}

static int create_list(struct twilio_client *client)
{
	return twilio_sip_credential_list_create(client, 1, "Ours");
}

static int list_credentials(struct twilio_client *client)
{
	return twilio_sip_credential_list(client, 1, LIST);
}

static int create_credential(struct twilio_client *client)
{
	return twilio_sip_credential_create(client, 1, LIST, "gateway", "Long-Pass-1");
}

static int list_mappings(struct twilio_client *client)
{
	return twilio_sip_mapping_list(client, 1, DOMAIN);
}

static int create_mapping(struct twilio_client *client)
{
	return twilio_sip_mapping_create(client, 1, DOMAIN, LIST);
}

static void sip_domains_and_credentials_are_set_up(void **state)
{
	static const char domain[] =
		"{\"sid\":\"" DOMAIN "\",\"domain_name\":\"ours.sip.twilio.com\"}";
	static const char list[] = "{\"sid\":\"" LIST "\",\"friendly_name\":\"Ours\"}";
	static const char credential[] =
		"{\"sid\":\"" CREDENTIAL "\",\"username\":\"gateway\"}";

	(void)state;
	one(list_domains, "GET " ROOT "/SIP/Domains.json?PageSize=50", "", 200,
		"{\"domains\":[]}");
	one(create_domain, "POST " ROOT "/SIP/Domains.json",
		"DomainName=ours.sip.twilio.com&FriendlyName=Ours"
		"&VoiceUrl=https%3A%2F%2Fe.com%2Fv&VoiceMethod=POST&VoiceFallbackUrl="
		"&VoiceFallbackMethod=GET&VoiceStatusCallbackUrl=https%3A%2F%2Fe.com%2Fs"
		"&VoiceStatusCallbackMethod=POST",
		201, domain);
	one(update_domain, "POST " ROOT "/SIP/Domains/" DOMAIN ".json",
		"VoiceStatusCallbackUrl=https%3A%2F%2Fs&VoiceStatusCallbackMethod=POST",
		200, domain);
	one(list_lists, "GET " ROOT "/SIP/CredentialLists.json?PageSize=50", "", 200,
		"{\"credential_lists\":[]}");
	one(create_list, "POST " ROOT "/SIP/CredentialLists.json", "FriendlyName=Ours",
		201, list);
	one(list_credentials,
		"GET " ROOT "/SIP/CredentialLists/" LIST "/Credentials.json?PageSize=50",
		"", 200, "{\"credentials\":[]}");
	one(create_credential,
		"POST " ROOT "/SIP/CredentialLists/" LIST "/Credentials.json",
		"Username=gateway&Password=Long-Pass-1", 201, credential);
	one(list_mappings,
		"GET " ROOT "/SIP/Domains/" DOMAIN
		"/Auth/Calls/CredentialListMappings.json?PageSize=50",
		"", 200, "{\"contents\":[]}");
	one(create_mapping,
		"POST " ROOT "/SIP/Domains/" DOMAIN
		"/Auth/Calls/CredentialListMappings.json",
		"CredentialListSid=" LIST, 201, list);
}

/* ---- pages ---- */

#define PAGE_2 ROOT "/Calls.json?PageSize=50&Page=1&PageToken=PA%2b%2F..~x"

static void the_next_page_is_asked_for_exactly_as_it_was_named(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"calls\":[" FETCHED "],\"next_page_uri\":\"" PAGE_2
				"\"}"},
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"calls\":[" FETCHED "],\"next_page_uri\":null}"},
	};
	struct bench *b = bench_open(steps, 2);
	const struct twilio_answer *answer;

	(void)state;
	assert_int_equal(twilio_call_list(b->client, 1, NULL, NULL), 0);
	answer = wait_answer(b, 1);
	assert_string_equal(answer->next_page, PAGE_2);
	assert_int_equal(
		twilio_next_page(b->client, TWILIO_CALL_LIST, 2, answer->next_page), 0);
	answer = wait_answer(b, 2);
	assert_int_equal(answer->result, TWILIO_OK);
	assert_int_equal(answer->count, 1);
	assert_null(answer->next_page);
	assert_non_null(
		strstr(server_seen(b->server, 1)->head, "GET " PAGE_2 " HTTP/1.1\r\n"));
	assert_int_equal(server_seen(b->server, 1)->connection, 0);
	bench_close(b);
}

/* The password goes to no other host because an answer says so. */
static void a_next_page_elsewhere_is_not_believed(void **state)
{
	static const struct step steps[] = {
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"calls\":[],\"next_page_uri\":\"http://evil.example/x\"}"},
		{.kind = STEP_ANSWER,
			.status = 200,
			.body = "{\"calls\":[],\"next_page_uri\":\"//evil.example/x\"}"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct step repeated[] = {steps[i], steps[i], steps[i], steps[i]};
		struct bench *b = bench_open(repeated, 4);

		assert_int_equal(twilio_call_list(b->client, 1, NULL, NULL), 0);
		assert_int_equal(wait_answer(b, 1)->result, TWILIO_LOST);
		assert_null(wait_answer(b, 1)->next_page);
		assert_int_equal(twilio_next_page(b->client, TWILIO_CALL_LIST, 2,
					 "http://evil.example/x"),
			-EINVAL);
		assert_int_equal(
			twilio_next_page(b->client, TWILIO_CALL_FETCH, 2, "/x"), -EINVAL);
		bench_close(b);
	}
}

static void what_is_no_sid_goes_into_no_path(void **state)
{
	struct bench *b = bench_open(NULL, 0);
	struct twilio_client *c = b->client;

	(void)state;
	assert_int_equal(twilio_participant_fetch(c, 1, "CF/..", CALL), -EINVAL);
	assert_int_equal(twilio_participant_fetch(c, 1, CALL, CALL), -EINVAL);
	assert_int_equal(twilio_participant_fetch(c, 1, CONFERENCE, ""), -EINVAL);
	assert_int_equal(twilio_participant_update(c, 1, CONFERENCE, CALL,
				 &(struct twilio_participant_change){0}),
		-EINVAL);
	assert_int_equal(twilio_recording_create(c, 1, RECORDING, NULL), -EINVAL);
	assert_int_equal(
		twilio_recording_update(c, 1, CALL, RECORDING, "deleted"), -EINVAL);
	assert_int_equal(twilio_recording_delete(c, 1, CALL), -EINVAL);
	assert_int_equal(twilio_number_update(c, 1, APP, &voice), -EINVAL);
	assert_int_equal(twilio_application_update(c, 1, NUMBER, &voice), -EINVAL);
	assert_int_equal(twilio_sip_domain_update(c, 1, LIST, &voice), -EINVAL);
	assert_int_equal(twilio_sip_credential_list(c, 1, DOMAIN), -EINVAL);
	assert_int_equal(twilio_sip_mapping_create(c, 1, LIST, DOMAIN), -EINVAL);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_redirected),
		cmocka_unit_test(a_call_is_redirected_to_exactly_one_source),
		cmocka_unit_test(participants_are_called_and_changed),
		cmocka_unit_test(recordings_are_started_paused_listed_and_deleted),
		cmocka_unit_test(numbers_and_applications_are_set_up),
		cmocka_unit_test(sip_domains_and_credentials_are_set_up),
		cmocka_unit_test(the_next_page_is_asked_for_exactly_as_it_was_named),
		cmocka_unit_test(a_next_page_elsewhere_is_not_believed),
		cmocka_unit_test(what_is_no_sid_goes_into_no_path),
	};

	return cmocka_run_group_tests_name("twilio_nouns", tests, NULL, NULL);
}
