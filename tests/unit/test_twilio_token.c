/* test_twilio_token.c: access tokens are byte for byte those of Twilio's own library (6.2.0). */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/token.h"

static const struct twilio_token good = {
	.account_sid = "AC0123456789abcdef0123456789abcdef",
	.api_key_sid = "SKfedcba9876543210fedcba9876543210",
	.api_key_secret = "secret-of-the-key-0123456789abcde",
	.twiml_app_sid = "AP00112233445566778899aabbccddeeff",
	.identity = "agent-7",
	.now_s = 1700000000,
	.ttl_s = 3600,
};

static const char official[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImN0eSI6InR3aWxpby1mcGE7dj0xIn0.eyJqdGki"
	"OiJTS2ZlZGNiYTk4NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEwLTE3MDAwMDAwMDAiLCJncmFudHMi"
	"OnsiaWRlbnRpdHkiOiJhZ2VudC03Iiwidm9pY2UiOnsiaW5jb21pbmciOnsiYWxsb3ciOnRydWV9"
	"LCJvdXRnb2luZyI6eyJhcHBsaWNhdGlvbl9zaWQiOiJBUDAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFi"
	"YmNjZGRlZWZmIn19fSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDAsImlzcyI6IlNL"
	"ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTAiLCJzdWIiOiJBQzAxMjM0NTY3ODlhYmNk"
	"ZWYwMTIzNDU2Nzg5YWJjZGVmIn0.OgtBcbUhmYJiWZ8mfQDiHa_Eu3KFM6zKFZIJMtN0_s8";

static const char official_ie1[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImN0eSI6InR3aWxpby1mcGE7dj0xIiwidHdyIjoi"
	"aWUxIn0.eyJqdGkiOiJTS2ZlZGNiYTk4NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEwLTE3MDAwMDAw"
	"MDAiLCJncmFudHMiOnsiaWRlbnRpdHkiOiJhZ2VudC03Iiwidm9pY2UiOnsiaW5jb21pbmciOnsi"
	"YWxsb3ciOnRydWV9LCJvdXRnb2luZyI6eyJhcHBsaWNhdGlvbl9zaWQiOiJBUDAwMTEyMjMzNDQ1"
	"NTY2Nzc4ODk5YWFiYmNjZGRlZWZmIn19fSwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAw"
	"NjAsImlzcyI6IlNLZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTAiLCJzdWIiOiJBQzAx"
	"MjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmIn0.UC4gwP5dHp6W6IU-LlyFenblhNEgKET1"
	"6trpHXQdAw8";

static void a_token_is_that_of_the_official_library(void **state)
{
	struct buf jwt = {0};

	(void)state;
	assert_int_equal(twilio_token_make(&good, &jwt), 0);
	assert_string_equal(jwt.data, official);
	buf_free(&jwt);
}

static void a_token_of_another_region_names_it(void **state)
{
	struct twilio_token token = good;
	struct buf jwt = {0};

	(void)state;
	token.api_key_secret = "s";
	token.region = "ie1";
	token.ttl_s = 60;
	assert_int_equal(twilio_token_make(&token, &jwt), 0);
	assert_string_equal(jwt.data, official_ie1);
	buf_free(&jwt);
}

static void nothing_is_signed_that_twilio_would_refuse(void **state)
{
	struct twilio_token none = good, empty = good, never = good, forever = good;
	struct buf jwt = {0};

	(void)state;
	none.twiml_app_sid = NULL;
	empty.api_key_secret = "";
	never.ttl_s = 0;
	forever.ttl_s = TWILIO_TOKEN_MAX_S + 1;
	assert_int_equal(twilio_token_make(&none, &jwt), -EINVAL);
	assert_int_equal(twilio_token_make(&empty, &jwt), -EINVAL);
	assert_int_equal(twilio_token_make(&never, &jwt), -EINVAL);
	assert_int_equal(twilio_token_make(&forever, &jwt), -EINVAL);
	assert_null(jwt.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_that_of_the_official_library),
		cmocka_unit_test(a_token_of_another_region_names_it),
		cmocka_unit_test(nothing_is_signed_that_twilio_would_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
