/* test_twilio_signature.c: the vectors of Twilio's own libraries (auth token 12345). */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/signature.h"

#define TOKEN "12345"
#define PATH "/myapp.php?foo=1&bar=2"
#define U "https://mycompany.com" PATH
#define P                                                                                 \
	"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309" \
	"&To=%2B18005551212"
#define H11 "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
#define B11 "{\"property\": \"value\", \"boolean\": true}"
#define H12 "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

struct vector {
	const char *name;
	const char *url;
	const char *form; /* NULL: none */
	const char *body;
	const char *signature;
};

static const struct vector vectors[] = {
	{"V1", U, P, NULL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
	{"V2", "http://mycompany.com:1234" PATH, P, NULL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="},
	{"V3", "https://mycompany.com:443" PATH, P, NULL, "kvajT1Ptam85bY51eRf/AJRuM3w="},
	{"V4", "http://mycompany.com:80" PATH, P, NULL, "0ZXoZLH/DfblKGATFgpif+LLRf4="},
	{"V5", "https://user:pass@mycompany.com" PATH, P, NULL,
		"CukzLTc1tT5dXEDIHm/tKBanW10="},
	{"V6", "https://user@mycompany.com" PATH, P, NULL,
		"2YRLlVAflCqxaNicjMpJcSTgzSs="},
	{"V7", "https://user:pass@mycompany.com:443" PATH, P, NULL,
		"ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="},
	{"V8", U "&Body=It%27s+amazing", P, NULL, "TfZzewPq8wqrGlMfyAud8+/IvJ0="},
	{"V9", U,
		"MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx",
		NULL, "83O6e2vORAoJHUNzJjDWN1jz+BA="},
	{"V10", U, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", NULL,
		"IK+Dwps556ElfBT0I3Rgjkr1wJU="},
	{"V11", U "&bodySHA256=" H11, NULL, B11, "a9nBmqA0ju/hNViExpshrM61xv4="},
	{"V12", "https://mycompany.com:443" PATH "&bodySHA256=" H12, NULL, "{}",
		"Ldidvp12m26NI7eqEvxnEpkd9Hc="},
	{"V13", "https://mycompany.com/myapp.php?bodySHA256=" H11, NULL, B11,
		"y77kIzt2vzLz71DgmJGsen2scGs="},
	{"X1", "https://example.com/hook", "A=&B=x", NULL,
		"Tjyc7HBXSt9nx4Xfin6IjISlZrE="},
	{"X2", "https://example.com/hook", NULL, NULL, "JuPavG0Zweu3T+LUwMO9lxmVvgY="},
	{"X3", "http://127.0.0.1:8080/hook?a=1", "CallSid=CA1", NULL,
		"6wI94IrxP7fufaoKeluZqtu88KA="},
	{"X4", "https://example.com/hook", "Name=Zo%C3%AB+%E2%98%83", NULL,
		"0hg87wI8vlEhPPfLNr1uB/T5juk="},
	{"X5", "https://example.com/hook", "b=1&A=2&a=3&B=4", NULL,
		"+YIDNcF6F3ZMSklR23jy8AjQY9Q="},
};

static void parse(const char *text, struct form *form)
{
	if (text != NULL)
		assert_int_equal(form_parse(text, strlen(text), 100, form), 0);
}

static int check_at(const struct vector *v, const char *token, const char *url)
{
	struct form form = {0};
	size_t body_len = v->body != NULL ? strlen(v->body) : 0;
	int err;

	parse(v->form, &form);
	err = twilio_signature_check(token, url, &form, v->body, body_len, v->signature);
	form_free(&form);
	return err;
}

static void every_vector_is_signed_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct form form = {0};
		char signature[TWILIO_SIGNATURE_SIZE];

		parse(vectors[i].form, &form);
		assert_int_equal(twilio_sign(TOKEN, vectors[i].url, &form, signature), 0);
		if (strcmp(signature, vectors[i].signature) != 0)
			print_error("%s\n", vectors[i].name);
		assert_string_equal(signature, vectors[i].signature);
		form_free(&form);
	}
}

static void every_vector_is_believed_and_no_other_token(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(check_at(&vectors[i], TOKEN, vectors[i].url), 0);
		assert_int_equal(check_at(&vectors[i], "12346", vectors[i].url), -EACCES);
		assert_int_equal(check_at(&vectors[i], "", vectors[i].url), -EACCES);
	}
}

