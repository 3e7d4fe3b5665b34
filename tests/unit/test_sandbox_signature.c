/* test_sandbox_signature.c: the sandbox signs as Twilio's own libraries do. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "sandbox/signature.h"

#define TOKEN "12345"
#define U "https://mycompany.com/myapp.php?foo=1&bar=2"
#define P                                                                                 \
	"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309" \
	"&To=%2B18005551212"

static void check(const char *url, const char *body, const char *expected)
{
	char signature[SIGNATURE_SIZE] = "";
	struct form form = {0};

	if (body != NULL)
		assert_int_equal(form_parse(body, strlen(body), 32, &form), 0);
	assert_int_equal(
		signature_make(TOKEN, url, body != NULL ? &form : NULL, signature), 0);
	assert_string_equal(signature, expected);
	form_free(&form);
}

static void test_published_vectors(void **state)
{
	(void)state;
	check(U, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
	check("http://mycompany.com:1234/myapp.php?foo=1&bar=2", P,
		"Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
	check("https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", P,
		"CukzLTc1tT5dXEDIHm/tKBanW10=");
	check("https://user@mycompany.com/myapp.php?foo=1&bar=2", P,
		"2YRLlVAflCqxaNicjMpJcSTgzSs=");
	check(U "&Body=It%27s+amazing", P, "TfZzewPq8wqrGlMfyAud8+/IvJ0=");
	check("https://example.com/hook", "A=&B=x", "Tjyc7HBXSt9nx4Xfin6IjISlZrE=");
	check("https://example.com/hook", "", "JuPavG0Zweu3T+LUwMO9lxmVvgY=");
	check("http://127.0.0.1:8080/hook?a=1", "CallSid=CA1",
		"6wI94IrxP7fufaoKeluZqtu88KA=");
	check("https://example.com/hook", "Name=Zo%C3%AB+%E2%98%83",
		"0hg87wI8vlEhPPfLNr1uB/T5juk=");
}

static void test_parameters_are_sorted_by_byte(void **state)
{
	(void)state;
	check("https://example.com/hook", "b=1&A=2&a=3&B=4",
		"+YIDNcF6F3ZMSklR23jy8AjQY9Q=");
}

static void test_repeated_values_are_sorted_and_doubles_dropped(void **state)
{
	(void)state;
	check(U, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
		"IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

static void test_fragment_and_standard_port_are_left_out(void **state)
{
	(void)state;
	check("https://mycompany.com:443/myapp.php?foo=1&bar=2#rc=3&rp=all", P,
		"RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

static void test_get_signs_the_url_alone(void **state)
{
	(void)state;
	check("https://example.com/hook", NULL, "JuPavG0Zweu3T+LUwMO9lxmVvgY=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_parameters_are_sorted_by_byte),
		cmocka_unit_test(test_repeated_values_are_sorted_and_doubles_dropped),
		cmocka_unit_test(test_fragment_and_standard_port_are_left_out),
		cmocka_unit_test(test_get_signs_the_url_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
