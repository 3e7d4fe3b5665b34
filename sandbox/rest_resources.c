/* rest_resources.c: list, create, fetch, update and delete for every kind of resource.h. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sandbox/memory.h"
#include "sandbox/resource.h"
#include "sandbox/rest.h"

/* Index of the SID in the path's parameters, after the account and the parent. */
static size_t sid_param(const struct resource_kind *kind)
{
	return kind->parent != NULL ? 2 : 1;
}

static const char *parent_sid(const struct rest *rest)
{
	return rest->kind->parent != NULL ? rest->request->params[1] : "";
}

/* False: replied 404. */
static bool parent_is_there(struct rest *rest)
{
	const struct resource_kind *parent = rest->kind->parent;

	if (parent == NULL || resources_find(rest->sandbox->resources, parent,
				      parent_sid(rest), NULL) != NULL)
		return true;
	rest_not_found(rest);
	return false;
}

static json_t *value_json(const struct resource_field *field, const char *value)
{
	if (value == NULL)
		return json_null();
	if (field->type == FIELD_FLAG)
		return json_boolean(strcmp(value, "true") == 0);
	if (field->type == FIELD_NUMBER)
		return json_integer(atoll(value));
	return json_string(value);
}

static json_t *uri_json(const struct resource *resource)
{
	struct buf path = {0};
	json_t *uri;

	/* At most one %s, for the parent. */
	if (resource->kind->parent != NULL) {
		const char *mark = strstr(resource->kind->path, "%s");

		buf_add(&path, resource->kind->path,
			(size_t)(mark - resource->kind->path));
		buf_add_str(&path, resource->parent_sid);
		buf_add_str(&path, mark + 2);
	} else {
		buf_add_str(&path, resource->kind->path);
	}
	uri = json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/%s/%s.json",
		resource->sandbox->settings.account_sid, path.data, resource->sid);
	buf_free(&path);
	return uri;
}

static json_t *resource_json(const struct resource *resource)
{
	const struct resource_kind *kind = resource->kind;
	json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "sid", resource->sid,
		"account_sid", resource->sandbox->settings.account_sid, "date_created",
		rest_date(resource->created_ms), "date_updated",
		rest_date(resource->updated_ms));
	size_t i;

	for (i = 0; i < kind->field_count; i++)
		if (kind->fields[i].type != FIELD_SECRET)
			(void)json_object_set_new(object, kind->fields[i].name,
				value_json(&kind->fields[i], resource->values[i]));
	if (!kind->hides_uri)
		(void)json_object_set_new(object, "uri", uri_json(resource));
	if (kind->parent_name != NULL)
		(void)json_object_set_new(
			object, kind->parent_name, json_string(resource->parent_sid));
	if (kind->show != NULL)
		kind->show(resource, object);
	return object;
}

/* The value as it will be kept; NULL with *ret_bad: it is wrong. */
static const char *read_value(
	const struct resource_field *field, const char *value, int *ret_bad)
{
	int64_t number;

	*ret_bad = 0;
	switch (field->type) {
	case FIELD_URL:
		if (*value != '\0' && !rest_url_valid(value))
			*ret_bad = 21402;
		return *value != '\0' && *ret_bad == 0 ? value : NULL;
	case FIELD_METHOD:
		if (strcasecmp(value, "GET") == 0)
			return "GET";
		if (strcasecmp(value, "POST") == 0 || *value == '\0')
			return "POST";
		*ret_bad = 21403;
		return NULL;
	case FIELD_FLAG:
		return strcasecmp(value, "true") == 0 ? "true" : "false";
	case FIELD_NUMBER:
		*ret_bad = text_int(value, 0, INT32_MAX, &number) < 0 ? -1 : 0;
		return value;
	case FIELD_TEXT:
	case FIELD_SECRET:
		break;
	}
	if (field->max != 0 && strlen(value) > field->max)
		*ret_bad = -1;
	return *value != '\0' ? value : NULL;
}

/* Every field that the form has; false: replied. */
static bool take_form(struct rest *rest, struct resource *resource, bool creating)
{
	const struct resource_kind *kind = resource->kind;
	size_t i;

	for (i = 0; i < kind->field_count; i++) {
		const struct resource_field *field = &kind->fields[i];
		const char *given =
			field->param != NULL ? rest_form(rest, field->param) : NULL;
		const char *value;
		int bad = 0;

		if (given == NULL && !(creating && field->required))
			continue;
		value = given != NULL ? read_value(field, given, &bad) : NULL;
		if (bad == 0 && value == NULL && field->required)
			bad = -1;
		if (bad != 0) {
			rest_error(rest, 400, bad > 0 ? bad : kind->invalid_code,
				given != NULL ? "%s is not valid: %.200s"
					      : "%s is required%.0s",
				field->param, given != NULL ? given : "");
			return false;
		}
		memory_swap(&resource->values[i], value);
	}
	return true;
}

