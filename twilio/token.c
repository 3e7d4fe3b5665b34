/* token.c: access tokens for the Voice SDK. See token.h. */
#include "config.h"
#include "twilio/token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

/* base64url without padding (RFC 7515, section 2). */
static void add_base64url(struct buf *b, const void *data, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *s = data;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)s[i] << 16;

		if (i + 1 < len)
			three |= (uint32_t)s[i + 1] << 8;
		if (i + 2 < len)
			three |= s[i + 2];
		buf_add_char(b, letters[three >> 18]);
		buf_add_char(b, letters[three >> 12 & 63]);
		if (i + 1 < len)
			buf_add_char(b, letters[three >> 6 & 63]);
		if (i + 2 < len)
			buf_add_char(b, letters[three & 63]);
	}
}

static int add_json(struct buf *b, json_t *doc)
{
	char *text = doc == NULL ? NULL : json_dumps(doc, JSON_COMPACT);

	json_decref(doc);
	if (text == NULL)
		return -ENOMEM;
	add_base64url(b, text, strlen(text));
	free(text);
	return 0;
}

static json_t *header(const struct twilio_token *t)
{
	json_t *doc = json_pack(
		"{s:s, s:s, s:s}", "alg", "HS256", "typ", "JWT", "cty", "twilio-fpa;v=1");

	if (doc != NULL && t->region != NULL)
		(void)json_object_set_new(doc, "twr", json_string(t->region));
	return doc;
}

static json_t *claims(const struct twilio_token *t)
{
	return json_pack("{s:o, s:{s:s, s:{s:{s:b}, s:{s:s}}}, s:I, s:I, s:s, s:s}",
		"jti", json_sprintf("%s-%lld", t->api_key_sid, (long long)t->now_s),
		"grants", "identity", t->identity, "voice", "incoming", "allow", 1,
		"outgoing", "application_sid", t->twiml_app_sid, "iat",
		(json_int_t)t->now_s, "exp", (json_int_t)t->now_s + t->ttl_s, "iss",
		t->api_key_sid, "sub", t->account_sid);
}

static bool missing(const char *text)
{
	return text == NULL || text[0] == '\0';
}

static int check(const struct twilio_token *t)
{
	if (missing(t->account_sid) || missing(t->api_key_sid) ||
		missing(t->api_key_secret) || missing(t->twiml_app_sid) ||
		missing(t->identity))
		return -EINVAL;
	return t->ttl_s < 1 || t->ttl_s > TWILIO_TOKEN_MAX_S ? -EINVAL : 0;
}

int twilio_token_make(const struct twilio_token *token, struct buf *ret_jwt)
{
	unsigned char mac[SHA256_DIGEST_LENGTH];
	struct buf jwt = {0};
	unsigned mac_len = 0;
	int err = check(token);

	if (err == 0)
		err = add_json(&jwt, header(token));
	buf_add_char(&jwt, '.');
	if (err == 0)
		err = add_json(&jwt, claims(token));
	if (err == 0 && (jwt.failed || HMAC(EVP_sha256(), token->api_key_secret,
					       (int)strlen(token->api_key_secret),
					       (const unsigned char *)jwt.data, jwt.len,
					       mac, &mac_len) == NULL))
		err = -ENOMEM;
	if (err == 0) {
		buf_add_char(&jwt, '.');
		add_base64url(&jwt, mac, mac_len);
		buf_add(ret_jwt, jwt.data, jwt.len);
		if (jwt.failed || ret_jwt->failed)
			err = -ENOMEM;
	}
	buf_free(&jwt);
	return err;
}
