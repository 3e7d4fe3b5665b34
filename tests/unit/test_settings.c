/* test_settings.c: gateway/settings.h: what must fit something else. */
#include "gateway/settings.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

static char told[8192];

static void tell(void *arg, const char *sentence)
{
	(void)arg;
	strncat(told, sentence, sizeof(told) - strlen(told) - 2);
	strcat(told, "\n");
}

/* What is wrong with these settings; a note with the same pen when `notes`. */
static const char *said_of(const char *fallback, const char *backend, bool notes)
{
	static char *argv[] = {(char *)"test"};
	struct config_choice choice;
	struct config *config = NULL;
	struct err err = {{0}};

	assert_int_equal(config_load(&(struct config_load_params){.items = settings,
					     .item_count = settings_count,
					     .argc = 1,
					     .argv = argv},
				 &config, &choice, &err),
		0);
	assert_int_equal(config_derive(config, "TWILIO_FALLBACK_URL", fallback), 0);
	assert_int_equal(config_derive(config, "BACKEND_URL", backend), 0);
	told[0] = '\0';
	if (notes)
		settings_notes(config, tell, NULL);
	else
		(void)settings_problems(config, tell, NULL);
	config_free(&config);
	return told;
}

static void taken(const char *fallback)
{
	const char *said = said_of(fallback, "https://calls.example.com", false);

	if (strstr(said, "TWILIO_FALLBACK_URL") != NULL)
		fail_msg("%s", said);
}

static void refused(const char *fallback, const char *reason)
{
	const char *said = said_of(fallback, "https://calls.example.com/", false);

	if (strstr(said, "TWILIO_FALLBACK_URL") == NULL || strstr(said, reason) == NULL)
		fail_msg("%s: %s", fallback, said);
}

static void a_fallback_is_https_or_http_on_loopback(void **state)
{
	(void)state;
	taken("");
	taken("https://handler.twilio.com/twiml/EH1");
	taken("https://calls.example.com.au/sorry.xml");
	taken("http://127.0.0.1:8080/sorry.xml");
	taken("http://[::1]:8080");
	taken("http://localhost:8080/sorry.xml");
	refused("http://files.example.com/sorry.xml", "loopback");
	refused("http://127.0.0.1.example.com:80/x", "loopback");
	refused("http://127.0.0.1/x", "host:port");
	refused("ftp://files.example.com/sorry.xml", "https://");
	refused("sorry.xml", "https://");
	refused("https:///sorry.xml", "https://");
	refused("https://files.example.com/so sorry.xml", "%20");
	refused("https://files.example.com/\xc3\xa4.xml", "no URL has");
}

static void a_fallback_that_is_away_with_us_is_refused(void **state)
{
	char url[600] = "https://files.example.com/";

	(void)state;
	refused("https://calls.example.com", "BACKEND_URL");
	refused("https://CALLS.example.com/sorry.xml", "BACKEND_URL");
	refused("https://calls.example.com?x=1", "BACKEND_URL");
	memset(url + strlen(url), 'x', 511 - strlen(url));
	taken(url);
	url[511] = 'x';
	refused(url, "longer than 511");
}

static void without_a_fallback_it_is_told_what_callers_hear(void **state)
{
	(void)state;
	assert_non_null(strstr(said_of("", "", true),
		"TWILIO_FALLBACK_URL is not set: when no gateway "
		"answers, Twilio tells the caller"));
	assert_string_equal(said_of("https://files.example.com/x", "", true), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fallback_is_https_or_http_on_loopback),
		cmocka_unit_test(a_fallback_that_is_away_with_us_is_refused),
		cmocka_unit_test(without_a_fallback_it_is_told_what_callers_hear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