void rest_resource_create(struct rest *rest)
{
	const struct resource_kind *kind = rest->kind;
	struct resources *all = rest->sandbox->resources;
	struct resource *resource;

	if (!parent_is_there(rest))
		return;
	if (kind->most != 0 &&
		resources_count(all, kind, parent_sid(rest)) >= kind->most) {
		rest_error(
			rest, 400, kind->most_code, "There are %zu already", kind->most);
		return;
	}
	resource = resource_new(rest->sandbox, kind, parent_sid(rest));
	if (!take_form(rest, resource, true) ||
		(kind->check != NULL && !kind->check(rest, resource, NULL))) {
		resource_free(&resource);
		return;
	}
	resources_add(all, resource);
	rest_reply(rest, 201, resource_json(resource));
}

/* The resource of the path; NULL: replied 404. */
static struct resource *named(struct rest *rest)
{
	char *sid = rest_sid(rest, sid_param(rest->kind));
	struct resource *resource = NULL;

	if (sid != NULL)
		resource = resources_find(
			rest->sandbox->resources, rest->kind, sid, parent_sid(rest));
	free(sid);
	if (resource == NULL)
		rest_not_found(rest);
	return resource;
}

void rest_resource_fetch(struct rest *rest)
{
	struct resource *resource = named(rest);

	if (resource != NULL)
		rest_reply(rest, 200, resource_json(resource));
}

void rest_resource_update(struct rest *rest)
{
	struct resource *resource = named(rest), *wanted;
	const struct resource_kind *kind = rest->kind;

	if (resource == NULL)
		return;
	wanted = resource_copy(resource);
	if (!take_form(rest, wanted, false) ||
		(kind->check != NULL && !kind->check(rest, wanted, resource))) {
		resource_free(&wanted);
		return;
	}
	resource_commit(resource, &wanted);
	rest_reply(rest, 200, resource_json(resource));
}

void rest_resource_delete(struct rest *rest)
{
	struct resource *resource = named(rest);

	if (resource == NULL)
		return;
	if (rest->kind->may_delete != NULL && !rest->kind->may_delete(rest, resource))
		return;
	resources_delete(rest->sandbox->resources, resource);
	rest_reply(rest, 204, NULL);
}

/* A number may be a part of one, or hold `*` for any digits; other texts are whole. */
static bool field_passes(
	const struct resource_field *field, const char *value, const char *wanted)
{
	struct buf pattern = {0};
	bool fits;

	if (*wanted == '\0')
		return true;
	if (value == NULL)
		return false;
	if (strcmp(field->name, "phone_number") != 0)
		return strcmp(value, wanted) == 0;
	buf_printf(&pattern, "*%s*", wanted);
	fits = fnmatch(pattern.data, value, 0) == 0;
	buf_free(&pattern);
	return fits;
}

static bool passes(const struct rest *rest, const struct resource *resource)
{
	const struct resource_kind *kind = rest->kind;
	const char *const *filter = kind->filters;
	size_t i;

	if (resource->kind != kind || strcmp(resource->parent_sid, parent_sid(rest)) != 0)
		return false;
	for (; filter != NULL && *filter != NULL; filter++) {
		const char *wanted = form_get(&rest->request->query, *filter);

		for (i = 0; wanted != NULL && i < kind->field_count; i++) {
			const struct resource_field *field = &kind->fields[i];

			if (field->param != NULL && strcmp(field->param, *filter) == 0 &&
				!field_passes(field, resource->values[i], wanted))
				return false;
		}
	}
	return true;
}

void rest_resource_list(struct rest *rest)
{
	struct list *all = resources_list(rest->sandbox->resources), *node;
	struct rest_page page;

	if (!parent_is_there(rest) || rest_page_begin(rest, &page) < 0)
		return;
	for (node = all->prev; node != all && !page.more; node = node->prev) {
		const struct resource *r = list_entry(node, const struct resource, node);

		if (passes(rest, r) && rest_page_wants(&page, r->sid))
			rest_page_add(&page, r->sid, resource_json(r));
	}
	rest_page_reply(rest, &page, rest->kind->array);
}
