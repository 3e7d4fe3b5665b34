/* audit.c: who changed what. See audit.h. */
#include "gateway/audit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define TEXT_MAX 200    /* bytes of one text */
#define FIELDS_MAX 2000 /* bytes of all; the database adds spaces */
#define DEPTH_MAX 3
#define HIDDEN "(hidden)"

/* ---- what a body sets ---- */

static bool has_word(const char *name, const char *word)
{
	for (; *name != '\0'; name++) {
		size_t i = 0;

		while (word[i] != '\0' && tolower((unsigned char)name[i]) == word[i])
			i++;
		if (word[i] == '\0')
			return true;
	}
	return false;
}

static bool is_secret(const char *name)
{
	return has_word(name, "password") || has_word(name, "secret") ||
	       has_word(name, "token");
}

static json_t *shorten(const json_t *value, int depth);

static json_t *shorten_object(const json_t *object, int depth)
{
	json_t *doc = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)(
		void) json_object_set_new(doc, name,
		is_secret(name) ? json_string(HIDDEN) : shorten(value, depth + 1));
	return doc;
}

/* In the database an exponent becomes as many zeros: shown as text instead. */
static json_t *shorten_real(const json_t *value)
{
	char text[40];
	size_t len = json_dumpb(value, text, sizeof(text) - 1, JSON_ENCODE_ANY);

	text[len < sizeof(text) ? len : 0] = '\0';
	return strchr(text, 'e') == NULL ? json_deep_copy(value) : json_string(text);
}

/* Long texts are cut, long lists counted. */
static json_t *shorten(const json_t *value, int depth)
{
	char text[TEXT_MAX + 1];

	if (json_is_string(value) && json_string_length(value) > TEXT_MAX) {
		text_cut(text, sizeof(text), json_string_value(value));
		return json_string(text);
	}
	if (json_is_array(value) && (depth >= DEPTH_MAX || json_array_size(value) > 8)) {
		(void)snprintf(text, sizeof(text), "(%zu items)", json_array_size(value));
		return json_string(text);
	}
	if (json_is_array(value)) {
		json_t *list = json_array();

		for (size_t i = 0; i < json_array_size(value); i++)
			(void)json_array_append_new(
				list, shorten(json_array_get(value, i), depth + 1));
		return list;
	}
	if (json_is_object(value) && depth >= DEPTH_MAX)
		return json_string("(object)");
	if (json_is_object(value))
		return shorten_object(value, depth);
	if (json_is_real(value))
		return shorten_real(value);
	return json_deep_copy(value);
}

static void put(json_t *doc, char *text, size_t size)
{
	size_t len = doc == NULL ? 0 : json_dumpb(doc, text, size - 1, JSON_COMPACT);

	if (len == 0 || len >= size)
		(void)snprintf(text, size, "{}");
	else
		text[len] = '\0';
	json_decref(doc);
}

/* Too much to show: the names alone. */
static json_t *names(const json_t *body)
{
	json_t *list = json_array(), *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)body, name,
		value) if (json_array_size(list) < 32 && strlen(name) < 40)(void)
		json_array_append_new(list, json_string(name));
	return json_pack("{s:o}", "(fields)", list);
}

static void write_fields(const json_t *body, char *text, size_t size)
{
	json_t *doc = shorten_object(body, 0);

	if (json_dumpb(doc, NULL, 0, JSON_COMPACT) > FIELDS_MAX) {
		json_decref(doc);
		doc = names(body);
	}
	put(doc, text, size);
}

/* ---- what is noted ---- */

/* The ":name"s of the path that are ids, as an object. */
static json_t *path_ids(const struct api_call *call, const char *path)
{
	json_t *doc = json_object();
	char name[40];

	for (size_t i = 0; (path = strchr(path, ':')) != NULL; i++) {
		size_t len = strcspn(++path, "/");

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (api_param_id(call, i) != 0)
			(void)json_object_set_new(
				doc, name, api_id(api_param_id(call, i)));
		path += len;
	}
	return doc;
}

