/*
 * signature.c: Twilio's request signature: base64(HMAC-SHA1(auth token, URL + form)).
 *
 * Twilio is not consistent about ports in the URL that it signs, so a check tries the URL
 * with and without one (as the official libraries do).
 */
#include "config.h"
#include "twilio/signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/text.h"

#define SHA256_HEX (2 * SHA256_DIGEST_LENGTH)

/* The parts of an absolute URL that matter here; each points into the URL. */
struct url_parts {
	const char *url;
	size_t scheme_len;  /* "https" */
	size_t host_end;    /* end of the host, before any port */
	size_t port_end;    /* end of the authority */
	size_t query_start; /* after '?'; equals `end` when there is none */
	size_t end;         /* before any fragment */
};

static int by_name_and_value(const void *a, const void *b)
{
	const struct form_pair *x = *(const struct form_pair *const *)a;
	const struct form_pair *y = *(const struct form_pair *const *)b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->value, y->value);
}

/* Names in byte order; the values of one name sorted and each only once. */
static int add_form(struct buf *b, const struct form *form)
{
	const struct form_pair **sorted;

	if (form == NULL || form->count == 0)
		return 0;
	sorted = calloc(form->count, sizeof(const struct form_pair *));
	if (sorted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < form->count; i++)
		sorted[i] = &form->pairs[i];
	qsort(sorted, form->count, sizeof(const struct form_pair *), by_name_and_value);
	for (size_t i = 0; i < form->count; i++) {
		if (i > 0 && by_name_and_value(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		buf_add_str(b, sorted[i]->name);
		buf_add_str(b, sorted[i]->value);
	}
	free(sorted);
	return b->failed ? -ENOMEM : 0;
}

/* `url` already stands in `b`; adds the form and signs. */
static int sign(const char *auth_token, struct buf *b, const struct form *form,
	char ret_signature[TWILIO_SIGNATURE_SIZE])
{
	unsigned char mac[SHA_DIGEST_LENGTH];
	unsigned mac_len = 0;
	int err = add_form(b, form);

	if (err != 0)
		return err;
	if (b->failed)
		return -ENOMEM;
	if (HMAC(EVP_sha1(), auth_token, (int)strlen(auth_token),
		    (const unsigned char *)b->data, b->len, mac, &mac_len) == NULL)
		return -ENOMEM;
	(void)EVP_EncodeBlock((unsigned char *)ret_signature, mac, (int)mac_len);
	return 0;
}

int twilio_sign(const char *auth_token, const char *url, const struct form *form,
	char ret_signature[TWILIO_SIGNATURE_SIZE])
{
	struct buf b = {0};
	int err;

	buf_add(&b, url, strcspn(url, "#"));
	err = sign(auth_token, &b, form, ret_signature);
	buf_free(&b);
	return err;
}

static int parse_url(const char *url, struct url_parts *ret_parts)
{
	struct url_parts p = {.url = url, .end = strcspn(url, "#")};
	const char *mark = strstr(url, "://");
	size_t host, bracket;

	if (mark == NULL || (size_t)(mark - url) + 3 > p.end)
		return -EINVAL;
	p.scheme_len = (size_t)(mark - url);
	host = p.scheme_len + 3;
	p.port_end = host + strcspn(url + host, "/?#");
	for (size_t i = host; i < p.port_end; i++)
		if (url[i] == '@')
			host = i + 1;
	bracket = host;
	for (size_t i = host; i < p.port_end; i++)
		if (url[i] == ']')
			bracket = i;
	p.host_end = p.port_end;
	for (size_t i = bracket; i < p.port_end; i++)
		if (url[i] == ':')
			p.host_end = i;
	p.query_start = strcspn(url, "?#");
	p.query_start = p.query_start < p.end ? p.query_start + 1 : p.end;
	*ret_parts = p;
	return 0;
}

static const char *default_port(const struct url_parts *p)
{
	return p->scheme_len == 4 && strncmp(p->url, "http", 4) == 0 ? ":80" : ":443";
}

/*
 * The URL in one of the forms that Twilio may have signed. Its URL parser writes an
 * apostrophe in a query as %27 (WHATWG URL, query percent-encode set), so may ours not see.
 */
static void add_url(struct buf *b, const struct url_parts *p, bool port, bool quote)
{
	buf_add(b, p->url, p->host_end);
	if (port && p->host_end == p->port_end)
		buf_add_str(b, default_port(p));
	else if (port)
		buf_add(b, p->url + p->host_end, p->port_end - p->host_end);
	buf_add(b, p->url + p->port_end, p->query_start - p->port_end);
	for (size_t i = p->query_start; i < p->end; i++) {
		if (quote && p->url[i] == '\'')
			buf_add_str(b, "%27");
		else
			buf_add_char(b, p->url[i]);
	}
}

/* The value of bodySHA256 in the query, or NULL. */
static const char *find_body_hash(const struct url_parts *p, size_t *ret_len)
{
	static const char name[] = "bodySHA256=";
	const size_t name_len = sizeof(name) - 1;
	size_t at = p->query_start;

	while (at < p->end) {
		size_t len = strcspn(p->url + at, "&#");

		if (len >= name_len && memcmp(p->url + at, name, name_len) == 0) {
			*ret_len = len - name_len;
			return p->url + at + name_len;
		}
		at += len + 1;
	}
	return NULL;
}

static bool body_matches(const void *body, size_t len, const char *hash, size_t hash_len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[SHA256_HEX + 1];

	if (hash_len != SHA256_HEX)
		return false;
	(void)SHA256(body != NULL ? body : "", len, digest);
	(void)text_hex(hex, digest, sizeof(digest));
	return text_differs(hex, hash, SHA256_HEX) == 0;
}

int twilio_signature_check(const char *auth_token, const char *url,
	const struct form *form, const void *body, size_t body_len, const char *signature)
{
	struct url_parts parts;
	char right[TWILIO_SIGNATURE_SIZE];
	const char *hash;
	size_t hash_len = 0;
	bool matches = false;

	if (signature == NULL || strlen(signature) != TWILIO_SIGNATURE_SIZE - 1)
		return -EACCES;
	if (parse_url(url, &parts) != 0)
		return -EACCES;
	hash = find_body_hash(&parts, &hash_len);
	if (hash != NULL && !body_matches(body, body_len, hash, hash_len))
		return -EACCES;

	for (unsigned variant = 0; variant < 4 && !matches; variant++) {
		struct buf b = {0};

		add_url(&b, &parts, (variant & 1) != 0, (variant & 2) != 0);
		if (sign(auth_token, &b, hash == NULL ? form : NULL, right) == 0)
			matches = text_differs(right, signature, sizeof(right) - 1) == 0;
		buf_free(&b);
	}
	return matches ? 0 : -EACCES;
}
