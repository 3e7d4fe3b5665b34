/* resource.c: one list of all resources. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/memory.h"
#include "sandbox/resource.h"
#include "sandbox/sandbox.h"

struct resources {
	struct list all;
};

int resources_new(struct sandbox *sandbox, struct resources **ret_resources)
{
	struct resources *resources = memory_zero(sizeof(*resources));

	(void)sandbox;
	list_init(&resources->all);
	*ret_resources = resources;
	return 0;
}

void resources_free(struct resources **resources)
{
	struct list *node, *tmp;

	if (*resources == NULL)
		return;
	list_for_each(&(*resources)->all, node, tmp)
	{
		struct resource *resource = list_entry(node, struct resource, node);

		resource_free(&resource);
	}
	free(*resources);
	*resources = NULL;
}

struct list *resources_list(struct resources *resources)
{
	return &resources->all;
}

struct resource *resource_new(
	struct sandbox *sandbox, const struct resource_kind *kind, const char *parent_sid)
{
	struct resource *resource = memory_zero(sizeof(*resource));
	size_t i;

	resource->sandbox = sandbox;
	resource->kind = kind;
	sandbox_sid(sandbox, kind->prefix, resource->sid);
	(void)text_copy(resource->parent_sid, SID_SIZE, parent_sid);
	resource->values = memory_zero(kind->field_count * sizeof(*resource->values));
	for (i = 0; i < kind->field_count; i++)
		resource->values[i] = memory_text(kind->fields[i].otherwise);
	resource->created_ms = resource->updated_ms = clock_wall_ms();
	return resource;
}

struct resource *resource_copy(const struct resource *resource)
{
	struct resource *copy = memory_zero(sizeof(*copy));
	size_t i;

	*copy = *resource;
	copy->node = (struct list){NULL, NULL};
	copy->values = memory_zero(resource->kind->field_count * sizeof(*copy->values));
	for (i = 0; i < resource->kind->field_count; i++)
		copy->values[i] = memory_text(resource->values[i]);
	return copy;
}

void resource_free(struct resource **resource)
{
	struct resource *r = *resource;
	size_t i;

	if (r == NULL)
		return;
	list_remove(&r->node);
	for (i = 0; i < r->kind->field_count; i++)
		free(r->values[i]);
	free(r->values);
	free(r);
	*resource = NULL;
}

void resources_add(struct resources *resources, struct resource *resource)
{
	list_add_tail(&resources->all, &resource->node);
}

void resource_commit(struct resource *resource, struct resource **copy)
{
	char **values = resource->values;

	resource->values = (*copy)->values;
	(*copy)->values = values;
	resource->updated_ms = clock_wall_ms();
	resource_free(copy);
}

void resources_delete(struct resources *resources, struct resource *resource)
{
	struct list *node, *tmp;

	list_for_each(&resources->all, node, tmp)
	{
		struct resource *child = list_entry(node, struct resource, node);

		/* No kind has grandchildren. */
		if (child != resource && child->kind->parent == resource->kind &&
			strcmp(child->parent_sid, resource->sid) == 0)
			resource_free(&child);
	}
	resource_free(&resource);
}

struct resource *resources_find(struct resources *resources,
	const struct resource_kind *kind, const char *sid, const char *parent_sid)
{
	struct list *node;

	for (node = resources->all.next; node != &resources->all; node = node->next) {
		struct resource *r = list_entry(node, struct resource, node);

		if (r->kind == kind && strcmp(r->sid, sid) == 0 &&
			(parent_sid == NULL || strcmp(r->parent_sid, parent_sid) == 0))
			return r;
	}
	return NULL;
}

static size_t field_index(const struct resource_kind *kind, const char *name)
{
	size_t i;

	for (i = 0; i < kind->field_count; i++)
		if (strcmp(kind->fields[i].name, name) == 0)
			return i;
	assert(0 && "a kind has the field that it is asked for");
	return 0;
}

struct resource *resources_find_by(struct resources *resources,
	const struct resource_kind *kind, const char *name, const char *value)
{
	size_t i = field_index(kind, name);
	struct list *node;

	for (node = resources->all.next; node != &resources->all; node = node->next) {
		struct resource *r = list_entry(node, struct resource, node);

		if (r->kind == kind && r->values[i] != NULL &&
			strcmp(r->values[i], value) == 0)
			return r;
	}
	return NULL;
}

size_t resources_count(struct resources *resources, const struct resource_kind *kind,
	const char *parent_sid)
{
	const struct list *node;
	size_t count = 0;

	for (node = resources->all.next; node != &resources->all; node = node->next) {
		const struct resource *r = list_entry(node, const struct resource, node);

		count += r->kind == kind && strcmp(r->parent_sid, parent_sid) == 0;
	}
	return count;
}

const char *resource_get(const struct resource *resource, const char *name)
{
	return resource->values[field_index(resource->kind, name)];
}

void resource_set(struct resource *resource, const char *name, const char *value)
{
	memory_swap(&resource->values[field_index(resource->kind, name)], value);
}
