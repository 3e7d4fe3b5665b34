/* test_password.c: gateway/password.h and gateway/sip_secret.h. */
#include "gateway/password.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "gateway/sip_secret.h"
#include "unit/cmocka_all.h"

static void a_password_fits_its_own_hash_only(void **state)
{
	char hash[160], again[160];

	(void)state;
	assert_int_equal(password_hash("correct horse", hash, sizeof(hash)), 0);
	assert_int_equal(strncmp(hash, "$y$", 3), 0);
	assert_int_equal(password_check("correct horse", hash), 0);
	assert_int_equal(password_check("correct hors", hash), -EACCES);
	assert_int_equal(password_check("correct horse ", hash), -EACCES);
	assert_int_equal(password_check("", hash), -EACCES);
	assert_int_equal(password_hash("correct horse", again, sizeof(again)), 0);
	assert_string_not_equal(hash, again);
}

static void a_broken_or_missing_hash_fits_nothing(void **state)
{
	static const char *const hashes[] = {"", "*", "*0", "$y$", "x", "correct horse"};

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		assert_int_equal(password_check("correct horse", hashes[i]), -EACCES);
		assert_int_equal(password_check("", hashes[i]), -EACCES);
	}
}

static int64_t cpu_us(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The least of all so far: what the machine does beside it must not count. */
static void take_least(const char *hash, int64_t *least_us)
{
	int64_t start = cpu_us(), took;

	assert_int_equal(password_check("wrong", hash), -EACCES);
	took = cpu_us() - start;
	*least_us = took < *least_us ? took : *least_us;
}

static void an_unknown_user_takes_as_long_as_a_wrong_password(void **state)
{
	int64_t known = INT64_MAX, unknown = INT64_MAX;
	bool alike = false;
	char hash[160];

	(void)state;
	assert_int_equal(password_hash("correct horse", hash, sizeof(hash)), 0);
	/* By turns, as often as a machine that is slower for a while needs. */
	for (int i = 0; i < 20 && !alike; i++) {
		take_least(hash, &known);
		take_least("", &unknown);
		alike = unknown > known / 2 && unknown < known * 2;
	}
	assert_true(alike);
}

static void a_hash_that_has_no_room_is_not_cut(void **state)
{
	char small[20] = "untouched";

	(void)state;
	assert_true(password_hash("correct horse", small, sizeof(small)) < 0);
}

static void phones_keep_both_digests(void **state)
{
	char md5[33], sha256[65];

	(void)state;
	/* RFC 7616, 3.9.1: Mufasa at http-auth@example.org. */
	assert_int_equal(
		sip_ha1("Mufasa", "http-auth@example.org", "Circle of Life", md5, sha256),
		0);
	assert_string_equal(md5, "3d78807defe7de2157e2b0b6573a855f");
	assert_string_equal(sha256,
		"7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
}

static void passwords_of_phones_are_long_plain_and_never_the_same(void **state)
{
	char one[SIP_PASSWORD_SIZE], two[SIP_PASSWORD_SIZE];

	(void)state;
	sip_password(one);
	sip_password(two);
	assert_int_equal(strlen(one), SIP_PASSWORD_SIZE - 1);
	assert_int_equal(strspn(one, "abcdefghjkmnpqrstuvwxyz23456789A"), strlen(one));
	assert_string_not_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_fits_its_own_hash_only),
		cmocka_unit_test(a_broken_or_missing_hash_fits_nothing),
		cmocka_unit_test(an_unknown_user_takes_as_long_as_a_wrong_password),
		cmocka_unit_test(a_hash_that_has_no_room_is_not_cut),
		cmocka_unit_test(phones_keep_both_digests),
		cmocka_unit_test(passwords_of_phones_are_long_plain_and_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
