/* rest_form.c: parameters of a request, and the small values of an answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sandbox/memory.h"
#include "sandbox/rest.h"

#define DAY_MS 86400000

char *rest_sid(const struct rest *rest, size_t param)
{
	const char *text = rest->request->params[param];
	size_t len = strlen(text);
	char *sid;

	if (len <= 5 || strcmp(text + len - 5, ".json") != 0)
		return NULL;
	sid = memory_text(text);
	sid[len - 5] = '\0';
	return sid;
}

const char *rest_form(const struct rest *rest, const char *name)
{
	return form_get(&rest->request->form, name);
}

bool rest_form_bool(const struct rest *rest, const char *name, bool otherwise)
{
	const char *value = rest_form(rest, name);

	return value == NULL ? otherwise : strcasecmp(value, "true") == 0;
}

char *rest_form_words(const struct rest *rest, const char *name)
{
	const struct form *form = &rest->request->form;
	struct buf words = {0};
	size_t i;

	for (i = 0; i < form->count; i++) {
		if (strcmp(form->pairs[i].name, name) != 0)
			continue;
		buf_add_str(&words, form->pairs[i].value);
		buf_add_char(&words, ' ');
	}
	return words.len > 0 ? buf_take(&words) : NULL;
}

bool rest_url_valid(const char *url)
{
	const char *host = NULL, *login;
	size_t len;

	if (strncasecmp(url, "http://", 7) == 0)
		host = url + 7;
	else if (strncasecmp(url, "https://", 8) == 0)
		host = url + 8;
	len = host != NULL ? strcspn(host, "/?#") : 0;
	login = len > 0 ? memchr(host, '@', len) : NULL;
	if (login != NULL) {
		len -= (size_t)(login + 1 - host);
		host = login + 1;
	}
	/* Twilio takes no underscore in a host. */
	return len > 0 && memchr(host, '_', len) == NULL &&
	       strpbrk(url, " \t\r\n") == NULL && strlen(url) <= 4000;
}

const char *rest_form_method(const struct rest *rest, const char *name)
{
	const char *value = rest_form(rest, name);

	if (value == NULL || strcasecmp(value, "POST") == 0)
		return "POST";
	return strcasecmp(value, "GET") == 0 ? "GET" : NULL;
}

json_t *rest_date(int64_t wall_ms)
{
	char date[DATE_SIZE];

	return wall_ms == 0 ? json_null() : json_string(date_text(wall_ms, date));
}

json_t *rest_text(const char *text)
{
	return text == NULL || *text == '\0' ? json_null() : json_string(text);
}

/* Reads YYYY-MM-DD or an RFC 3339 time; the day's end too. -EINVAL. */
static int parse_date(const char *text, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	bool day = rest != NULL && *rest == '\0';

	if (!day && rest != NULL) {
		memset(&tm, 0, sizeof(tm));
		rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
		if (rest != NULL && *rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (rest != NULL && strcmp(rest, "Z") != 0 && *rest != '\0')
			rest = NULL;
	}
	if (rest == NULL)
		return -EINVAL;
	*ret_from_ms = (int64_t)timegm(&tm) * 1000;
	*ret_to_ms = *ret_from_ms + (day ? DAY_MS : 1000) - 1;
	return 0;
}

bool rest_time_passes(struct rest *rest, const char *name, int64_t at_ms, bool *bad)
{
	static const char *const signs[] = {"", "<", ">"};
	int64_t from_ms, to_ms;
	char key[32];
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *value;

		(void)snprintf(key, sizeof(key), "%s%s", name, signs[i]);
		value = form_get(&rest->request->query, key);
		if (value == NULL || *value == '\0')
			continue;
		if (parse_date(value, &from_ms, &to_ms) < 0) {
			rest_error(rest, 400, 20422, "%s is not a date: %s", key, value);
			*bad = true;
			return false;
		}
		if ((*signs[i] != '<' && at_ms < from_ms) ||
			(*signs[i] != '>' && at_ms > to_ms))
			return false;
	}
	return true;
}

bool rest_text_passes(const struct rest *rest, const char *name, const char *value)
{
	const char *wanted = form_get(&rest->request->query, name);

	return wanted == NULL || *wanted == '\0' || strcmp(wanted, value) == 0;
}
