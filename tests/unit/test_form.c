/* test_form.c: base/form.h. */
#include "base/form.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/failing_alloc.h"

static int parse(const char *text, struct form *ret_form)
{
	return form_parse(text, strlen(text), 8, ret_form);
}

static void pairs_are_decoded_in_order_and_repeats_are_kept(void **state)
{
	struct form form = {0};

	(void)state;
	assert_int_equal(parse("To=%2B14155552671&a+b=c%20d&To=x", &form), 0);
	assert_int_equal(form.count, 3);
	assert_string_equal(form.pairs[0].name, "To");
	assert_string_equal(form.pairs[0].value, "+14155552671");
	assert_string_equal(form.pairs[1].name, "a b");
	assert_string_equal(form.pairs[1].value, "c d");
	assert_string_equal(form.pairs[2].value, "x");
	assert_string_equal(form_get(&form, "To"), "+14155552671");
	assert_null(form_get(&form, "to"));
	form_free(&form);
	form_free(&form);
}

static void missing_equals_signs_names_and_values_are_empty_texts(void **state)
{
	struct form form = {0};

	(void)state;
	assert_int_equal(parse("&&a&=b&c=&d==e&", &form), 0);
	assert_int_equal(form.count, 4);
	assert_string_equal(form_get(&form, "a"), "");
	assert_string_equal(form_get(&form, ""), "b");
	assert_string_equal(form_get(&form, "c"), "");
	assert_string_equal(form_get(&form, "d"), "=e");
	form_free(&form);
}

static void an_empty_body_is_a_form_without_pairs(void **state)
{
	struct form form = {.count = 9};

	(void)state;
	assert_int_equal(form_parse("", 0, 8, &form), 0);
	assert_int_equal(form.count, 0);
	assert_null(form_get(&form, "a"));
	form_free(&form);
}

static void broken_escapes_and_nul_bytes_are_refused(void **state)
{
	static const char *const broken[] = {
		"a=%", "a=%4", "a=%4x", "a=%x4", "%=b", "a=%00", "%00=b", "ok=1&a=%zz"};
	struct form form = {.count = 9};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(parse(broken[i], &form), -EINVAL);
	assert_int_equal(form_parse("a=\0b", 4, 8, &form), -EINVAL);
	assert_int_equal(form.count, 9);
}

static void only_so_many_pairs_are_taken(void **state)
{
	struct form form = {0};

	(void)state;
	assert_int_equal(parse("a&b&c&d&e&f&g&h", &form), 0);
	form_free(&form);
	assert_int_equal(parse("a&b&c&d&e&f&g&h&i", &form), -E2BIG);
	assert_int_equal(form.count, 0);
}

static void what_is_written_is_read_back_the_same(void **state)
{
	char all[256];
	struct buf b = {0};
	struct form form = {0};

	(void)state;
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	form_add(&b, "n&me", all);
	form_add(&b, "empty", "");
	form_add_int(&b, "number", -5);
	assert_int_equal(form_parse(b.data, b.len, 8, &form), 0);
	assert_int_equal(form.count, 3);
	assert_string_equal(form_get(&form, "n&me"), all);
	assert_string_equal(form_get(&form, "empty"), "");
	assert_string_equal(form_get(&form, "number"), "-5");
	form_free(&form);
	buf_free(&b);
}

static void only_unreserved_characters_are_written_bare(void **state)
{
	struct buf b = {0};

	(void)state;
	form_escape(&b, "aZ09-_.~ +*/\xc3\xa9");
	assert_string_equal(b.data, "aZ09-_.~%20%2B%2A%2F%C3%A9");
	buf_free(&b);
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
	struct form form = {.count = 9};

	(void)state;
	for (unsigned nth = 1; nth <= 2; nth++) {
		failing_alloc_at(nth);
		assert_int_equal(parse("a=1&b=2", &form), -ENOMEM);
		assert_true(failing_alloc_happened());
	}
	failing_alloc_at(0);
	assert_int_equal(form.count, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_decoded_in_order_and_repeats_are_kept),
		cmocka_unit_test(missing_equals_signs_names_and_values_are_empty_texts),
		cmocka_unit_test(an_empty_body_is_a_form_without_pairs),
		cmocka_unit_test(broken_escapes_and_nul_bytes_are_refused),
		cmocka_unit_test(only_so_many_pairs_are_taken),
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(only_unreserved_characters_are_written_bare),
		cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
