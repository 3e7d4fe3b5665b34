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
	const struct twiml_node *dial = twiml->root->children;
	const struct twiml_node *c = twiml_child(dial, TWIML_CONFERENCE);

	(void)state;
	assert_int_equal(twiml->warning_count, 0);
	assert_int_equal(twiml_kind(dial), TWIML_DIAL);
	assert_string_equal(twiml_text(dial, "action"), "/next");
	assert_ptr_equal(c->parent, dial);
	assert_string_equal(c->text, "ovx-1-2");
	assert_string_equal(twiml_text(c, "participantLabel"), "leg-7");
	assert_string_equal(twiml_text(c, "statusCallback"), "http://h/c?a=1&b=2");
	assert_string_equal(twiml_method(c, "statusCallbackMethod"), "GET");
	assert_string_equal(twiml_text(c, "waitUrl"), "");
	assert_int_equal(twiml_number(c, "maxParticipants", 250), 5);
	assert_true(twiml_flag(c, "muted", false));
	assert_int_equal(conference_events_parse(twiml_text(c, "statusCallbackEvent")),
		CONFERENCE_EVENT_START | CONFERENCE_EVENT_END | CONFERENCE_EVENT_JOIN |
			CONFERENCE_EVENT_LEAVE);
	twiml_free(&twiml);
	twiml_free(&twiml);
}

static void test_what_is_absent_has_the_default_that_is_asked_with(void **state)
{
	struct twiml *twiml =
		parse("<Response><Dial><Conference>x</Conference></Dial></Response>");
	const struct twiml_node *c = twiml_child(twiml->root->children, TWIML_CONFERENCE);

	(void)state;
	assert_null(twiml_text(c, "waitUrl"));
	assert_true(twiml_flag(c, "startConferenceOnEnter", true));
	assert_int_equal(twiml_number(c, "maxParticipants", 250), 250);
	assert_string_equal(twiml_method(c, "statusCallbackMethod"), "POST");
	twiml_free(&twiml);
}

static void test_verbs_come_in_their_order_with_their_text(void **state)
{
	struct twiml *twiml = parse(
		"<Response><!-- a comment --><Say> Good\n morning </Say>"
		"<Pause length=\"3\"/><Redirect method=\"GET\">\n /again \n</Redirect>"
		"<Gather numDigits=\"1\"><Say>Press</Say><Play>a.wav</Play></Gather>"
		"</Response>");
	const struct twiml_node *verb = twiml->root->children;

	(void)state;
	assert_int_equal(twiml->warning_count, 0);
	assert_string_equal(verb->text, "Good\n morning");
	assert_true(verb->element->answers);
	verb = verb->next;
	assert_int_equal(twiml_number(verb, "length", 1), 3);
	assert_false(verb->element->answers);
	verb = verb->next;
	assert_string_equal(verb->text, "/again");
	verb = verb->next;
	assert_int_equal(twiml_kind(verb), TWIML_GATHER);
	assert_string_equal(verb->children->next->text, "a.wav");
	assert_null(verb->next);
	twiml_free(&twiml);
}

static void test_an_empty_response_has_no_verbs(void **state)
{
	struct twiml *twiml = parse("<Response/>");

	(void)state;
	assert_null(twiml->root->children);
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

static void has_warning(const char *document, const char *warning)
{
	struct twiml *twiml = parse(document);

	assert_int_equal(twiml->warning_count, 1);
	assert_memory_equal(twiml->warnings[0], warning, strlen(warning));
	twiml_free(&twiml);
}

static void test_what_is_wrong_is_warned_of_by_its_number_and_skipped(void **state)
{
	struct twiml *twiml = parse("<Response><Dail/><say>x</say><Pause length=\"-4\"/>"
				    "<Dial timeout=\"soon\">+15551234</Dial></Response>");

	(void)state;
	assert_int_equal(twiml->warning_count, 4);
	assert_int_equal(twiml_kind(twiml->root->children), TWIML_PAUSE);
	assert_int_equal(twiml_number(twiml->root->children, "length", 1), 1);
	assert_null(twiml_text(twiml->root->children->next, "timeout"));
	twiml_free(&twiml);
	has_warning("<Response><Say tone=\"x\">a</Say></Response>",
		"12200 Say: it has no attribute tone");
	has_warning("<Response><Pause length=\"0\"/></Response>", "13910 Pause: length");
	has_warning("<Response><Gather finishOnKey=\"X\"/></Response>", "13310 ");
	has_warning("<Response><Gather><Dial/></Gather></Response>", "13320 Dial");
	has_warning("<Response><Dial><Say/></Dial></Response>", "13215 Say");
	has_warning("<Response><Number>1</Number></Response>", "12200 Number");
	has_warning("<Response><Dial><Conference muted=\"perhaps\">x</Conference></Dial>"
		    "</Response>",
		"13230 ");
	has_warning(
		"<Response><Redirect method=\"PUT\">/x</Redirect></Response>", "13710 ");
	has_warning("<Response><Reject reason=\"tired\"/></Response>", "13810 ");
	has_warning("<Response><Start><Transcription track=\"both\"/></Start></Response>",
		"12200 Transcription: track");
	has_warning("<Response><Stop><Siprec name=\"x\"/></Stop></Response>",
		"12200 Siprec: not acted on here");
	has_warning("<Response><Refer><Sip>sip:a@b</Sip></Refer></Response>",
		"12200 Refer: not acted on here");
}

static void test_entities_of_a_document_are_not_expanded(void **state)
{
	struct twiml *twiml = NULL;
	const char *text = "<!DOCTYPE r [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
			   "<Response><Redirect>&f;</Redirect></Response>";

	(void)state;
	if (twiml_parse(text, strlen(text), &twiml) != 0)
		return;
	assert_null(strstr(twiml->root->children->text, "root"));
	twiml_free(&twiml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_conference_is_read_with_all_its_attributes),
		cmocka_unit_test(test_what_is_absent_has_the_default_that_is_asked_with),
		cmocka_unit_test(test_verbs_come_in_their_order_with_their_text),
		cmocka_unit_test(test_an_empty_response_has_no_verbs),
		cmocka_unit_test(test_broken_xml_is_12100),
		cmocka_unit_test(test_a_wrong_root_is_12102),
		cmocka_unit_test(test_more_than_64_kb_is_11750),
		cmocka_unit_test(
			test_what_is_wrong_is_warned_of_by_its_number_and_skipped),
		cmocka_unit_test(test_entities_of_a_document_are_not_expanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
