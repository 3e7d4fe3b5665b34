/* test_sandbox_faults.c: bad luck comes the same way every time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "sandbox/faults.h"
#include "sandbox/webhook.h"

static void draw(double rate, uint64_t seed, int others, char ret[200])
{
	struct faults faults = {0};
	int i, k;

	faults_set(&faults, FAULT_DUP, rate, 0, seed);
	faults_set(&faults, FAULT_DROP, 0.5, 0, seed);
	for (i = 0; i < 200; i++) {
		for (k = 0; k < others; k++)
			(void)faults_fire(&faults, FAULT_DROP);
		ret[i] = (char)faults_fire(&faults, FAULT_DUP);
	}
}

static void test_the_nth_chance_depends_on_kind_and_seed_alone(void **state)
{
	char alone[200], among[200], other[200];

	(void)state;
	draw(0.3, 5, 0, alone);
	draw(0.3, 5, 3, among);
	draw(0.3, 6, 0, other);
	assert_memory_equal(alone, among, sizeof(alone));
	assert_memory_not_equal(alone, other, sizeof(alone));
}

static void test_rate_zero_never_and_one_always(void **state)
{
	struct faults faults = {0};
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_false(faults_fire(&faults, FAULT_HTTP500));
	faults_set(&faults, FAULT_HTTP500, 1, 0, 1);
	for (i = 0; i < 100; i++)
		assert_true(faults_fire(&faults, FAULT_HTTP500));
	assert_int_equal(faults.kinds[FAULT_HTTP500].fired, 100);
	assert_int_equal(faults.kinds[FAULT_HTTP500].chances, 100);
}

static void test_every_kind_has_a_word_of_its_own(void **state)
{
	enum fault_kind kind;
	unsigned i;

	(void)state;
	for (i = 0; i < FAULT_KINDS; i++) {
		assert_int_equal(fault_parse(fault_text((enum fault_kind)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_true(fault_parse("earthquake", &kind) < 0);
}

static void test_connection_overrides_are_read_from_the_fragment(void **state)
{
	struct webhook_rules rules = webhook_rules("http://h/");

	(void)state;
	assert_int_equal(rules.connect_ms, 5000);
	assert_int_equal(rules.read_ms, 15000);
	assert_int_equal(rules.retries, 1);
	assert_true(rules.on_connect);
	assert_false(rules.on_read || rules.on_4xx || rules.on_5xx);
	rules = webhook_rules("http://h/?q=1#ct=2000&rt=4500&tt=15000&rc=3&rp=ct,rt,5xx");
	assert_int_equal(rules.connect_ms, 2000);
	assert_int_equal(rules.read_ms, 4500);
	assert_int_equal(rules.total_ms, 15000);
	assert_int_equal(rules.retries, 3);
	assert_true(rules.on_connect && rules.on_read && rules.on_5xx);
	assert_false(rules.on_4xx);
	rules = webhook_rules("http://h/#rc=9&tt=99999&rp=all");
	assert_int_equal(rules.retries, 1);
	assert_int_equal(rules.total_ms, 15000);
	assert_true(rules.on_connect && rules.on_read && rules.on_5xx && rules.on_4xx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nth_chance_depends_on_kind_and_seed_alone),
		cmocka_unit_test(test_rate_zero_never_and_one_always),
		cmocka_unit_test(test_every_kind_has_a_word_of_its_own),
		cmocka_unit_test(test_connection_overrides_are_read_from_the_fragment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
