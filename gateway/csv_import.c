/* csv_import.c: contacts from a CSV text. See csv_import.h. */
#include "gateway/csv_import.h"

#include <csv.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dialer/number.h"

#define COLUMNS_MAX 64
#define FIELD_SIZE 256

enum column { COLUMN_OTHER, COLUMN_PHONE, COLUMN_FIRST, COLUMN_LAST, COLUMN_EMAIL };

struct reader {
	struct csv_import import;
	const char *country;
	enum column columns[COLUMNS_MAX];
	size_t column_count;
	char header[256]; /* what the header had, for the message */
	/* The row under way. */
	size_t row, column;
	bool any;
	char phone[FIELD_SIZE];
	struct db_contact contact;
	int err;
};

/* Well-formed UTF-8 (Unicode, table 3-7), without control characters. */
static bool is_text(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p != '\0') {
		unsigned char lead = *p++;
		size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

		if (lead < 0x20 || lead == 0x7f || (lead >= 0x80 && lead < 0xc2) ||
			lead > 0xf4)
			return false;
		if ((lead == 0xe0 && *p < 0xa0) || (lead == 0xed && *p > 0x9f) ||
			(lead == 0xf0 && *p < 0x90) || (lead == 0xf4 && *p > 0x8f))
			return false;
		/* The NUL at the end is no continuation either. */
		for (; more > 0; more--)
			if ((*p++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static int reject(
	struct csv_import *import, size_t row, const char *quoted, const char *complaint)
{
	struct csv_error *error;

	if (import->error_count < CSV_ERRORS_MAX) {
		error = &import->errors[import->error_count];
		error->row = row;
		(void)snprintf(
			error->reason, sizeof(error->reason), "%s%s", quoted, complaint);
	}
	import->error_count++;
	return -EINVAL;
}

int csv_import_add(struct csv_import *import, const struct db_contact *contact,
	const char *phone, const char *country, size_t row)
{
	struct db_contact *more, made = *contact;
	char shown[33];

	/* One such row must not spoil the file: the database takes only text. */
	if (!is_text(phone) || !is_text(made.first_name) || !is_text(made.last_name) ||
		!is_text(made.email))
		return reject(import, row, "", "The row is not UTF-8 text.");
	if (phone[0] == '\0')
		return reject(import, row, "", "The row has no phone number.");
	text_cut(shown, sizeof(shown), phone);
	if (number_normalise(phone, country, made.phone) < 0)
		return reject(import, row, shown, ": this is no phone number.");
	/* Grows by doubling: room for 0, 64, 128, 256, ... */
	if (import->count == 0 ||
		(import->count >= 64 && (import->count & (import->count - 1)) == 0)) {
		more = realloc(import->contacts,
			(import->count == 0 ? 64 : 2 * import->count) * sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		import->contacts = more;
	}
	import->contacts[import->count++] = made;
	return 0;
}

void csv_import_free(struct csv_import *import)
{
	free(import->contacts);
	import->contacts = NULL;
	import->count = 0;
}

/* "Phone Number" is phonenumber. */
static enum column column_of(const char *name)
{
	static const struct {
		const char *name;
		enum column column;
	} names[] = {
		{"phone", COLUMN_PHONE},
		{"phonenumber", COLUMN_PHONE},
		{"number", COLUMN_PHONE},
		{"firstname", COLUMN_FIRST},
		{"lastname", COLUMN_LAST},
		{"email", COLUMN_EMAIL},
	};
	char plain[32] = "";
	size_t len = 0;

	for (; *name != '\0' && len < sizeof(plain) - 1; name++)
		if (isalnum((unsigned char)*name))
			plain[len++] = (char)tolower((unsigned char)*name);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(plain, names[i].name) == 0)
			return names[i].column;
	return COLUMN_OTHER;
}

static void header_field(struct reader *reader, const char *text)
{
	size_t len = strlen(reader->header);

	if (reader->column < COLUMNS_MAX)
		reader->columns[reader->column_count++] = column_of(text);
	(void)snprintf(reader->header + len, sizeof(reader->header) - len, "%s%.40s",
		len == 0 ? "" : ", ", text);
}

static void data_field(struct reader *reader, const char *text)
{
	enum column column = reader->column < reader->column_count
				     ? reader->columns[reader->column]
				     : 0;

	reader->any = reader->any || text[0] != '\0';
	/* Names and addresses that are too long are cut off: the number is what counts. */
	if (column == COLUMN_PHONE)
		text_cut(reader->phone, sizeof(reader->phone), text);
	else if (column == COLUMN_FIRST)
		text_cut(reader->contact.first_name, sizeof(reader->contact.first_name),
			text);
	else if (column == COLUMN_LAST)
		text_cut(reader->contact.last_name, sizeof(reader->contact.last_name),
			text);
	else if (column == COLUMN_EMAIL)
		text_cut(reader->contact.email, sizeof(reader->contact.email), text);
}

static void on_field(void *data, size_t len, void *arg)
{
	struct reader *reader = arg;
	char text[FIELD_SIZE];

	(void)snprintf(text, sizeof(text), "%.*s",
		(int)(len < FIELD_SIZE ? len : FIELD_SIZE - 1),
		data == NULL ? "" : (const char *)data);
	if (reader->row == 0)
		header_field(reader, text);
	else
		data_field(reader, text);
	reader->column++;
}

static void on_row(int end, void *arg)
{
	struct reader *reader = arg;
	int err;

	(void)end;
	reader->row++;
	reader->column = 0;
	if (reader->row > 1 && reader->any) {
		reader->import.rows++;
		err = csv_import_add(&reader->import, &reader->contact, reader->phone,
			reader->country, reader->row);
		if (err == -ENOMEM)
			reader->err = err;
	}
	reader->any = false;
	reader->phone[0] = '\0';
	memset(&reader->contact, 0, sizeof(reader->contact));
}

static unsigned char delimiter_of(const char *text, size_t len)
{
	static const char candidates[] = {',', ';', '\t'};
	size_t best = 0, best_count = 0;

	for (size_t c = 0; c < sizeof(candidates); c++) {
		size_t count = 0;

		for (size_t i = 0; i < len && text[i] != '\n' && text[i] != '\r'; i++)
			count += text[i] == candidates[c];
		if (count > best_count) {
			best = c;
			best_count = count;
		}
	}
	return (unsigned char)candidates[best];
}

static bool has_phone(const struct reader *reader)
{
	for (size_t i = 0; i < reader->column_count; i++)
		if (reader->columns[i] == COLUMN_PHONE)
			return true;
	return false;
}

int csv_import_read(const char *text, size_t len, const char *country,
	struct csv_import *ret_import, struct err *err)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct csv_parser parser;
	bool parsed;
	int result = -ENOMEM;

	if (reader == NULL || csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
		free(reader);
		return result;
	}
	reader->country = country;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	csv_set_delim(&parser, delimiter_of(text, len));
	parsed = csv_parse(&parser, text, len, on_field, on_row, reader) == len &&
		 csv_fini(&parser, on_field, on_row, reader) == 0;
	csv_free(&parser);
	if (!parsed)
		result = err_set(err, -EINVAL,
			"Row %zu has a quote that does not end. Quote a field as a whole, and "
			"write a quote inside it twice.",
			reader->row + 1);
	else if (!has_phone(reader))
		result = err_set(err, -EINVAL,
			"No column is named phone. The first row has: %s.",
			reader->header[0] == '\0' ? "nothing" : reader->header);
	else
		result = reader->err;
	if (result == 0)
		*ret_import = reader->import;
	else
		csv_import_free(&reader->import);
	free(reader);
	return result;
}
