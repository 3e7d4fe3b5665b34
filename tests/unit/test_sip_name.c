/* test_sip_name.c: when a name server is asked, and what is good while it does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "gateway/sip_name.h"

static int64_t now_ms;
static unsigned asked;
static const char *answer; /* NULL: none comes, for 10 s */

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return now_ms;
}

static int server(const char *host, char ret_next_hop[ADDR_TEXT_SIZE])
{
	(void)host;
	asked++;
	if (answer == NULL) {
		now_ms += 10000;
		return -EHOSTUNREACH;
	}
	(void)snprintf(ret_next_hop, ADDR_TEXT_SIZE, "%s", answer);
	return 0;
}

static int set_up(void **state)
{
	static struct sip_name name;

	name = (struct sip_name){.lookup = server};
	now_ms = 1000;
	asked = 0;
	answer = "192.0.2.1:5060";
	*state = &name;
	return 0;
}

static void expect(struct sip_name *name, const char *host, const char *next_hop)
{
	char found[ADDR_TEXT_SIZE] = "";

	assert_int_equal(
		sip_name_find(name, host, found), next_hop == NULL ? -EHOSTUNREACH : 0);
	assert_string_equal(found, next_hop == NULL ? "" : next_hop);
}

static void an_address_is_asked_for_once_a_minute(void **state)
{
	struct sip_name *name = *state;

	expect(name, "a", "192.0.2.1:5060");
	answer = "192.0.2.2:5060";
	now_ms += 59999;
	expect(name, "a", "192.0.2.1:5060");
	assert_int_equal(asked, 1);
	now_ms += 1;
	expect(name, "a", "192.0.2.2:5060");
	assert_int_equal(asked, 2);
}

static void another_name_has_another_address(void **state)
{
	struct sip_name *name = *state;

	expect(name, "a", "192.0.2.1:5060");
	answer = NULL;
	expect(name, "b", NULL);
	assert_int_equal(asked, 2);
}

static void the_last_address_is_good_while_nobody_answers(void **state)
{
	struct sip_name *name = *state;

	expect(name, "a", "192.0.2.1:5060");
	answer = NULL;
	now_ms += 60000;
	for (unsigned i = 0; i < 5; i++)
		expect(name, "a", "192.0.2.1:5060");
	assert_int_equal(asked, 2); /* one of them waited */
	now_ms += 60000;
	answer = "192.0.2.2:5060";
	expect(name, "a", "192.0.2.2:5060");
}

static void who_waited_for_a_question_does_not_ask_it_again(void **state)
{
	struct sip_name *name = *state;

	answer = NULL;
	for (unsigned i = 0; i < 5; i++)
		expect(name, "a", NULL);
	assert_int_equal(asked, 1);
	answer = "192.0.2.1:5060";
	now_ms += 2000;
	expect(name, "a", "192.0.2.1:5060");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_asked_for_once_a_minute),
		TEST(another_name_has_another_address),
		TEST(the_last_address_is_good_while_nobody_answers),
		TEST(who_waited_for_a_question_does_not_ask_it_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
