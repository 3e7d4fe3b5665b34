/*
 * csv_import.h: contacts from a CSV text (RFC 4180, by libcsv). Pure, any thread.
 */
#ifndef OMNIVOX_GATEWAY_CSV_IMPORT_H
#define OMNIVOX_GATEWAY_CSV_IMPORT_H

#include <stddef.h>

#include "base/err.h"
#include "db/campaigns.h"

#define CSV_ERRORS_MAX 10

struct csv_error {
	size_t row; /* of the file, the header being 1 */
	char reason[128];
};

struct csv_import {
	struct db_contact *contacts; /* owned; those that can be dialled */
	size_t count;
	size_t rows;                             /* data rows seen */
	struct csv_error errors[CSV_ERRORS_MAX]; /* the first ones */
	size_t error_count;                      /* all */
};

/*
 * The first row names the columns: phone (or phone_number, number), first_name, last_name,
 * email; case, spaces and underscores do not matter; others are ignored. The delimiter, comma,
 * semicolon or tab, is the one that the header has most of. A UTF-8 byte order mark is skipped.
 * -EINVAL with a sentence when there is no phone column or the quoting is broken; -ENOMEM.
 */
int csv_import_read(const char *text, size_t len, const char *country,
	struct csv_import *ret_import, struct err *err);
void csv_import_free(struct csv_import *import);

/* One contact: normalises its phone; -EINVAL counts and remembers the row as an error. */
int csv_import_add(struct csv_import *import, const struct db_contact *contact,
	const char *phone, const char *country, size_t row);

#endif
