/* api_body.c: reads what a request says and writes what a reply says. See api.h. */
#include "gateway/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

void api_ok(struct api_reply *reply, int status, json_t *data)
{
	reply->status = status;
	reply->data = data;
}

static void fail(struct api_reply *reply, int status, const char *code, const char *fmt,
	va_list args)
{
	reply->status = status;
	(void)snprintf(reply->code, sizeof(reply->code), "%s", code);
	(void)vsnprintf(reply->message, sizeof(reply->message), fmt, args);
	/* It may quote what was sent: no text, or a text cut in the middle of a character. */
	(void)text_mend(reply->message);
}

void api_fail(struct api_reply *reply, int status, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(reply, status, code, fmt, args);
	va_end(args);
}

void api_fail_field(struct api_reply *reply, const char *field, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(reply, 422, "VALIDATION", fmt, args);
	va_end(args);
	json_decref(reply->details);
	reply->details = json_pack("{s:s}", "field", field);
}

void api_fail_db(
	struct api_reply *reply, int error, const char *what, const struct db *db)
{
	switch (error) {
	case -ENOENT:
		api_fail(reply, 404, "NOT_FOUND",
			"There is no such %s. It may have been removed; reload the list.",
			what);
		return;
	case -EEXIST:
		api_fail(reply, 409, "EXISTS",
			"Another %s has this name or number already. Choose another.",
			what);
		return;
	case -EINVAL:
		api_fail(reply, 422, "VALIDATION",
			"The %s does not allow this in its present state or with this value.",
			what);
		return;
	case -ENOSPC:
		log_error("api", 0, "database: %s", db_error(db));
		api_fail(reply, 503, "DATABASE_FULL",
			"The database's disk is full. Nothing was changed; make room there, then "
			"try again.");
		reply->retry_after_s = 5;
		return;
	default:
		log_warn("api", 0, "database: %s (%d)", db_error(db), error);
		api_fail(reply, 503, "DATABASE_UNAVAILABLE",
			"The database does not answer just now. Nothing was changed; try again.");
		reply->retry_after_s = 1;
	}
}

int64_t api_param_id(const struct api_call *call, size_t index)
{
	const char *text = index < HTTP_PARAMS_MAX ? call->request->params[index] : NULL;
	int64_t id;

	return text != NULL && text_int(text, 1, INT64_MAX, &id) == 0 ? id : 0;
}

int64_t api_query_id(const struct api_call *call, const char *name)
{
	int64_t id = api_query_int(call, name, INT64_MAX, 0);
	const char *text = form_get(&call->request->query, name);

	return id == 0 && text != NULL && text[0] != '\0' ? -1 : id;
}

int64_t api_query_int(
	const struct api_call *call, const char *name, int64_t hi, int64_t fallback)
{
	const char *text = form_get(&call->request->query, name);
	int64_t value;

	if (text == NULL || text[0] == '\0')
		return fallback;
	return text_int(text, 0, hi, &value) == 0 ? value : -1;
}

int64_t api_query_time(const struct api_call *call, const char *name, int64_t fallback)
{
	const char *text = form_get(&call->request->query, name);
	int64_t wall_ms;

	if (text == NULL || text[0] == '\0')
		return fallback;
	return clock_parse(text, &wall_ms) == 0 ? wall_ms : -1;
}

const char *api_method(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_POST:
		return "POST";
	case HTTP_PUT:
		return "PUT";
	case HTTP_PATCH:
		return "PATCH";
	default:
		return "DELETE";
	}
}

int64_t api_agent(const struct api_call *call)
{
	return strcmp(call->user.role, "agent") == 0 ? call->user.id : 0;
}

int64_t api_principal(const struct api_call *call)
{
	return call->key_id != 0 ? -call->key_id : call->user.id;
}

json_t *api_id(int64_t id)
{
	char text[24];

	if (id == 0)
		return json_null();
	(void)snprintf(text, sizeof(text), "%" PRId64, id);
	return json_string(text);
}

json_t *api_time(int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	return wall_ms == 0 ? json_null() : json_string(clock_text(wall_ms, text));
}

