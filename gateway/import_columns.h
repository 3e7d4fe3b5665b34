/*
 * import_columns.h: which column of an upload is which field of a contact. By the names that
 * people give their columns, or as they say themselves. Pure, any thread.
 */
#ifndef OMNIVOX_GATEWAY_IMPORT_COLUMNS_H
#define OMNIVOX_GATEWAY_IMPORT_COLUMNS_H

#include <jansson.h>

#include "base/err.h"
#include "gateway/import_rows.h"

enum import_target {
	IMPORT_IGNORE,
	IMPORT_PHONE,
	IMPORT_FIRST_NAME,
	IMPORT_LAST_NAME,
	IMPORT_FULL_NAME, /* split where first and last name are not given */
	IMPORT_EMAIL,
	IMPORT_TIME_ZONE,
	IMPORT_COUNTRY, /* of a number that does not tell its own */
	IMPORT_CUSTOM,  /* a further field, under the column's name */
};

/* Columns that we add to rows that were not taken; ignored when these are uploaded again. */
#define IMPORT_NOTE_ROW "rejected row"
#define IMPORT_NOTE_REASON "rejected reason"

struct import_columns {
	size_t count;
	bool marked; /* the file has these columns: a ' before a formula is ours */
	enum import_target targets[IMPORT_COLUMNS_MAX];
	int ranks[IMPORT_COLUMNS_MAX];  /* how well the name fits; less is better */
	bool inner[IMPORT_COLUMNS_MAX]; /* said to be a further field by IMPORT_INNER */
	/* Of custom fields: none twice among the inner ones, and none among the others. An inner
	   one goes before one that happens to be called so. */
	char names[IMPORT_COLUMNS_MAX][IMPORT_NAME_MAX + 1];
};

/* The word for a target in mappings and answers: "phone", "firstName", ..., "ignore". */
const char *import_target_name(enum import_target target);

/*
 * The next column. `mapping`: an object from column names to targets, "custom" or "custom:Name",
 * or NULL; what it does not name is guessed, unless it is called IMPORT_INNER and something: then
 * it is custom under that name. The mapping may name it with or without IMPORT_INNER; without, a
 * column that is called just so goes before it. -EINVAL with a sentence.
 */
int import_columns_add(struct import_columns *columns, const char *name,
	const json_t *mapping, struct err *err);

/* Whether it is one that we have added. */
bool import_columns_is_note(const struct import_columns *columns, size_t index);

/* Without the ' that we have put before a formula; not ended where the length ends. */
struct import_field import_columns_unmarked(
	const struct import_columns *columns, struct import_field field);

/* Whether a mapping is one: an object of known targets. -EINVAL with a sentence. */
int import_mapping_check(const json_t *mapping, struct err *err);

/* The column of a target; -1: there is none. */
int import_columns_find(const struct import_columns *columns, enum import_target target);

/*
 * What a column was taken for by its name, also when a better named one has that field: then it
 * stands in where that one is empty. IMPORT_CUSTOM: for nothing, or somebody has said what is what.
 */
enum import_target import_columns_stands_in(
	const struct import_columns *columns, size_t index);

#endif
