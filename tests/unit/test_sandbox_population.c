/* test_sandbox_population.c: the same seed, the same customers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sandbox/population.h"

#define CROWD                                                                         \
	"[{\"match\":\"+1415\",\"weight\":3,\"behaviour\":\"human\",\"ring_ms\":100," \
	"\"talk_ms\":0,\"say\":\"tone:600\"},"                                        \
	"{\"match\":\"+1415\",\"weight\":1,\"behaviour\":\"busy\"},"                  \
	"{\"match\":\"+44*9\",\"behaviour\":\"machine\"}]"

static int load(
	const char *json, uint64_t seed, struct population **population, struct err *err)
{
	char path[] = "/tmp/ovx-population-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), (ssize_t)strlen(json));
	(void)close(fd);
	r = population_new(path, seed, population, err);
	(void)unlink(path);
	return r;
}

static void draw(uint64_t seed, const char *order, enum behaviour ret[64])
{
	struct population *population = NULL;
	struct err err = {0};
	char number[32];
	int i;

	assert_int_equal(load(CROWD, seed, &population, &err), 0);
	for (i = 0; i < 64; i++) {
		int n = *order == 'u' ? i : 63 - i;

		(void)snprintf(number, sizeof(number), "+1415555%04d", n);
		ret[n] = population_choose(population, number)->behaviour;
	}
	population_free(&population);
}

static void test_the_choice_depends_on_seed_and_number_not_on_order(void **state)
{
	enum behaviour up[64], down[64], other[64];

	(void)state;
	draw(7, "up", up);
	draw(7, "down", down);
	draw(8, "up", other);
	assert_memory_equal(up, down, sizeof(up));
	assert_memory_not_equal(up, other, sizeof(up));
}

static void test_weights_are_kept(void **state)
{
	struct population *population = NULL;
	struct err err = {0};
	int i, busy = 0;

	(void)state;
	assert_int_equal(load(CROWD, 1, &population, &err), 0);
	for (i = 0; i < 4000; i++)
		busy += population_choose(population, "+14155550000")->behaviour ==
			BEHAVIOUR_BUSY;
	assert_in_range(busy, 850, 1150);
	population_free(&population);
}

static void test_match_is_a_prefix_or_a_glob(void **state)
{
	struct population *population = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(load(CROWD, 1, &population, &err), 0);
	assert_int_equal(
		population_choose(population, "+44209")->behaviour, BEHAVIOUR_MACHINE);
	assert_null(population_choose(population, "+44208"));
	assert_null(population_choose(population, "+1416"));
	population_free(&population);
}

static void test_without_a_file_everybody_is_human(void **state)
{
	struct population *population = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(population_new(NULL, 1, &population, &err), 0);
	assert_int_equal(
		population_choose(population, "+999123")->behaviour, BEHAVIOUR_HUMAN);
	population_free(&population);
	population_free(&population);
}

static void test_a_wrong_file_says_what_is_wrong(void **state)
{
	static const char *const wrong[][2] = {
		{"[", "line 1"},
		{"{}", "not a list"},
		{"[]", "not a list"},
		{"[{\"behaviour\":\"asleep\"}]", "asleep"},
		{"[{\"weight\":0}]", "weight"},
		{"[{\"ring\":1}]", "ring"},
		{"[{\"ring_ms\":-1}]", "times"},
		{"[{\"error_code\":21217}]", "failed"},
		{"[{\"behaviour\":\"failed\",\"error_code\":1}]", "error_code"},
		{"[{\"behaviour\":\"failed\",\"sip_code\":200}]", "sip_code"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct population *population = NULL;
		struct err err = {0};

		assert_true(load(wrong[i][0], 1, &population, &err) < 0);
		assert_null(population);
		assert_non_null(strstr(err.text, wrong[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_choice_depends_on_seed_and_number_not_on_order),
		cmocka_unit_test(test_weights_are_kept),
		cmocka_unit_test(test_match_is_a_prefix_or_a_glob),
		cmocka_unit_test(test_without_a_file_everybody_is_human),
		cmocka_unit_test(test_a_wrong_file_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
