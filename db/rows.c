/* rows.c: from rows of text to typed values, and from typed values to array parameters. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"

struct db_row db_row(const PGresult *result, int row)
{
	assert(row < PQntuples(result));
	return (struct db_row){.result = result, .row = row};
}

/* The next column's text; NULL for null. */
static const char *next(struct db_row *row)
{
	int column = row->column++;

	assert(column < PQnfields(row->result));
	if (PQgetisnull(row->result, row->row, column))
		return NULL;
	return PQgetvalue(row->result, row->row, column);
}

int64_t row_int(struct db_row *row)
{
	return row_int_or(row, 0);
}

int64_t row_int_or(struct db_row *row, int64_t when_null)
{
	const char *text = next(row);

	return text ? strtoll(text, NULL, 10) : when_null;
}

bool row_bool(struct db_row *row)
{
	const char *text = next(row);

	return text && text[0] == 't';
}

double row_real(struct db_row *row)
{
	const char *text = next(row);

	return text ? strtod(text, NULL) : 0;
}

size_t row_ints(struct db_row *row, int *ret_values, size_t count)
{
	const char *text = next(row);
	size_t have = 0;

	while (text && have < count && *text && *text != '}') {
		char *end;
		long value = strtol(text + 1, &end, 10); /* behind { or , */

		if (end == text + 1)
			break;
		ret_values[have++] = (int)value;
		text = end;
	}
	return have;
}

void row_text(struct db_row *row, char *dst, size_t size)
{
	const char *text = next(row);
	size_t length = text ? strlen(text) : 0;

	if (length >= size) {
		length = size - 1;
		/* Not inside a UTF-8 sequence. */
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	if (length > 0)
		memcpy(dst, text, length);
	dst[length] = '\0';
}

/* All rows as one array of `size` bytes each; *ret_items NULL when there is none. */
static int read_rows(const PGresult *result, size_t size,
	void (*read)(struct db_row *row, void *item), void **ret_items, size_t *ret_count)
{
	size_t count = (size_t)PQntuples(result);
	char *items = NULL;

	if (count > 0) {
		items = calloc(count, size);
		if (!items)
			return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct db_row row = db_row(result, (int)i);

		read(&row, items + i * size);
	}
	*ret_items = items;
	*ret_count = count;
	return 0;
}

int db_run_rows(struct db *db, const char *sql, const struct db_arg *args, int count,
	const struct db_reader *reader, void **ret_items, size_t *ret_count)
{
	PGresult *result = NULL;
	int rc = db_run(db, sql, args, count, &result);

	if (rc == 0)
		rc = read_rows(result, reader->size, reader->read, ret_items, ret_count);
	PQclear(result);
	return rc;
}

int db_run_item(struct db *db, const char *sql, const struct db_arg *args, int count,
	const struct db_reader *reader, void *ret_item)
{
	PGresult *result = NULL;
	int rc = db_run_one(db, sql, args, count, &result);

	if (rc == 0) {
		struct db_row row = db_row(result, 0);

		reader->read(&row, ret_item);
	}
	PQclear(result);
	return rc;
}

static void read_number(struct db_row *row, void *item)
{
	*(int64_t *)item = row_int(row);
}

int db_run_number(struct db *db, const char *sql, const struct db_arg *args, int count,
	int64_t *ret_number)
{
	static const struct db_reader reader = {sizeof(int64_t), read_number};

	return db_run_item(db, sql, args, count, &reader, ret_number);
}

static void array_next(struct buf *array)
{
	buf_add_char(array, array->len == 0 ? '{' : ',');
}

void array_int(struct buf *array, int64_t value)
{
	array_next(array);
	buf_printf(array, "%lld", (long long)value);
}

void array_null(struct buf *array)
{
	array_next(array);
	buf_add_str(array, "NULL");
}

void array_text(struct buf *array, const char *text)
{
	if (!text) {
		array_null(array);
		return;
	}
	array_next(array);
	buf_add_char(array, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(array, '\\');
		buf_add_char(array, *text);
	}
	buf_add_char(array, '"');
}

int array_end(struct buf *array)
{
	if (array->len == 0 && !array->failed)
		buf_add_char(array, '{');
	buf_add_char(array, '}');
	return array->failed ? -ENOMEM : 0;
}
