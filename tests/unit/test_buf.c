/* test_buf.c: base/buf.h. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

static void what_is_added_stands_in_order_and_ends_with_nul(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_add_str(&b, "cd");
	buf_add_char(&b, 'e');
	buf_printf(&b, "-%d-%s", 42, "f");
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "a\0bcde-42-f", 12);
	assert_false(b.failed);
	buf_free(&b);
}

static void a_buffer_grows_over_many_sizes(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%05d", i);
	assert_int_equal(b.len, 50000);
	assert_memory_equal(b.data + 5 * 1234, "01234", 5);
	assert_int_equal(b.data[b.len], '\0');
	buf_free(&b);
}

static void an_empty_buffer_can_be_taken_as_an_empty_text(void **state)
{
	struct buf b = {0};
	char *text = buf_take(&b);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
}

static void taking_hands_the_memory_over_and_leaves_the_buffer_usable(void **state)
{
	struct buf b = {0};
	char *text;

	(void)state;
	buf_add_str(&b, "mine");
	text = buf_take(&b);
	assert_null(b.data);
	buf_add_str(&b, "other");
	assert_string_equal(text, "mine");
	assert_string_equal(b.data, "other");
	free(text);
	buf_free(&b);
	buf_free(&b);
}

static void a_reset_buffer_is_empty_and_keeps_its_memory(void **state)
{
	struct buf b = {0};
	char *data;

	(void)state;
	buf_add_str(&b, "old");
	data = b.data;
	buf_reset(&b);
	assert_ptr_equal(b.data, data);
	assert_string_equal(b.data, "");
	buf_free(&b);
	buf_reset(&b);
}

static void a_failed_allocation_is_told_once_at_the_end(void **state)
{
	struct buf b = {0};
	char big[300];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (unsigned nth = 1; nth <= 2; nth++) {
		failing_alloc_at(nth);
		buf_add_str(&b, "small");
		buf_add(&b, big, sizeof(big));
		buf_printf(&b, "%d", 1);
		assert_true(failing_alloc_happened());
		assert_true(b.failed);
		assert_null(buf_take(&b));
		assert_false(b.failed);
	}
	failing_alloc_at(0);
}

static void a_length_that_cannot_be_is_refused(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_str(&b, "x");
	buf_add(&b, "x", SIZE_MAX);
	assert_true(b.failed);
	assert_int_equal(b.len, 1);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_stands_in_order_and_ends_with_nul),
		cmocka_unit_test(a_buffer_grows_over_many_sizes),
		cmocka_unit_test(an_empty_buffer_can_be_taken_as_an_empty_text),
		cmocka_unit_test(
			taking_hands_the_memory_over_and_leaves_the_buffer_usable),
		cmocka_unit_test(a_reset_buffer_is_empty_and_keeps_its_memory),
		cmocka_unit_test(a_failed_allocation_is_told_once_at_the_end),
		cmocka_unit_test(a_length_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
