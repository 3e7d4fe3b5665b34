/* form.c: application/x-www-form-urlencoded. See form.h. */
#include "base/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Decodes `len` bytes at `at` in place and ends them with NUL; -EINVAL. */
static int decode(char *at, size_t len)
{
	char *out = at;

	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (len - i < 3 || text_hex_digit(at[i + 1]) < 0 ||
				text_hex_digit(at[i + 2]) < 0)
				return -EINVAL;
			c = (char)(text_hex_digit(at[i + 1]) * 16 +
				   text_hex_digit(at[i + 2]));
			i += 2;
		}
		if (c == '\0')
			return -EINVAL;
		*out++ = c;
	}
	*out = '\0';
	return 0;
}

static size_t count_pairs(const char *text, size_t len)
{
	size_t count = 0, start = 0;

	for (size_t i = 0; i <= len; i++)
		if (i == len || text[i] == '&') {
			count += i > start;
			start = i + 1;
		}
	return count;
}

/* One "name=value" at [at, at + len), which has a byte to spare behind it. */
static int parse_pair(char *at, size_t len, struct form_pair *pair)
{
	char *equals = memchr(at, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - at);
	int err;

	pair->name = at;
	pair->value = equals == NULL ? at + len : equals + 1;
	/* The value first: decoding the name ends it with NUL where the '=' stood. */
	err = decode(pair->value, equals == NULL ? 0 : len - name_len - 1);
	return err < 0 ? err : decode(pair->name, name_len);
}

int form_parse(const char *text, size_t len, size_t max_pairs, struct form *ret_form)
{
	struct form form = {0};
	size_t start = 0, count = count_pairs(text, len);
	int err = 0;

	if (count > max_pairs)
		return -E2BIG;
	if (count == 0) {
		*ret_form = form;
		return 0;
	}
	form.pairs = calloc(count, sizeof(*form.pairs));
	form.memory = malloc(len + 1);
	if (form.pairs == NULL || form.memory == NULL) {
		err = -ENOMEM;
		goto out;
	}
	memcpy(form.memory, text, len);
	form.memory[len] = '\0';
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '&')
			continue;
		if (i > start) {
			err = parse_pair(form.memory + start, i - start,
				&form.pairs[form.count++]);
			if (err < 0)
				goto out;
		}
		start = i + 1;
	}
	*ret_form = form;
	return 0;
out:
	form_free(&form);
	return err;
}

void form_free(struct form *form)
{
	free(form->pairs);
	free(form->memory);
	*form = (struct form){0};
}

bool form_mend(struct form *form)
{
	bool mended = false;

	for (size_t i = 0; i < form->count; i++) {
		mended |= text_mend(form->pairs[i].name);
		mended |= text_mend(form->pairs[i].value);
	}
	return mended;
}

const char *form_get(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->pairs[i].name, name) == 0)
			return form->pairs[i].value;
	return NULL;
}

void form_escape(struct buf *b, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.~";

	while (*text != '\0') {
		size_t run = strspn(text, plain);

		buf_add(b, text, run);
		text += run;
		if (*text != '\0')
			buf_printf(b, "%%%02X", (unsigned char)*text++);
	}
}

void form_add(struct buf *b, const char *name, const char *value)
{
	if (b->len > 0)
		buf_add_char(b, '&');
	form_escape(b, name);
	buf_add_char(b, '=');
	form_escape(b, value);
}

void form_add_int(struct buf *b, const char *name, long long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", value);
	form_add(b, name, text);
}
