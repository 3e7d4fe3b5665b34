/* test_twilio_twiml.c: every document parses, and says what was asked for. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "twilio/twiml.h"

static xmlDocPtr parse(const struct buf *b)
{
	xmlDocPtr doc = xmlReadMemory(b->data, (int)b->len, "twiml", NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

	assert_non_null(doc);
	assert_string_equal((const char *)xmlDocGetRootElement(doc)->name, "Response");
	return doc;
}

static void assert_attribute(xmlNodePtr node, const char *name, const char *value)
{
	xmlChar *text = xmlGetProp(node, (const xmlChar *)name);

	assert_non_null(text);
	assert_string_equal((const char *)text, value);
	xmlFree(text);
}

static void assert_text(xmlNodePtr node, const char *name, const char *value)
{
	xmlChar *text = xmlNodeGetContent(node);

	assert_string_equal((const char *)node->name, name);
	assert_string_equal((const char *)text, value);
	xmlFree(text);
}

static void a_conference_ends_for_nobody_and_reports_everything(void **state)
{
	const struct twiml_conference conference = {.name = "ovx-1-2-3",
		.participant_label = "leg 7",
		.status_callback = "https://example.com/c?a=1&b=2#rc=3"};
	struct buf b = {0};

	(void)state;
	twiml_begin(&b);
	twiml_conference(&b, &conference);
	twiml_end(&b);
	assert_false(b.failed);
	assert_string_equal(b.data,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Dial><Conference"
		" startConferenceOnEnter=\"true\" endConferenceOnExit=\"false\" beep=\"false\""
		" waitUrl=\"\" participantLabel=\"leg 7\""
		" statusCallback=\"https://example.com/c?a=1&amp;b=2#rc=3\""
		" statusCallbackEvent=\"start end join leave mute hold modify announcement\">"
		"ovx-1-2-3</Conference></Dial></Response>");
	buf_free(&b);
}

static void a_conference_without_extras_has_none(void **state)
{
	const struct twiml_conference conference = {.name = "n"};
	struct buf b = {0};

	(void)state;
	twiml_begin(&b);
	twiml_conference(&b, &conference);
	twiml_end(&b);
	assert_null(strstr(b.data, "participantLabel"));
	assert_null(strstr(b.data, "statusCallback"));
	buf_free(&b);
}

static void verbs_stand_in_order(void **state)
{
	struct buf b = {0};
	xmlDocPtr doc;
	xmlNodePtr node;

	(void)state;
	twiml_begin(&b);
	twiml_say(&b, "Hello");
	twiml_hangup(&b);
	twiml_end(&b);
	doc = parse(&b);
	node = xmlDocGetRootElement(doc)->children;
	assert_text(node, "Say", "Hello");
	node = node->next;
	assert_text(node, "Hangup", "");
	assert_null(node->next);
	xmlFreeDoc(doc);
	buf_free(&b);
}

static void nothing_in_a_text_leaves_its_place(void **state)
{
	static const char nasty[] = "</Say><Dial>&amp;\"'<![CDATA[]]>\t\r\n\xe2\x98\x83";
	const struct twiml_conference conference = {
		.name = nasty, .participant_label = nasty, .status_callback = nasty};
	struct buf b = {0};
	xmlDocPtr doc;
	xmlNodePtr node;

	(void)state;
	twiml_begin(&b);
	twiml_say(&b, nasty);
	twiml_conference(&b, &conference);
	twiml_end(&b);
	doc = parse(&b);
	node = xmlDocGetRootElement(doc)->children;
	assert_text(node, "Say", nasty);
	node = node->next->children;
	assert_text(node, "Conference", nasty);
	assert_attribute(node, "participantLabel", nasty);
	assert_attribute(node, "statusCallback", nasty);
	xmlFreeDoc(doc);
	buf_free(&b);
}

static void what_xml_forbids_is_left_out(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\x01\x1f\x0bz", "az"},
		{"a\x7fz", "a\x7fz"},
		{"a\xff\xfe\x80z", "az"},
		{"a\xc0\xafz", "az"},         /* overlong */
		{"a\xed\xa0\x80z", "az"},     /* surrogate */
		{"a\xef\xbf\xbez", "az"},     /* U+FFFE */
		{"a\xf4\x90\x80\x80z", "az"}, /* above U+10FFFF */
		{"a\xe2\x98", "a"},           /* cut */
		{"a\xf0\x9f\x98\x80z", "a\xf0\x9f\x98\x80z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		xmlDocPtr doc;

		twiml_begin(&b);
		twiml_say(&b, cases[i].in);
		twiml_end(&b);
		doc = parse(&b);
		assert_text(xmlDocGetRootElement(doc)->children, "Say", cases[i].out);
		xmlFreeDoc(doc);
		buf_free(&b);
	}
}

static void any_bytes_make_a_document_that_parses(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char text[24];
		struct buf b = {0};

		for (size_t i = 0; i + 1 < sizeof(text); i++) {
			seed = seed * 1103515245U + 12345U;
			text[i] = (char)(seed >> 16 & 0xff);
		}
		text[sizeof(text) - 1] = '\0';
		twiml_begin(&b);
		twiml_conference(&b, &(struct twiml_conference){
					     .name = text, .participant_label = text});
		twiml_end(&b);
		xmlFreeDoc(parse(&b));
		buf_free(&b);
	}
}

static void a_key_is_gathered_while_a_text_is_said(void **state)
{
	struct buf b = {0};
	xmlDocPtr doc;
	xmlNodePtr gather;
	xmlChar *value;

	(void)state;
	twiml_begin(&b);
	twiml_gather_key(
		&b, "https://x.example/in?key=1&a=\"b\"", 5, "Press 9 & <wait>.");
	twiml_end(&b);
	doc = parse(&b);
	gather = xmlDocGetRootElement(doc)->children;
	assert_string_equal((const char *)gather->name, "Gather");
	value = xmlGetProp(gather, (const xmlChar *)"action");
	assert_string_equal((const char *)value, "https://x.example/in?key=1&a=\"b\"");
	xmlFree(value);
	value = xmlGetProp(gather, (const xmlChar *)"numDigits");
	assert_string_equal((const char *)value, "1");
	xmlFree(value);
	assert_string_equal((const char *)gather->children->name, "Say");
	value = xmlNodeGetContent(gather->children);
	assert_string_equal((const char *)value, "Press 9 & <wait>.");
	xmlFree(value);
	xmlFreeDoc(doc);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conference_ends_for_nobody_and_reports_everything),
		cmocka_unit_test(a_conference_without_extras_has_none),
		cmocka_unit_test(verbs_stand_in_order),
		cmocka_unit_test(nothing_in_a_text_leaves_its_place),
		cmocka_unit_test(what_xml_forbids_is_left_out),
		cmocka_unit_test(a_key_is_gathered_while_a_text_is_said),
		cmocka_unit_test(any_bytes_make_a_document_that_parses),
	};
	int failed = cmocka_run_group_tests_name("twilio_twiml", tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
