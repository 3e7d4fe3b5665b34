/*
 * resource.h: what an account has set up at Twilio (numbers, applications, SIP domains, their
 * credentials): rows of text fields, each kind described by a table. Main loop only; no REST.
 */
#ifndef OMNIVOX_SANDBOX_RESOURCE_H
#define OMNIVOX_SANDBOX_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/list.h"
#include "sandbox/chance.h"

struct rest;
struct resource;
struct resources;
struct sandbox;

enum field_type {
	FIELD_TEXT,
	FIELD_URL,    /* http or https; "" is none */
	FIELD_METHOD, /* GET or POST */
	FIELD_FLAG,   /* "true" or "false" */
	FIELD_NUMBER, /* an integer in JSON */
	FIELD_SECRET, /* never shown */
};

struct resource_field {
	const char *param; /* name in the form; NULL: cannot be set */
	const char *name;  /* name in JSON, and in resource_get() */
	enum field_type type;
	const char *otherwise; /* NULL: null */
	bool required;         /* on creation */
	size_t max;            /* characters of a text; 0: any */
};

struct resource_kind {
	const char *prefix; /* of its SIDs */
	const char *array;  /* name of its list in JSON */
	const char *path;   /* below the account; "%s" is the parent's SID */
	const struct resource_kind *parent; /* NULL: the account */
	const char *parent_name; /* of the parent's SID in JSON; NULL: not shown */
	const struct resource_field *fields;
	size_t field_count;
	bool hides_uri;   /* mappings below Auth have none */
	int invalid_code; /* error of a missing or wrong field */
	size_t most;      /* of one parent; 0: any number */
	int most_code;    /* error beyond it */
	/* Names of the query that filter a list, NULL-ended; each is a field's param. */
	const char *const *filters;
	/*
	 * Looks at the new state, may change more, and replies when it refuses (false). `old` is
	 * NULL on creation.
	 */
	bool (*check)(
		struct rest *rest, struct resource *wanted, const struct resource *old);
	bool (*may_delete)(struct rest *rest, const struct resource *resource);
	/* Adds to JSON what is worked out. */
	void (*show)(const struct resource *resource, json_t *object);
};

struct resource {
	struct sandbox *sandbox;
	struct list node; /* resources' */
	const struct resource_kind *kind;
	char sid[SID_SIZE], parent_sid[SID_SIZE];
	char **values; /* as kind->fields; NULL: null */
	int64_t created_ms, updated_ms;
};

int resources_new(struct sandbox *sandbox, struct resources **ret_resources);
void resources_free(struct resources **resources);
struct list *resources_list(struct resources *resources); /* all kinds, oldest first */

/* Not in the list yet; its SID and defaults are set. */
struct resource *resource_new(struct sandbox *sandbox, const struct resource_kind *kind,
	const char *parent_sid);
struct resource *resource_copy(const struct resource *resource); /* not in the list */
void resource_free(struct resource **resource);

void resources_add(struct resources *resources, struct resource *resource);

/* `copy` replaces the values of `resource`, and is freed. */
void resource_commit(struct resource *resource, struct resource **copy);

/* Takes its children along. */
void resources_delete(struct resources *resources, struct resource *resource);

/* NULL: none. `parent_sid` NULL: whatever parent. */
struct resource *resources_find(struct resources *resources,
	const struct resource_kind *kind, const char *sid, const char *parent_sid);

/* The first of its kind with this value. NULL: none. */
struct resource *resources_find_by(struct resources *resources,
	const struct resource_kind *kind, const char *name, const char *value);
size_t resources_count(struct resources *resources, const struct resource_kind *kind,
	const char *parent_sid);

/* A field by its JSON name, which must exist; NULL: null. */
const char *resource_get(const struct resource *resource, const char *name);
void resource_set(struct resource *resource, const char *name, const char *value);

/* resource_kinds.c */
extern const struct resource_kind kind_application, kind_number, kind_caller_id,
	kind_queue, kind_sip_domain, kind_credential_list, kind_credential, kind_ip_acl,
	kind_ip_address, kind_call_credential_mapping, kind_call_acl_mapping,
	kind_registration_mapping, kind_credential_mapping, kind_acl_mapping;

#endif
