/* digest.c: reading, checking and answering digest. Does not log: it handles secrets. */
#include "sip/digest.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/text.h"

static size_t hex_length(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_SHA256 ? 64 : 32;
}

/* H() over the parts joined by ':'. The list ends with NULL. */
static int hash_parts(enum digest_algorithm algorithm, const char *const *parts,
	char ret_hex[DIGEST_HEX_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = algorithm == DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	int ok, i;

	ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL);
	for (i = 0; ok && parts[i] != NULL; i++) {
		if (i > 0)
			ok = EVP_DigestUpdate(ctx, ":", 1);
		if (ok)
			ok = EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	}
	ok = ok && EVP_DigestFinal_ex(ctx, raw, &len);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	assert(2 * len == hex_length(algorithm));
	(void)text_hex(ret_hex, raw, len);
	return 0;
}

/* The value without quotes. Escapes stay as they are: both ends hash what was sent. */
static int take_value(const char *value, char *dst, size_t size)
{
	size_t len = strlen(value);

	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	} else if (len > 0 && value[0] == '"') {
		return -EINVAL;
	}
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, value, len);
	dst[len] = '\0';
	return 0;
}

static int take_algorithm(const char *value, enum digest_algorithm *ret_algorithm)
{
	char word[16];

	if (take_value(value, word, sizeof(word)) < 0)
		return -ENOTSUP;
	if (strcasecmp(word, "MD5") == 0)
		*ret_algorithm = DIGEST_MD5;
	else if (strcasecmp(word, "SHA-256") == 0)
		*ret_algorithm = DIGEST_SHA256;
	else
		return -ENOTSUP;
	return 0;
}

/* Eight hex digits (RFC 7616 3.4). */
static int take_count(const char *value, struct digest *digest)
{
	int rc = take_value(value, digest->nc_text, sizeof(digest->nc_text));

	if (rc < 0)
		return rc;
	if (strlen(digest->nc_text) != 8 ||
		strspn(digest->nc_text, "0123456789abcdefABCDEF") != 8)
		return -EINVAL;
	digest->nc = (uint32_t)strtoul(digest->nc_text, NULL, 16);
	return 0;
}

/* "auth", or a list that a server offers: "auth,auth-int". */
static int take_qop(const char *value, bool *ret_auth)
{
	char list[64], *item, *rest = NULL;
	int rc = take_value(value, list, sizeof(list));

	if (rc < 0)
		return rc;
	for (item = strtok_r(list, ", \t", &rest); item != NULL;
		item = strtok_r(NULL, ", \t", &rest))
		if (strcasecmp(item, "auth") == 0)
			*ret_auth = true;
	return 0;
}

static int take_stale(const char *value, bool *ret_stale)
{
	char word[8];

	if (take_value(value, word, sizeof(word)) < 0)
		return -EINVAL;
	*ret_stale = strcasecmp(word, "true") == 0;
	return 0;
}

static const char *const names[] = {"username", "realm", "nonce", "opaque", "uri",
	"cnonce", "response", "nc", "qop", "algorithm", "stale"};

enum name {
	NAME_USERNAME,
	NAME_REALM,
	NAME_NONCE,
	NAME_OPAQUE,
	NAME_URI,
	NAME_CNONCE,
	NAME_RESPONSE,
	NAME_NC,
	NAME_QOP,
	NAME_ALGORITHM,
	NAME_STALE,
	NAMES,
};

static int take(enum name name, const char *value, struct digest *d)
{
	switch (name) {
	case NAME_USERNAME:
		return take_value(value, d->username, sizeof(d->username));
	case NAME_REALM:
		return take_value(value, d->realm, sizeof(d->realm));
	case NAME_NONCE:
		return take_value(value, d->nonce, sizeof(d->nonce));
	case NAME_OPAQUE:
		return take_value(value, d->opaque, sizeof(d->opaque));
	case NAME_URI:
		return take_value(value, d->uri, sizeof(d->uri));
	case NAME_CNONCE:
		return take_value(value, d->cnonce, sizeof(d->cnonce));
	case NAME_RESPONSE:
		return take_value(value, d->response, sizeof(d->response));
	case NAME_NC:
		return take_count(value, d);
	case NAME_QOP:
		return take_qop(value, &d->qop);
	case NAME_ALGORITHM:
		return take_algorithm(value, &d->algorithm);
	case NAME_STALE:
		return take_stale(value, &d->stale);
	case NAMES:
		break;
	}
	return 0;
}

