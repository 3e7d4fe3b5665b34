/*
 * form.h: application/x-www-form-urlencoded, read and written (WHATWG URL, section 5).
 *
 * Pure functions, any thread. Twilio's webhooks and its REST bodies are such forms.
 */
#ifndef OMNIVOX_BASE_FORM_H
#define OMNIVOX_BASE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct form_pair {
	char *name; /* decoded, NUL-terminated */
	char *value;
};

/* Pairs in order of arrival, repeats kept. Start with all zero. */
struct form {
	struct form_pair *pairs;
	size_t count;
	char *memory; /* owned: the decoded text of all pairs */
};

/*
 * Parses `len` bytes. At most `max_pairs` pairs. -EINVAL for a broken %-escape or a NUL byte,
 * -E2BIG for too many pairs, -ENOMEM. On failure `*ret_form` is untouched.
 */
int form_parse(const char *text, size_t len, size_t max_pairs, struct form *ret_form);
void form_free(struct form *form);

/* Puts '?' in place of each byte that is of no UTF-8 character; whether there was one. */
bool form_mend(struct form *form);

/* The first value of `name`, or NULL. Owned by the form. */
const char *form_get(const struct form *form, const char *name);

/* Adds "name=value" with a leading '&' when the buffer is not empty; %-escaped. */
void form_add(struct buf *b, const char *name, const char *value);
void form_add_int(struct buf *b, const char *name, long long value);

/* Adds `text` with every byte outside A-Z a-z 0-9 - _ . ~ escaped (RFC 3986, 2.3). */
void form_escape(struct buf *b, const char *text);

#endif