static void the_port_may_have_been_left_out_or_put_in(void **state)
{
	(void)state;
	assert_int_equal(
		check_at(&vectors[0], TOKEN, "https://mycompany.com:1234" PATH), 0);
	assert_int_equal(check_at(&vectors[2], TOKEN, U), 0);
	assert_int_equal(check_at(&vectors[3], TOKEN, "http://mycompany.com" PATH), 0);
	assert_int_equal(
		check_at(&vectors[6], TOKEN, "https://user:pass@mycompany.com" PATH), 0);
	assert_int_equal(check_at(&vectors[11], TOKEN, U "&bodySHA256=" H12), 0);
	/* but a port that was signed is not exchanged for another */
	assert_int_equal(
		check_at(&vectors[1], TOKEN, "http://mycompany.com:1235" PATH), -EACCES);
	assert_int_equal(
		check_at(&vectors[2], TOKEN, "http://mycompany.com" PATH), -EACCES);
}

static void an_ipv6_host_keeps_its_colons(void **state)
{
	char signature[TWILIO_SIGNATURE_SIZE];

	(void)state;
	assert_int_equal(
		twilio_sign(TOKEN, "https://[2001:db8::1]/x", NULL, signature), 0);
	assert_int_equal(twilio_signature_check(TOKEN, "https://[2001:db8::1]:8443/x",
				 NULL, NULL, 0, signature),
		0);
	assert_int_equal(
		twilio_sign(TOKEN, "https://[2001:db8::1]:443/x", NULL, signature), 0);
	assert_int_equal(twilio_signature_check(TOKEN, "https://[2001:db8::1]/x", NULL,
				 NULL, 0, signature),
		0);
}

static void an_apostrophe_may_have_been_escaped(void **state)
{
	(void)state;
	assert_int_equal(check_at(&vectors[7], TOKEN, U "&Body=It's+amazing"), 0);
	assert_int_equal(check_at(&vectors[7], TOKEN, U "&Body=Its+amazing"), -EACCES);
}

static void the_fragment_is_not_signed(void **state)
{
	(void)state;
	assert_int_equal(check_at(&vectors[0], TOKEN, U "#ct=2000&rc=3"), 0);
}

static void the_order_of_arrival_does_not_matter(void **state)
{
	struct vector v = vectors[8];

	(void)state;
	v.form =
		"MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx";
	assert_int_equal(check_at(&v, TOKEN, v.url), 0);
}

static void a_changed_form_or_body_is_not_believed(void **state)
{
	struct vector form = vectors[0], body = vectors[10];

	(void)state;
	form.form = "CallSid=CA1234567890ABCDF";
	assert_int_equal(check_at(&form, TOKEN, form.url), -EACCES);
	form.form = NULL;
	assert_int_equal(check_at(&form, TOKEN, form.url), -EACCES);
	body.body = "{\"property\": \"value\", \"boolean\": false}";
	assert_int_equal(check_at(&body, TOKEN, body.url), -EACCES);
	body.body = NULL;
	assert_int_equal(check_at(&body, TOKEN, body.url), -EACCES);
	body = vectors[10];
	body.url = U "&bodySHA256=abc";
	assert_int_equal(check_at(&body, TOKEN, body.url), -EACCES);
}

static void what_is_no_signature_is_not_believed(void **state)
{
	static const char *const bad[] = {"", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8",
		"RSOYDt4T1cUTdK1PDd93/VVr8B8= ", "RSOYDt4T1cUTdK1PDd93/VVr8B8A"};
	struct vector v = vectors[0];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v.signature = bad[i];
		assert_int_equal(check_at(&v, TOKEN, v.url), -EACCES);
	}
	v.signature = NULL;
	assert_int_equal(check_at(&v, TOKEN, v.url), -EACCES);
	assert_int_equal(check_at(&vectors[0], TOKEN, ""), -EACCES);
	assert_int_equal(check_at(&vectors[0], TOKEN, "mycompany.com" PATH), -EACCES);
	assert_int_equal(check_at(&vectors[0], TOKEN, "https:"), -EACCES);
	assert_int_equal(check_at(&vectors[0], TOKEN, "https://"), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_is_signed_alike),
		cmocka_unit_test(every_vector_is_believed_and_no_other_token),
		cmocka_unit_test(the_port_may_have_been_left_out_or_put_in),
		cmocka_unit_test(an_ipv6_host_keeps_its_colons),
		cmocka_unit_test(an_apostrophe_may_have_been_escaped),
		cmocka_unit_test(the_fragment_is_not_signed),
		cmocka_unit_test(the_order_of_arrival_does_not_matter),
		cmocka_unit_test(a_changed_form_or_body_is_not_believed),
		cmocka_unit_test(what_is_no_signature_is_not_believed),
	};

	return cmocka_run_group_tests_name("twilio_signature", tests, NULL, NULL);
}
