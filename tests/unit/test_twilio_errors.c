/* test_twilio_errors.c: every error has a consequence that a person can read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/errors.h"
#include "twilio/host.h"

static void errors_stop_what_they_are_about(void **state)
{
	static const struct {
		int code;
		enum twilio_stop stop;
	} known[] = {
		{10001, TWILIO_STOP_ACCOUNT},
		{20005, TWILIO_STOP_ACCOUNT},
		{20003, TWILIO_STOP_ACCOUNT},
		{20006, TWILIO_STOP_SETUP},
		{20403, TWILIO_STOP_SETUP},
		{20008, TWILIO_STOP_SETUP},
		{11100, TWILIO_STOP_SETUP},
		{21205, TWILIO_STOP_SETUP},
		{21206, TWILIO_STOP_SETUP},
		{21208, TWILIO_STOP_SETUP},
		{21209, TWILIO_STOP_SETUP},
		{21218, TWILIO_STOP_SETUP},
		{21221, TWILIO_STOP_SETUP},
		{21229, TWILIO_STOP_SETUP},
		{20001, TWILIO_STOP_SETUP},
		{20422, TWILIO_STOP_SETUP},
		{20429, TWILIO_STOP_PAUSE},
		{20500, TWILIO_STOP_PAUSE},
		{20503, TWILIO_STOP_PAUSE},
		{22005, TWILIO_STOP_PAUSE},
		{10004, TWILIO_STOP_PAUSE},
		{16021, TWILIO_STOP_PAUSE},
		{32001, TWILIO_STOP_PAUSE},
		{32012, TWILIO_STOP_PAUSE},
		{32013, TWILIO_STOP_PAUSE},
		{21210, TWILIO_STOP_CALLER},
		{21212, TWILIO_STOP_CALLER},
		{21213, TWILIO_STOP_CALLER},
		{13214, TWILIO_STOP_CALLER},
		{13247, TWILIO_STOP_CALLER},
		{32204, TWILIO_STOP_CALLER},
		{32206, TWILIO_STOP_CALLER},
		{21203, TWILIO_STOP_COUNTRY},
		{21215, TWILIO_STOP_COUNTRY},
		{13227, TWILIO_STOP_COUNTRY},
		{32205, TWILIO_STOP_COUNTRY},
		{21202, TWILIO_STOP_NUMBER},
		{21211, TWILIO_STOP_NUMBER},
		{21216, TWILIO_STOP_NUMBER},
		{21217, TWILIO_STOP_NUMBER},
		{21219, TWILIO_STOP_NUMBER},
		{13223, TWILIO_STOP_NUMBER},
		{13224, TWILIO_STOP_NUMBER},
		{13225, TWILIO_STOP_NUMBER},
		{13226, TWILIO_STOP_NUMBER},
		{32101, TWILIO_STOP_NUMBER},
		{32203, TWILIO_STOP_NUMBER},
		{21214, TWILIO_STOP_NOTHING},
		{22001, TWILIO_STOP_NOTHING},
		{21220, TWILIO_STOP_NOTHING},
		{20409, TWILIO_STOP_NOTHING},
		{20404, TWILIO_STOP_NOTHING},
		{32017, TWILIO_STOP_NOTHING},
		{11200, TWILIO_STOP_NOTHING},
		{12100, TWILIO_STOP_NOTHING},
		{16022, TWILIO_STOP_NOTHING},
		{16026, TWILIO_STOP_NOTHING},
		{31486, TWILIO_STOP_NOTHING},
		{99999, TWILIO_STOP_NOTHING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (twilio_error(known[i].code, 400)->stop != known[i].stop)
			fail_msg("%d stops %s", known[i].code,
				twilio_stop_word(twilio_error(known[i].code, 400)->stop));
}

/* Codes with words in Twilio's dictionary of voice errors, first and last of each block. */
static void no_code_of_voice_is_unknown(void **state)
{
	static const int codes[] = {10001, 10004, 11100, 11200, 11243, 11320, 11750,
		12100, 12400, 13201, 13227, 13258, 13340, 13430, 13521, 13699, 13710,
		13805, 13910, 14201, 14300, 15000, 15004, 15009, 16000, 16028, 16099,
		16101, 16113, 17000, 17400, 20001, 20012, 20101, 20107, 20151, 20162,
		20403, 20404, 20409, 20410, 20413, 20422, 20423, 20426, 20429, 20500,
		20503, 21100, 21102, 21200, 21229, 21230, 21263, 21300, 21302, 21401,
		21409, 21420, 21449, 21458, 21470, 21481, 21501, 21504, 21601, 21910,
		22001, 22005, 22100, 22500, 31000, 31960, 32001, 32022, 32100, 32115,
		32200, 32223, 32301, 32304, 32400, 32506, 32605, 32655, 32711};
	const struct twilio_error *nothing = twilio_error(99999, 400);

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (twilio_error(codes[i], 400) == nothing)
			fail_msg("%d has no line", codes[i]);
}