static enum name name_of(const char *param, size_t len)
{
	unsigned i;

	for (i = 0; i < NAMES; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], param, len) == 0)
			return (enum name)i;
	return NAMES;
}

int digest_parse(const char *const *params, struct digest *ret_digest)
{
	struct digest digest = {0};
	unsigned seen = 0;
	const char *equals;
	enum name name;
	size_t len;
	int rc;

	for (; params != NULL && *params != NULL; params++) {
		equals = strchr(*params, '=');
		if (equals == NULL)
			return -EINVAL;
		len = (size_t)(equals - *params);
		while (len > 0 && strchr(" \t", (*params)[len - 1]) != NULL)
			len--;
		name = name_of(*params, len);
		if (name == NAMES)
			continue;
		if (seen & 1u << name)
			return -EINVAL;
		seen |= 1u << name;
		rc = take(name, equals + 1 + strspn(equals + 1, " \t"), &digest);
		if (rc < 0)
			return rc;
	}
	*ret_digest = digest;
	return 0;
}

int digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char ret_ha1[DIGEST_HEX_SIZE])
{
	const char *parts[] = {user, realm, password, NULL};

	return hash_parts(algorithm, parts, ret_ha1);
}

/* The response of RFC 7616 3.4.1, with qop "auth" or (RFC 2069) none. */
static int compute_response(const struct digest *d, const char *method, const char *ha1,
	char ret_response[DIGEST_HEX_SIZE])
{
	char ha2[DIGEST_HEX_SIZE];
	const char *a2[] = {method, d->uri, NULL};
	const char *with_qop[] = {
		ha1, d->nonce, d->nc_text, d->cnonce, "auth", ha2, NULL};
	const char *without[] = {ha1, d->nonce, ha2, NULL};
	int rc = hash_parts(d->algorithm, a2, ha2);

	if (rc < 0)
		return rc;
	return hash_parts(d->algorithm, d->qop ? with_qop : without, ret_response);
}

bool digest_verify(const struct digest *credentials, const char *method, const char *ha1)
{
	char expected[DIGEST_HEX_SIZE], given[DIGEST_HEX_SIZE];
	size_t i, len = hex_length(credentials->algorithm);

	if (compute_response(credentials, method, ha1, expected) < 0)
		return false;
	if (strlen(credentials->response) != len || strlen(ha1) != len)
		return false;
	for (i = 0; i <= len; i++)
		given[i] =
			credentials->response[i] >= 'A' && credentials->response[i] <= 'F'
				? (char)(credentials->response[i] - 'A' + 'a')
				: credentials->response[i];
	return text_differs(given, expected, len) == 0;
}

/* A quote or line break in a text that is put between quotes would end it early. */
static bool quotable(const char *text)
{
	return strpbrk(text, "\"\\\r\n") == NULL;
}

int digest_answer(const struct digest *challenge, const char *method, const char *uri,
	const char *user, const char *password, char *buf, size_t size)
{
	struct digest answer = *challenge;
	char ha1[DIGEST_HEX_SIZE];
	int len, rc;

	if (!quotable(user) || !quotable(uri))
		return -EINVAL;
	rc = text_copy(answer.uri, sizeof(answer.uri), uri);
	if (rc < 0)
		return -EMSGSIZE;
	(void)text_random(answer.cnonce, 8);
	(void)strcpy(answer.nc_text, "00000001");
	rc = digest_ha1(answer.algorithm, user, challenge->realm, password, ha1);
	if (rc == 0)
		rc = compute_response(&answer, method, ha1, answer.response);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	if (rc < 0)
		return rc;
	len = snprintf(buf, size,
		"Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		"response=\"%s\", algorithm=%s%s%s%s%s%s%s%s",
		user, answer.realm, answer.nonce, answer.uri, answer.response,
		answer.algorithm == DIGEST_SHA256 ? "SHA-256" : "MD5",
		answer.qop ? ", qop=auth, nc=" : "", answer.qop ? answer.nc_text : "",
		answer.qop ? ", cnonce=\"" : "", answer.qop ? answer.cnonce : "",
		answer.qop ? "\"" : "", answer.opaque[0] != '\0' ? ", opaque=\"" : "",
		answer.opaque[0] != '\0' ? answer.opaque : "");
	if (len < 0 || (size_t)len + 2 > size)
		return -EMSGSIZE;
	if (answer.opaque[0] != '\0')
		(void)strcat(buf, "\"");
	return 0;
}
