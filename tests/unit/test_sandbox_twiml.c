/* test_sandbox_twiml.c: TwiML is read once, and what is wrong with it is said. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sandbox/twiml.h"

static struct twiml *parse(const char *text)
{
	struct twiml *twiml = NULL;

	assert_int_equal(twiml_parse(text, strlen(text), &twiml), 0);
	return twiml;
}

static int refusal(const char *text)
{
	struct twiml *twiml = NULL;
	int error = twiml_parse(text, strlen(text), &twiml);

	assert_null(twiml);
	return error;
}

static void test_a_conference_is_read_with_all_its_attributes(void **state)
{
	struct twiml *twiml = parse(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Dial action=\"/next\">"
		"<Conference startConferenceOnEnter=\"true\" endConferenceOnExit=\"true\" "
		"muted=\"true\" participantLabel=\"leg-7\" waitUrl=\"\" beep=\"false\" "
		"maxParticipants=\"5\" statusCallback=\"http://h/c?a=1&amp;b=2\" "
		"statusCallbackEvent=\"start end join leave\" "
		"statusCallbackMethod=\"GET\"> ovx-1-2 </Conference></Dial></Response>");
	const struct twiml_conference *c = &twiml->verbs[0].conference;

	(void)state;
	assert_int_equal(twiml->count, 1);
	assert_int_equal(twiml->warning_count, 0);
	assert_int_equal(twiml->verbs[0].kind, TWIML_CONFERENCE);
	assert_string_equal(c->name, "ovx-1-2");
	assert_string_equal(c->label, "leg-7");
	assert_string_equal(c->action, "/next");
	assert_string_equal(c->status_callback, "http://h/c?a=1&b=2");
	assert_string_equal(c->status_callback_method, "GET");
	assert_int_equal(c->max_participants, 5);
	assert_true(c->muted && c->start_on_enter && c->end_on_exit);
	assert_int_equal(c->events, CONFERENCE_EVENT_START | CONFERENCE_EVENT_END |
					    CONFERENCE_EVENT_JOIN |
					    CONFERENCE_EVENT_LEAVE);
	twiml_free(&twiml);
}

static void test_defaults_are_those_of_the_documentation(void **state)
{
	struct twiml *twiml =
		parse("<Response><Dial><Conference>x</Conference></Dial></Response>");
	const struct twiml_conference *c = &twiml->verbs[0].conference;

	(void)state;
	assert_false(c->muted || c->end_on_exit);
	assert_true(c->start_on_enter);
	assert_int_equal(c->events, 0);
	assert_int_equal(c->max_participants, 250);
	assert_null(c->label);
	assert_null(c->status_callback);
	assert_string_equal(c->status_callback_method, "POST");
	twiml_free(&twiml);
}

static void test_speech_takes_time_and_pauses_are_seconds(void **state)
{
	struct twiml *twiml =
		parse("<Response><Say>Good morning</Say><Pause length=\"3\"/>"
		      "<Pause/><Play>http://h/a.wav</Play></Response>");

	(void)state;
	assert_int_equal(twiml->count, 4);
	assert_in_range(twiml->verbs[0].pause_ms, 500, 2000);
	assert_true(twiml->verbs[0].answers);
	assert_int_equal(twiml->verbs[1].pause_ms, 3000);
	assert_false(twiml->verbs[1].answers);
	assert_int_equal(twiml->verbs[2].pause_ms, 1000);
	assert_true(twiml->verbs[3].pause_ms > 0);
	twiml_free(&twiml);
}

static void test_redirect_reject_and_hangup_are_read(void **state)
{
	struct twiml *twiml =
		parse("<Response><Redirect method=\"GET\">\n /again \n</Redirect>"
		      "<Reject reason=\"busy\"/><Hangup/></Response>");

	(void)state;
	assert_int_equal(twiml->verbs[0].kind, TWIML_REDIRECT);
	assert_string_equal(twiml->verbs[0].url, "/again");
	assert_string_equal(twiml->verbs[0].method, "GET");
	assert_int_equal(twiml->verbs[1].kind, TWIML_REJECT);
	assert_true(twiml->verbs[1].busy);
	assert_int_equal(twiml->verbs[2].kind, TWIML_HANGUP);
	twiml_free(&twiml);
}

static void test_an_empty_response_has_no_verbs(void **state)
{
	struct twiml *twiml = parse("<Response/>");

	(void)state;
	assert_int_equal(twiml->count, 0);
	twiml_free(&twiml);
	twiml_free(&twiml);
}

static void test_broken_xml_is_12100(void **state)
{
	(void)state;
	assert_int_equal(refusal(""), TWIML_ERROR_PARSE);
	assert_int_equal(refusal("not xml at all"), TWIML_ERROR_PARSE);
	assert_int_equal(refusal("<Response><Dial></Response>"), TWIML_ERROR_PARSE);
	assert_int_equal(
		refusal("<Response><Say>a & b</Say></Response>"), TWIML_ERROR_PARSE);
	assert_int_equal(refusal("<Response/><Response/>"), TWIML_ERROR_PARSE);
}

static void test_a_wrong_root_is_12102(void **state)
{
	(void)state;
	assert_int_equal(refusal("<response/>"), TWIML_ERROR_ROOT);
	assert_int_equal(refusal("<html><body/></html>"), TWIML_ERROR_ROOT);
}

static void test_more_than_64_kb_is_11750(void **state)
{
	size_t len = TWIML_MAX + 1;
	char *text = malloc(len + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	text[len] = '\0';
	memcpy(text, "<Response/>", 11);
	assert_int_equal(refusal(text), TWIML_ERROR_SIZE);
	free(text);
}

static void test_what_is_not_acted_on_is_warned_of_and_skipped(void **state)
{
	struct twiml *twiml = parse(
		"<Response><Gather numDigits=\"1\"/><Dial>+15551234</Dial>"
		"<Dial><Conference muted=\"perhaps\" maxParticipants=\"1\">x</Conference>"
		"</Dial><Pause length=\"-4\"/></Response>");

	(void)state;
	assert_int_equal(twiml->count, 2);
	assert_int_equal(twiml->warning_count, 5);
	assert_false(twiml->verbs[0].conference.muted);
	assert_int_equal(twiml->verbs[0].conference.max_participants, 250);
	assert_int_equal(twiml->verbs[1].pause_ms, 1000);
	assert_memory_equal(twiml->warnings[0], "12200 Gather", 12);
	twiml_free(&twiml);
}

static void test_entities_of_a_document_are_not_expanded(void **state)
{
	struct twiml *twiml = NULL;
	const char *text = "<!DOCTYPE r [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
			   "<Response><Redirect>&f;</Redirect></Response>";

	(void)state;
	if (twiml_parse(text, strlen(text), &twiml) != 0)
		return;
	assert_null(strstr(twiml->verbs[0].url, "root"));
	twiml_free(&twiml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_conference_is_read_with_all_its_attributes),
		cmocka_unit_test(test_defaults_are_those_of_the_documentation),
		cmocka_unit_test(test_speech_takes_time_and_pauses_are_seconds),
		cmocka_unit_test(test_redirect_reject_and_hangup_are_read),
		cmocka_unit_test(test_an_empty_response_has_no_verbs),
		cmocka_unit_test(test_broken_xml_is_12100),
		cmocka_unit_test(test_a_wrong_root_is_12102),
		cmocka_unit_test(test_more_than_64_kb_is_11750),
		cmocka_unit_test(test_what_is_not_acted_on_is_warned_of_and_skipped),
		cmocka_unit_test(test_entities_of_a_document_are_not_expanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
