/*
 * fuzz_import_options.c: a JSON document as the options and the mapping of an upload, and its
 * names as the columns of the file: options are taken or a sentence says why not, and every
 * column has a place, of which no two are the same.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialer/numbering.h"
#include "gateway/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of whatever nobody gets to: fuzz.mk says what that is. */
void fuzz_never(void);
void fuzz_never(void)
{
	assert(false);
}

static void check_sentence(int rc, const struct err *err)
{
	json_t *text = json_string(err->text);

	assert(rc == 0 || (rc == -EINVAL && strlen(err->text) > 12));
	assert(text != NULL); /* it is stored with the import */
	json_decref(text);
}

static void set_options(struct import_options *options, const json_t *document)
{
	struct err err = {{0}};
	const char *name;
	json_t *value;
	int rc;

	json_object_foreach((json_t *)document, name, value)
	{
		rc = import_options_set(options, name, value, &err);
		check_sentence(rc, &err);
	}
	assert(options->rules.country[0] == '\0' ||
		numbering_country(options->rules.country) != NULL);
	assert(options->delimiter == 0 || strchr(",;\t|:^~", options->delimiter) != NULL);
}

static void check_column(const struct import_columns *columns, size_t index)
{
	const char *name = columns->names[index];
	enum import_target target = columns->targets[index];

	assert(import_target_name(target) != NULL);
	assert(strlen(name) <= IMPORT_NAME_MAX && import_is_text(name, strlen(name)));
	for (size_t i = 0; i < index; i++)
		if (columns->targets[i] == target &&
			columns->inner[i] == columns->inner[index])
			assert(target == IMPORT_IGNORE ||
				(target == IMPORT_CUSTOM &&
					strcmp(columns->names[i], name) != 0));
}

static void add_columns(const json_t *names, const json_t *mapping)
{
	struct import_columns *columns = calloc(1, sizeof(*columns));
	struct err err = {{0}};
	size_t index;
	json_t *name;

	assert(columns != NULL);
	json_array_foreach((json_t *)names, index, name)
	{
		int rc = 0;

		if (json_is_string(name))
			rc = import_columns_add(
				columns, json_string_value(name), mapping, &err);
		check_sentence(rc, &err);
		if (rc < 0)
			break; /* the document is refused */
	}
	for (size_t i = 0;
		json_is_array(names) && err.text[0] == '\0' && i < columns->count; i++) {
		check_column(columns, i);
		(void)import_columns_stands_in(columns, i);
	}
	free(columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *document =
		json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct import_options options;

	import_options_default(&options, "");
	if (json_is_object(document)) {
		set_options(&options, document);
		add_columns(json_object_get(document, "columns"), options.mapping);
	}
	json_decref(options.mapping);
	json_decref(document);
	return 0;
}
