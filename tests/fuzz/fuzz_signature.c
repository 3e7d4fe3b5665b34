/*
 * fuzz_signature.c: a URL, a line end, a body. What Twilio would sign is accepted, with and
 * without the body's hash; a signature of another URL is not. Twilio's part is played by the
 * sandbox's signature, which was written apart from ours.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sandbox/signature.h"
#include "twilio/signature.h"

#define PAIRS_MAX 64
#define TOKEN "0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *url, const char *body, size_t len)
{
	char theirs[SIGNATURE_SIZE], ours[TWILIO_SIGNATURE_SIZE];
	struct form form = {0};
	bool has_form = form_parse(body, len, PAIRS_MAX, &form) == 0;
	struct buf other = {0};
	int err;

	assert(signature_make(TOKEN, url, has_form ? &form : NULL, theirs) == 0);
	err = twilio_signature_check(
		TOKEN, url, has_form ? &form : NULL, body, len, theirs);
	assert(err == 0 || strncmp(url, "http", 4) != 0 || strstr(url, "bodySHA256="));
	buf_printf(&other, "%s", url);
	buf_add_char(&other, 'x');
	assert(twilio_sign(TOKEN, url, has_form ? &form : NULL, ours) == 0);
	if (strchr(url, '#') == NULL && !(has_form && form.count > 0))
		assert(twilio_signature_check(
			       TOKEN, other.data, &form, body, len, ours) != 0);
	buf_free(&other);
	form_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t url_len = end != NULL ? (size_t)(end - (const char *)data) : size;
	char *url = malloc(url_len + sizeof("https://") + 1);
	char *body = malloc(size - url_len + 1);

	if (url == NULL || body == NULL)
		abort();
	/* The public base of our URLs stands in front of every path. */
	memcpy(url, "https://", 8);
	memcpy(url + 8, data, url_len);
	url[8 + url_len] = '\0';
	size = end != NULL ? size - url_len - 1 : 0;
	if (size > 0)
		memcpy(body, end + 1, size);
	if (strlen(url + 8) > 0)
		check(url, body, size);
	free(url);
	free(body);
	return 0;
}