void audit_who(struct db_audit *entry, const struct api_call *call)
{
	entry->user_id = call->user.id;
	entry->key_id = call->key_id;
	text_cut(entry->username, sizeof(entry->username), call->user.username);
	text_cut(entry->key_name, sizeof(entry->key_name), call->key_name);
	text_cut(entry->role, sizeof(entry->role), call->user.role);
}

void audit_request(struct db_audit *entry, const struct api_call *call,
	const struct api_route *route)
{
	char host[ADDR_TEXT_SIZE];

	audit_who(entry, call);
	text_cut(entry->address, sizeof(entry->address),
		addr_host(&call->request->peer, host));
	text_cut(entry->method, sizeof(entry->method), api_method(call->request->method));
	text_cut(entry->route, sizeof(entry->route), route->http.path);
	put(path_ids(call, route->http.path), entry->targets, sizeof(entry->targets));
	write_fields(call->body, entry->fields, sizeof(entry->fields));
}

void audit_result(struct db_audit *entry, const struct api_reply *reply)
{
	json_t *targets = api_stored(entry->targets), *value;
	char id_name[40];
	const char *name;

	entry->status = reply->status;
	json_object_foreach(reply->data, name, value)
	{
		const char *id = json_string_value(json_object_get(value, "id"));

		if (id == NULL || strlen(id) > 19 || strlen(name) > 32)
			continue;
		(void)snprintf(id_name, sizeof(id_name), "%sId", name);
		(void)json_object_set_new(targets, id_name, json_string(id));
	}
	put(targets, entry->targets, sizeof(entry->targets));
}

/* ---- GET /api/audit-log ---- */

static json_t *entry_json(const struct db_audit *e)
{
	return json_pack(
		"{s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "id",
		api_id(e->id), "at", api_time(e->at_ms), "userId", api_id(e->user_id),
		"username", e->username, "apiKeyId", api_id(e->key_id), "apiKeyName",
		api_text(e->key_name), "role", e->role, "address", e->address, "method",
		e->method, "route", e->route, "status", e->status, "targets",
		api_stored(e->targets), "fields", api_stored(e->fields));
}

static bool is_method(const char *word)
{
	return strcmp(word, "POST") == 0 || strcmp(word, "PUT") == 0 ||
	       strcmp(word, "PATCH") == 0 || strcmp(word, "DELETE") == 0;
}

static const char *query_text(const struct api_call *call, const char *name)
{
	const char *text = form_get(&call->request->query, name);

	return text == NULL || text[0] == '\0' ? NULL : text;
}

void audit_list(struct api_call *call, struct api_reply *reply)
{
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_audit_filter filter = {
		.user_id = api_query_id(call, "userId"),
		.key_id = api_query_id(call, "apiKeyId"),
		.method = query_text(call, "method"),
		.route = query_text(call, "route"),
		.since_ms = api_query_time(call, "since", 0),
		.until_ms = api_query_time(call, "until", 0),
		.before = api_query_int(call, "before", INT64_MAX, 0),
		.limit = limit < 1 ? 1 : (unsigned)limit,
	};
	struct db_audit *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (limit < 1 || filter.user_id < 0 || filter.key_id < 0 || filter.before < 0 ||
		filter.since_ms < 0 || filter.until_ms < 0 ||
		(filter.method != NULL && !is_method(filter.method))) {
		api_fail(reply, 422, "VALIDATION",
			"userId, apiKeyId and before must be ids, since and until times such as "
			"2026-01-31T18:30:00Z, method POST, PUT, PATCH or DELETE, limit a number "
			"from 1 to %d.",
			PAGE_MAX);
		return;
	}
	err = db_audit_page(call->db, &filter, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "audit log", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(list, entry_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "entries", list, "nextCursor", next));
}
