/* test_digest.c: digest against the examples of the RFCs, and nonces against replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "sip/digest.h"
#include "sip/nonce.h"

#define NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

/* RFC 7616 3.9.1 */
static void the_examples_of_the_rfc_verify(void **state)
{
	static const char *const md5[] = {"username=\"Mufasa\"",
		"realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"",
		"algorithm=MD5", "nonce=\"" NONCE "\"", "nc=00000001",
		"cnonce=\"" CNONCE "\"", "qop=auth",
		"response=\"8ca523f5e9506fed4657c9700eebdbec\"", NULL};
	static const char *const sha256[] = {"username=\"Mufasa\"",
		"realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"",
		"algorithm=SHA-256", "nonce=\"" NONCE "\"", "nc=00000001",
		"cnonce=\"" CNONCE "\"", "qop=auth",
		"response=\"753927fa0e85d155564e2e272a28d180"
		"2ca10daf4496794697cf8db5856cb6c1\"",
		NULL};
	char ha1[DIGEST_HEX_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(digest_parse(md5, &d), 0);
	assert_int_equal(d.nc, 1);
	assert_int_equal(digest_ha1(DIGEST_MD5, "Mufasa", "http-auth@example.org",
				 "Circle of Life", ha1),
		0);
	assert_true(digest_verify(&d, "GET", ha1));
	assert_false(digest_verify(&d, "PUT", ha1));
	assert_int_equal(digest_parse(sha256, &d), 0);
	assert_false(digest_verify(&d, "GET", ha1)); /* the wrong kind of HA1 */
	assert_int_equal(digest_ha1(DIGEST_SHA256, "Mufasa", "http-auth@example.org",
				 "Circle of Life", ha1),
		0);
	assert_true(digest_verify(&d, "GET", ha1));
}

static void broken_credentials_are_refused(void **state)
{
	static const char *const twice[] = {"nonce=\"a\"", "nonce=\"b\"", NULL};
	static const char *const bare[] = {"username", NULL};
	static const char *const count[] = {"nc=1", NULL};
	static const char *const open[] = {"realm=\"x", NULL};
	static const char *const sess[] = {"algorithm=MD5-sess", NULL};
	static const char *const other[] = {"charset=UTF-8", "realm=x", NULL};
	struct digest d = {.nc = 7};

	(void)state;
	assert_int_equal(digest_parse(twice, &d), -EINVAL);
	assert_int_equal(digest_parse(bare, &d), -EINVAL);
	assert_int_equal(digest_parse(count, &d), -EINVAL);
	assert_int_equal(digest_parse(open, &d), -EINVAL);
	assert_int_equal(digest_parse(sess, &d), -ENOTSUP);
	assert_int_equal(d.nc, 7);
	assert_int_equal(digest_parse(other, &d), 0);
	assert_string_equal(d.realm, "x");
}

static void our_answers_hold_against_our_own_check(void **state)
{
	static const char *const challenge[] = {"realm=\"sip.twilio.com\"",
		"nonce=\"abc\"", "qop=\"auth\"", "opaque=\"o\"", NULL};
	char text[1024], items[16][256], ha1[DIGEST_HEX_SIZE], *item, *rest = NULL;
	const char *params[17] = {NULL};
	struct digest d;
	unsigned n = 0;

	(void)state;
	assert_int_equal(digest_parse(challenge, &d), 0);
	assert_int_equal(
		digest_answer(&d, "INVITE", "sip:x@y", "u\"x", "pw", text, sizeof(text)),
		-EINVAL);
	assert_int_equal(
		digest_answer(&d, "INVITE", "sip:x@y", "u", "pw", text, 60), -EMSGSIZE);
	assert_int_equal(
		digest_answer(&d, "INVITE", "sip:x@y", "u", "pw", text, sizeof(text)), 0);
	assert_memory_equal(text, "Digest ", 7);
	for (item = strtok_r(text + 7, ",", &rest); item;
		item = strtok_r(NULL, ",", &rest)) {
		(void)snprintf(
			items[n], sizeof(items[n]), "%s", item + strspn(item, " "));
		params[n] = items[n];
		n++;
	}
	assert_int_equal(digest_parse(params, &d), 0);
	assert_string_equal(d.opaque, "o");
	assert_int_equal(digest_ha1(DIGEST_MD5, "u", "sip.twilio.com", "pw", ha1), 0);
	assert_true(digest_verify(&d, "INVITE", ha1));
}

static void a_nonce_counts_up_and_dies(void **state)
{
	struct nonces *nonces = NULL;
	char nonce[NONCE_SIZE], forged[NONCE_SIZE];

	(void)state;
	assert_int_equal(nonces_new("r", 1000, 4, &nonces), 0);
	(void)nonce_make(nonces, 5000, nonce);
	assert_int_equal(nonce_spend(nonces, nonce, 1, 11, 5001), NONCE_FRESH);
	assert_int_equal(nonce_spend(nonces, nonce, 1, 11, 5002), NONCE_REPEAT);
	assert_int_equal(nonce_spend(nonces, nonce, 1, 12, 5002), NONCE_REPLAY);
	assert_int_equal(nonce_spend(nonces, nonce, 5, 13, 5003), NONCE_FRESH);
	assert_int_equal(nonce_spend(nonces, nonce, 4, 14, 5003), NONCE_REPLAY);
	assert_int_equal(nonce_spend(nonces, nonce, 6, 15, 6001), NONCE_STALE);
	(void)strcpy(forged, nonce);
	forged[3] = forged[3] == '1' ? '2' : '1';
	assert_int_equal(nonce_spend(nonces, forged, 6, 16, 5003), NONCE_STALE);
	assert_int_equal(nonce_spend(nonces, "short", 6, 16, 5003), NONCE_STALE);
	nonces_free(&nonces);
	nonces_free(&nonces);
}

static void what_is_forgotten_cannot_be_replayed(void **state)
{
	struct nonces *nonces = NULL;
	char first[NONCE_SIZE], next[NONCE_SIZE];
	int i;

	(void)state;
	assert_int_equal(nonces_new("r", 100000, 4, &nonces), 0);
	(void)nonce_make(nonces, 1, first);
	assert_int_equal(nonce_spend(nonces, first, 1, 1, 2), NONCE_FRESH);
	for (i = 0; i < 20; i++) {
		(void)nonce_make(nonces, 10 + i, next);
		assert_int_equal(nonce_spend(nonces, next, 1, 1, 10 + i), NONCE_FRESH);
	}
	assert_int_equal(nonce_spend(nonces, first, 1, 2, 40), NONCE_STALE);
	nonces_free(&nonces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_verify),
		cmocka_unit_test(broken_credentials_are_refused),
		cmocka_unit_test(our_answers_hold_against_our_own_check),
		cmocka_unit_test(a_nonce_counts_up_and_dies),
		cmocka_unit_test(what_is_forgotten_cannot_be_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
