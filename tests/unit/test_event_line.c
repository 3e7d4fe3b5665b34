/* test_event_line.c: events come out of their lines as they went in; what is no event is a resync. */
#include "gateway/event_line.h"

#include <string.h>

#include "unit/cmocka_all.h"

static void assert_same(const struct event_line *is, const struct event_line *wanted)
{
	assert_string_equal(is->type, wanted->type);
	assert_string_equal(is->data, wanted->data);
	assert_true(is->audience == wanted->audience);
	assert_true(is->session_id == wanted->session_id);
	assert_true(is->version == wanted->version);
}

static void events_come_out_as_they_went_in(void **state)
{
	static const struct event_line events[] = {
		{.type = "call", .data = "{\"a\":\"x y z\"}", .audience = -1},
		{.type = "agent",
			.data = "{}",
			.audience = INT64_MAX,
			.session_id = 7,
			.version = 12},
		{.type = "campaign",
			.data = "{\"reason\":\"\xc3\xa9 \\n\"}",
			.audience = -1},
	};
	struct event_line event;
	struct buf text = {0};
	char *at;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		event_line_write(&text, &events[i]);
	at = text.data;
	for (size_t i = 0; i < 3; i++) {
		assert_true(event_line_read(&at, &event));
		assert_same(&event, &events[i]);
	}
	assert_false(event_line_read(&at, &event));
	buf_free(&text);
}

static void what_is_no_event_is_a_resync(void **state)
{
	static const char *const lines[] = {"\n", "call\n", "call -1\n", "call -1 0 0\n",
		"call -1 0 0 \n", "call -1 0 0 text\n", "call x 0 0 {}\n",
		"call -1 -1 0 {}\n", "call -1 0 -1 {}\n", " -1 0 0 {}\n",
		"call -1 0 0 {\r}\n", "call\r -1 0 0 {}\n",
		"call -1 99999999999999999999 0 {}\n"};
	struct event_line event;
	char text[64], *at;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		strcpy(text, lines[i]);
		at = text;
		assert_true(event_line_read(&at, &event));
		assert_same(&event, &event_line_resync);
		assert_false(event_line_read(&at, &event));
	}
}

static void half_a_line_is_none(void **state)
{
	struct event_line event;
	char text[] = "call -1 0 0 {}", *at = text;

	(void)state;
	assert_false(event_line_read(&at, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_out_as_they_went_in),
		cmocka_unit_test(what_is_no_event_is_a_resync),
		cmocka_unit_test(half_a_line_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