json_t *api_text(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

json_t *api_stored(const char *json)
{
	json_t *doc = json_loads(json, 0, NULL);

	if (doc == NULL) /* the database has larger integers than we */
		doc = json_loads(json, JSON_DECODE_INT_AS_REAL, NULL);
	return doc == NULL ? json_object() : doc;
}

bool api_body_has(const struct api_call *call, const char *field)
{
	return json_object_get(call->body, field) != NULL;
}

int api_body_text(struct api_call *call, struct api_reply *reply, const char *field,
	bool required, char *ret_text, size_t size)
{
	const json_t *value = json_object_get(call->body, field);
	const char *text = json_string_value(value);

	if (value == NULL) {
		if (!required)
			return 0;
		api_fail_field(reply, field, "%s is missing.", field);
		return -EINVAL;
	}
	if (text == NULL) {
		api_fail_field(reply, field, "%s must be a text.", field);
		return -EINVAL;
	}
	if (required && text_blank(text)) {
		api_fail_field(reply, field, "%s must not be empty.", field);
		return -EINVAL;
	}
	/* Line breaks may stand in descriptions; other control characters nowhere. */
	for (const char *c = text; *c != '\0'; c++)
		if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') ||
			*c == 0x7f) {
			api_fail_field(
				reply, field, "%s has a control character.", field);
			return -EINVAL;
		}
	if (text_copy(ret_text, size, text) < 0) {
		api_fail_field(
			reply, field, "%s is longer than %zu bytes.", field, size - 1);
		return -EINVAL;
	}
	return 0;
}

int api_body_int(struct api_call *call, struct api_reply *reply, const char *field,
	int lo, int hi, int *ret_value)
{
	const json_t *value = json_object_get(call->body, field);

	if (value == NULL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < lo ||
		json_integer_value(value) > hi) {
		api_fail_field(reply, field, "%s must be a whole number from %d to %d.",
			field, lo, hi);
		return -EINVAL;
	}
	*ret_value = (int)json_integer_value(value);
	return 0;
}

int api_body_bool(struct api_call *call, struct api_reply *reply, const char *field,
	bool *ret_value)
{
	const json_t *value = json_object_get(call->body, field);

	if (value == NULL)
		return 0;
	if (!json_is_boolean(value)) {
		api_fail_field(reply, field, "%s must be true or false.", field);
		return -EINVAL;
	}
	*ret_value = json_is_true(value);
	return 0;
}

int api_body_time(struct api_call *call, struct api_reply *reply, const char *field,
	int64_t *ret_wall_ms)
{
	const json_t *value = json_object_get(call->body, field);
	const char *text = json_string_value(value);

	if (value == NULL)
		return 0;
	if (json_is_null(value)) {
		*ret_wall_ms = 0;
		return 0;
	}
	if (text == NULL || clock_parse(text, ret_wall_ms) < 0) {
		api_fail_field(reply, field,
			"%s must be a time such as 2026-01-31T18:30:00Z.", field);
		return -EINVAL;
	}
	return 0;
}

int api_body_id(struct api_call *call, struct api_reply *reply, const char *field,
	bool required, int64_t *ret_id)
{
	const json_t *value = json_object_get(call->body, field);
	const char *text = json_string_value(value);
	int64_t id = 0;

	if (value == NULL || json_is_null(value)) {
		if (!required)
			return 0;
		api_fail_field(reply, field, "%s is missing.", field);
		return -EINVAL;
	}
	if (json_is_integer(value))
		id = json_integer_value(value);
	else if (text == NULL || text_int(text, 1, INT64_MAX, &id) < 0)
		id = 0;
	if (id <= 0) {
		api_fail_field(reply, field, "%s must be an id such as \"42\".", field);
		return -EINVAL;
	}
	*ret_id = id;
	return 0;
}

int api_body_only(
	struct api_call *call, struct api_reply *reply, const char *const *fields)
{
	const char *key;
	json_t *value;

	json_object_foreach(call->body, key, value)
	{
		size_t i = 0;

		while (fields[i] != NULL && strcmp(fields[i], key) != 0)
			i++;
		if (fields[i] == NULL) {
			api_fail_field(reply, key, "%.64s is not a field here.", key);
			return -EINVAL;
		}
	}
	return 0;
}
