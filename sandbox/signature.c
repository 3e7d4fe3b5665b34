/* signature.c: base64(HMAC-SHA1(token, URL + sorted parameters)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "sandbox/signature.h"

/* Repeated parameters are sorted by value and doubles dropped. */
static int compare_pairs(const void *left, const void *right)
{
	const struct form_pair *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->value, b->value);
}

/* How Twilio writes the URL: no fragment, and :80 or :443 only where they mean something. */
static void add_url(struct buf *text, const char *url)
{
	size_t len = strcspn(url, "#");
	const char *host = strstr(url, "://");
	const char *standard = strncmp(url, "https:", 6) == 0 ? ":443" : ":80";
	size_t port, port_len;

	host = host != NULL ? host + 3 : url;
	port = (size_t)(host - url) + strcspn(host, "/?#");
	port_len = strlen(standard);
	if (port >= port_len && memcmp(url + port - port_len, standard, port_len) == 0) {
		buf_add(text, url, port - port_len);
		buf_add(text, url + port, len - port);
	} else {
		buf_add(text, url, len);
	}
}

static int add_form(struct buf *text, const struct form *form)
{
	struct form_pair *sorted = NULL;
	size_t i;

	if (form->count == 0)
		return 0;
	sorted = malloc(form->count * sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	memcpy(sorted, form->pairs, form->count * sizeof(*sorted));
	qsort(sorted, form->count, sizeof(*sorted), compare_pairs);
	for (i = 0; i < form->count; i++) {
		if (i > 0 && compare_pairs(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		buf_add_str(text, sorted[i].name);
		buf_add_str(text, sorted[i].value);
	}
	free(sorted);
	return 0;
}

int signature_make(const char *token, const char *url, const struct form *form,
	char ret_signature[SIGNATURE_SIZE])
{
	struct buf text = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	int r = 0;

	add_url(&text, url);
	if (form != NULL)
		r = add_form(&text, form);
	if (r == 0 && text.failed)
		r = -ENOMEM;
	if (r < 0)
		goto out;
	if (HMAC(EVP_sha1(), token, (int)strlen(token), (const unsigned char *)text.data,
		    text.len, digest, &digest_len) == NULL) {
		r = -ENOMEM;
		goto out;
	}
	(void)EVP_EncodeBlock((unsigned char *)ret_signature, digest, (int)digest_len);
out:
	buf_free(&text);
	return r;
}