/* Twilio answers 401 to whom it has suspended, too. */
static void a_login_that_is_refused_may_be_a_suspended_account(void **state)
{
	(void)state;
	assert_non_null(strstr(twilio_error(20003, 401)->todo, "TWILIO_AUTH_TOKEN"));
	assert_non_null(strstr(twilio_error(20003, 401)->todo, "suspended or closed"));
	assert_non_null(strstr(twilio_error(0, 401)->todo, "suspended or closed"));
}

/* In 256 bytes, with Twilio's word and the code behind it. */
static void what_is_said_fits_into_a_reason(void **state)
{
	unsigned count;
	const struct twilio_error *errors = twilio_errors(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		if (strlen(errors[i].what) + strlen(errors[i].todo) > 230)
			fail_msg("%s %s", errors[i].what, errors[i].todo);
}

static void the_table_is_in_order_and_speaks_in_sentences(void **state)
{
	unsigned count;
	const struct twilio_error *table = twilio_errors(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		assert_true(table[i].first <= table[i].last);
		assert_true(i == 0 || table[i].first > table[i - 1].last);
		assert_int_equal(table[i].what[strlen(table[i].what) - 1], '.');
		assert_true(table[i].todo[0] == '\0' ||
			    table[i].todo[strlen(table[i].todo) - 1] == '.');
		/* A stop's reason is both. */
		assert_true(strlen(table[i].what) + strlen(table[i].todo) + 2 <= 256);
		/* Whoever is stopped until somebody acts must be told how. */
		if (table[i].stop == TWILIO_STOP_SETUP ||
			table[i].stop == TWILIO_STOP_ACCOUNT ||
			table[i].stop == TWILIO_STOP_CALLER ||
			table[i].stop == TWILIO_STOP_COUNTRY)
			assert_true(table[i].todo[0] != '\0');
	}
}

static void without_a_code_the_status_speaks(void **state)
{
	(void)state;
	assert_int_equal(twilio_error(0, 401)->stop, TWILIO_STOP_ACCOUNT);
	assert_int_equal(twilio_error(0, 403)->stop, TWILIO_STOP_SETUP);
	assert_int_equal(twilio_error(0, 404)->stop, TWILIO_STOP_NOTHING);
	assert_int_equal(twilio_error(0, 429)->stop, TWILIO_STOP_PAUSE);
	assert_int_equal(twilio_error(0, 503)->stop, TWILIO_STOP_PAUSE);
	assert_int_equal(twilio_error(0, 400)->stop, TWILIO_STOP_NOTHING);
	assert_int_equal(
		twilio_error(TWILIO_ERROR_UNREACHABLE, 0)->stop, TWILIO_STOP_PAUSE);
}

static void sip_tells_numbers_that_do_not_exist(void **state)
{
	(void)state;
	assert_int_equal(twilio_error_sip(404)->stop, TWILIO_STOP_NUMBER);
	assert_int_equal(twilio_error_sip(484)->stop, TWILIO_STOP_NUMBER);
	assert_int_equal(twilio_error_sip(604)->stop, TWILIO_STOP_NUMBER);
	assert_null(twilio_error_sip(486));
	assert_null(twilio_error_sip(487));
	assert_null(twilio_error_sip(503));
}

/* ---- hosts ---- */

static void expect_base(
	const char *base, const char *region, const char *edge, const char *expected)
{
	char got[TWILIO_BASE_SIZE] = "";
	struct err err = {{0}};

	assert_int_equal(twilio_base(base, region, edge, got, &err), 0);
	assert_string_equal(got, expected);
}

static void expect_refusal(
	const char *base, const char *region, const char *edge, const char *word)
{
	char got[TWILIO_BASE_SIZE] = "";
	struct err err = {{0}};

	assert_int_equal(twilio_base(base, region, edge, got, &err), -EINVAL);
	assert_string_equal(got, "");
	assert_non_null(strstr(err.text, word));
}

#define API "https://api.twilio.com"

static void region_and_edge_choose_the_host(void **state)
{
	(void)state;
	expect_base(API, "", "", API);
	expect_base("http://127.0.0.1:1", "", "", "http://127.0.0.1:1");
	expect_base(API, "ie1", "dublin", "https://api.dublin.ie1.twilio.com");
	expect_base(API, "ie1", "", "https://api.dublin.ie1.twilio.com");
	expect_base(API, "au1", "singapore", "https://api.singapore.au1.twilio.com");
	expect_base(API, "", "frankfurt", "https://api.frankfurt.us1.twilio.com");
	expect_base("https://api.us1.twilio.com", "", "", "https://api.us1.twilio.com");
}

static void hosts_that_are_no_more_are_refused_with_a_reason(void **state)
{
	(void)state;
	expect_refusal("https://api.ie1.twilio.com", "", "", "2026-04-28");
	expect_refusal("https://api.ie1.twilio.com", "", "", "TWILIO_REGION=ie1");
	expect_refusal("https://api.au1.twilio.com/", "", "", "TWILIO_EDGE=sydney");
	expect_refusal(API, "eu1", "", "ie1");
	expect_refusal(API, "", "ie1", "dublin");
	expect_refusal(API, "ie1", "london", "dublin");
	expect_refusal("http://127.0.0.1:1", "ie1", "", "TWILIO_API_BASE");
}

static void the_edge_is_in_the_sip_hosts_name_and_not_in_the_domains(void **state)
{
	static const struct {
		const char *domain, *region, *edge, *host, *name;
	} cases[] = {
		{"a.sip.twilio.com", "", "", "a.sip.twilio.com", "a.sip.twilio.com"},
		{"a.sip.twilio.com", "", "dublin", "a.sip.dublin.twilio.com",
			"a.sip.twilio.com"},
		{"a.sip.twilio.com", "ie1", "", "a.sip.dublin.twilio.com",
			"a.sip.twilio.com"},
		{"a.sip.twilio.com", "ie1", "tokyo", "a.sip.tokyo.twilio.com",
			"a.sip.twilio.com"},
		{"a.sip.dublin.twilio.com", "", "", "a.sip.dublin.twilio.com",
			"a.sip.twilio.com"},
		{"a.sip.dublin.twilio.com", "", "tokyo", "a.sip.dublin.twilio.com",
			"a.sip.twilio.com"},
		{"A.SIP.Dublin.twilio.com", "", "", "A.SIP.Dublin.twilio.com",
			"A.sip.twilio.com"},
		{"127.0.0.1:5080", "ie1", "", "127.0.0.1:5080", "127.0.0.1:5080"},
		{".sip.twilio.com", "", "dublin", ".sip.twilio.com", ".sip.twilio.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[TWILIO_SIP_HOST_SIZE];

		twilio_sip_host(cases[i].domain, cases[i].region, cases[i].edge, got);
		assert_string_equal(got, cases[i].host);
		twilio_sip_name(cases[i].domain, got);
		assert_string_equal(got, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_stop_what_they_are_about),
		cmocka_unit_test(no_code_of_voice_is_unknown),
		cmocka_unit_test(a_login_that_is_refused_may_be_a_suspended_account),
		cmocka_unit_test(what_is_said_fits_into_a_reason),
		cmocka_unit_test(the_table_is_in_order_and_speaks_in_sentences),
		cmocka_unit_test(without_a_code_the_status_speaks),
		cmocka_unit_test(sip_tells_numbers_that_do_not_exist),
		cmocka_unit_test(region_and_edge_choose_the_host),
		cmocka_unit_test(hosts_that_are_no_more_are_refused_with_a_reason),
		cmocka_unit_test(
			the_edge_is_in_the_sip_hosts_name_and_not_in_the_domains),
	};

	return cmocka_run_group_tests_name("twilio_errors", tests, NULL, NULL);
}
