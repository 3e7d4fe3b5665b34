/*
 * import_rows.h: the rows of an uploaded file one after the other, in bounded memory, whether
 * it is CSV (RFC 4180, by libcsv) or JSON ({"contacts": [...]}). Reads a file, any thread.
 */
#ifndef OMNIVOX_GATEWAY_IMPORT_ROWS_H
#define OMNIVOX_GATEWAY_IMPORT_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "gateway/import_text.h"

#define IMPORT_COLUMNS_MAX 250
#define IMPORT_NAME_MAX 64 /* bytes of a field's name; longer ones are cut */

/* What a column is called that is a further field whatever its name. */
#define IMPORT_INNER "customFields."
#define IMPORT_INNER_LEN (sizeof(IMPORT_INNER) - 1)
#define IMPORT_HEADING_MAX (IMPORT_INNER_LEN + IMPORT_NAME_MAX) /* bytes of the above */

/* What is wrong with a row as such. */
enum import_trouble {
	IMPORT_ROW_GOOD,
	IMPORT_ROW_LONG,       /* larger than any contact */
	IMPORT_ROW_WIDE,       /* more fields than the header has columns */
	IMPORT_ROW_NOT_TEXT,   /* bytes that are no text */
	IMPORT_ROW_NOT_OBJECT, /* JSON: not an object of texts, numbers and truths */
};

struct import_field {
	const char *text; /* UTF-8, ended; "" when the row has no such field */
	size_t len;
};

/* Valid during the callback. */
struct import_row {
	int64_t number; /* CSV: records, the header being 1; JSON: from 1 */
	enum import_trouble trouble;
	struct import_field
		fields[IMPORT_COLUMNS_MAX]; /* one for each column told so far */
	size_t count;
	/* How it had to be read: for what the report says of the encoding. */
	bool foreign, wide_chars; /* Windows-1252; UTF-8 beyond ASCII */
};

struct import_reader {
	int fd;
	int64_t size; /* bytes of the file */
	enum import_encoding encoding;
	char delimiter; /* 0: the one the first line has most of: , ; | or tab */
	bool no_header; /* the first row is data; columns are called 1, 2, 3 */
	/* Callbacks return 0, or a negative errno that ends the reading. A JSON contact's
	   customFields are columns called IMPORT_INNER and their name. */
	int (*column)(void *arg, size_t index, const char *name, struct err *err);
	int (*row)(void *arg, const struct import_row *row);
	/* JSON: the other members of the document. The value is borrowed. */
	int (*member)(void *arg, const char *name, const json_t *value, struct err *err);
	/* Now and then; `done` bytes are read. */
	int (*progress)(void *arg, int64_t done);
	void *arg;
	/* Filled in: what was found. */
	enum import_encoding found;
	char found_delimiter;
};

/*
 * -EINVAL with a sentence: the file is broken as a whole (a quote that does not end, a field
 * of more than a megabyte, no columns, invalid JSON). -EIO, -ENOMEM, or a callback's.
 */
int import_read_csv(struct import_reader *reader, struct err *err);
/* With row NULL only the members are told: options may stand behind the contacts. */
int import_read_json(struct import_reader *reader, struct err *err);

#endif
