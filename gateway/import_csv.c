/* import_csv.c: rows of a CSV file. See import_rows.h. */
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/import_rows.h"

#define CHUNK (256 * 1024)
#define FIELD_MAX (1024 * 1024) /* a longer one is a quote that was never closed */
#define ROW_MAX (64 * 1024)     /* bytes of a row that may become a contact */

struct csv_file {
	struct import_reader *reader;
	struct err *err;
	struct csv_parser parser;
	struct import_utf16 utf16;
	struct buf chunk; /* UTF-8 of a UTF-16 chunk */
	/* The row under way: raw bytes, fields by their place in them. */
	struct buf text;
	size_t places[IMPORT_COLUMNS_MAX], lens[IMPORT_COLUMNS_MAX];
	size_t count; /* of fields, also of those that have no place */
	bool any;     /* a field that is not empty */
	bool too_long;
	size_t columns;
	struct import_row row;
	struct buf foreign; /* Windows-1252 fields as UTF-8 */
	int result;         /* what a callback said */
};

/* libcsv holds a field in memory: this is where it stops growing. */
static void *bounded_realloc(void *old, size_t size)
{
	return size > FIELD_MAX + 4096 ? NULL : realloc(old, size);
}

static void on_field(void *data, size_t len, void *arg)
{
	struct csv_file *file = arg;

	file->any = file->any || len > 0;
	if (file->text.len + len > ROW_MAX) {
		file->too_long = true;
		len = 0;
	}
	if (file->count < IMPORT_COLUMNS_MAX) {
		file->places[file->count] = file->text.len;
		file->lens[file->count] = len;
		if (len > 0)
			buf_add(&file->text, data, len);
		buf_add_char(&file->text, '\0');
	}
	/* Spreadsheets write empty fields to the right of the last column. */
	if (len > 0 || file->count < file->columns || file->row.number == 0)
		file->count++;
}

/* Windows-1252, when it may be that. False: it is no text. */
static bool add_foreign(struct csv_file *file, struct import_field *field)
{
	enum import_encoding encoding = file->reader->found;
	size_t start = file->foreign.len;

	if (encoding != IMPORT_AUTO && encoding != IMPORT_CP1252)
		return false;
	file->row.foreign = true;
	if (!import_cp1252_add(field->text, field->len, &file->foreign)) {
		file->foreign.len = start;
		return false;
	}
	field->len = file->foreign.len - start;
	buf_add_char(&file->foreign, '\0');
	/* The buffer may still move: the place stands in for the text until all are there. */
	field->text = NULL;
	return true;
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* Points the row's fields at texts in UTF-8. */
static void read_fields(struct csv_file *file)
{
	struct import_row *row = &file->row;
	size_t at = 0;

	buf_reset(&file->foreign);
	row->foreign = row->wide_chars = false;
	for (size_t i = 0; i < row->count; i++) {
		struct import_field *field = &row->fields[i];
		bool ascii;

		*field = (struct import_field){.text = ""};
		if (i >= file->count)
			continue;
		field->text = file->text.data + file->places[i];
		field->len = file->lens[i];
		ascii = is_ascii(field->text, field->len);
		if (file->reader->found == IMPORT_CP1252
				? ascii
				: import_is_text(field->text, field->len)) {
			row->wide_chars = row->wide_chars || !ascii;
			if (import_is_text(field->text, field->len))
				continue;
		}
		if (!add_foreign(file, field)) {
			row->trouble = IMPORT_ROW_NOT_TEXT;
			*field = (struct import_field){.text = ""};
		}
	}
	for (size_t i = 0; i < row->count; i++)
		if (row->fields[i].text == NULL) {
			row->fields[i].text = file->foreign.data + at;
			at += row->fields[i].len + 1;
		}
}

static int tell_columns(struct csv_file *file)
{
	struct import_reader *reader = file->reader;
	char name[IMPORT_HEADING_MAX + 1];
	int rc = 0;

	if (file->count > IMPORT_COLUMNS_MAX)
		return err_set(file->err, -EINVAL,
			"The first row has more than %d columns. Is the delimiter right?",
			IMPORT_COLUMNS_MAX);
	file->columns = file->row.count = file->count;
	read_fields(file);
	for (size_t i = 0; i < file->count && rc == 0; i++) {
		size_t len = file->row.fields[i].len;

		if (reader->no_header)
			(void)snprintf(name, sizeof(name), "%zu", i + 1);
		else {
			if (len > IMPORT_HEADING_MAX)
				len = IMPORT_HEADING_MAX;
			while (len > 0 && len < file->row.fields[i].len &&
				((unsigned char)file->row.fields[i].text[len] & 0xc0) ==
					0x80)
				len--;
			memcpy(name, file->row.fields[i].text, len);
			name[len] = '\0';
		}
		rc = reader->column(reader->arg, i, name, file->err);
	}
	return rc;
}

static int tell_row(struct csv_file *file)
{
	struct import_row *row = &file->row;

	row->trouble = IMPORT_ROW_GOOD;
	row->count = file->columns;
	read_fields(file);
	if (file->too_long)
		row->trouble = IMPORT_ROW_LONG;
	else if (file->count > file->columns)
		row->trouble = IMPORT_ROW_WIDE;
	return file->reader->row(file->reader->arg, row);
}

static void on_row(int end, void *arg)
{
	struct csv_file *file = arg;
	bool first = file->row.number == 0;

	(void)end;
	file->row.number++;
	if (file->result == 0 && first)
		file->result = tell_columns(file);
	if (file->result == 0 && (!first || file->reader->no_header) && file->any)
		file->result = tell_row(file);
	if (file->result == 0 && (file->text.failed || file->foreign.failed))
		file->result = -ENOMEM;
	buf_reset(&file->text);
	file->count = 0;
	file->any = file->too_long = false;
}

/* The mark that the first line has most of, outside of quotes. */
static char sniff(const char *text, size_t len)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	size_t counts[sizeof(candidates)] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < len && (quoted || (text[i] != '\n' && text[i] != '\r'));
		i++) {
		if (text[i] == '"')
			quoted = !quoted;
		for (size_t c = 0; c < sizeof(candidates) && !quoted; c++)
			counts[c] += text[i] == candidates[c];
	}
	for (size_t c = 1; c < sizeof(candidates); c++)
		if (counts[c] > counts[best])
			best = c;
	return candidates[best];
}

/* "sep=;" as the first line is a spreadsheet's word to another. How many bytes it has. */
static size_t sep_line(const char *text, size_t len, char *ret_delimiter)
{
	size_t at = 5;

	if (len < 6 || strncmp(text, "sep=", 4) != 0 ||
		(text[5] != '\r' && text[5] != '\n'))
		return 0;
	*ret_delimiter = text[4];
	while (at < len && (text[at] == '\r' || text[at] == '\n'))
		at++;
	return at;
}

static int broken(struct csv_file *file)
{
	if (csv_error(&file->parser) == CSV_ENOMEM)
		return err_set(file->err, -EINVAL,
			"Row %lld has a field of more than a megabyte. Probably a quote in it is "
			"never closed.",
			(long long)file->row.number + 1);
	return err_set(file->err, -EINVAL,
		"Row %lld has a quote that does not end. Quote a field as a whole, and write a "
		"quote inside it twice.",
		(long long)file->row.number + 1);
}

static int parse(struct csv_file *file, const char *text, size_t len)
{
	if (csv_parse(&file->parser, text, len, on_field, on_row, file) != len)
		return broken(file);
	return file->result;
}

/* The first bytes tell encoding and delimiter. */
static int parse_first(struct csv_file *file, const char *text, size_t len)
{
	struct import_reader *reader = file->reader;
	size_t skip;

	reader->found_delimiter = reader->delimiter;
	skip = sep_line(text, len, &reader->found_delimiter);
	if (reader->found_delimiter == '\0')
		reader->found_delimiter = sniff(text, len);
	csv_set_delim(&file->parser, (unsigned char)reader->found_delimiter);
	return parse(file, text + skip, len - skip);
}

static int parse_chunk(struct csv_file *file, const char *data, size_t len, bool first)
{
	struct import_reader *reader = file->reader;
	size_t skip = 0;

	if (first)
		reader->found =
			import_encoding_detect(reader->encoding, data, len, &skip);
	data += skip;
	len -= skip;
	if (reader->found == IMPORT_UTF16LE || reader->found == IMPORT_UTF16BE) {
		buf_reset(&file->chunk);
		import_utf16_add(&file->utf16, reader->found, data, len, &file->chunk);
		if (file->chunk.failed)
			return -ENOMEM;
		data = file->chunk.data == NULL ? "" : file->chunk.data;
		len = file->chunk.len;
	}
	return first ? parse_first(file, data, len) : parse(file, data, len);
}

static int parse_end(struct csv_file *file)
{
	int rc = 0;

	buf_reset(&file->chunk);
	import_utf16_end(&file->utf16, &file->chunk);
	if (file->chunk.len > 0)
		rc = parse(file, file->chunk.data, file->chunk.len);
	if (rc == 0 && csv_fini(&file->parser, on_field, on_row, file) != 0)
		rc = broken(file);
	if (rc == 0)
		rc = file->result;
	if (rc == 0 && file->row.number == 0)
		rc = err_set(file->err, -EINVAL,
			"The file is empty. Its first row must name the columns, one of them phone.");
	return rc;
}

static int parse_all(struct csv_file *file)
{
	struct import_reader *reader = file->reader;
	char *chunk = malloc(CHUNK);
	int64_t done = 0;
	int rc = chunk == NULL ? -ENOMEM : 0;

	while (rc == 0 && done < reader->size) {
		ssize_t len = pread(reader->fd, chunk, CHUNK, done);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) {
			rc = -EIO;
			break;
		}
		rc = parse_chunk(file, chunk, (size_t)len, done == 0);
		done += len;
		if (rc == 0)
			rc = reader->progress(reader->arg, done);
	}
	free(chunk);
	return rc == 0 ? parse_end(file) : rc;
}

int import_read_csv(struct import_reader *reader, struct err *err)
{
	struct csv_file *file = calloc(1, sizeof(*file));
	int rc = -ENOMEM;

	if (file == NULL)
		return rc;
	file->reader = reader;
	file->err = err;
	if (csv_init(&file->parser, CSV_STRICT | CSV_STRICT_FINI) == 0) {
		csv_set_realloc_func(&file->parser, bounded_realloc);
		csv_set_blk_size(&file->parser, 4096);
		rc = parse_all(file);
		csv_free(&file->parser);
	}
	buf_free(&file->text);
	buf_free(&file->foreign);
	buf_free(&file->chunk);
	free(file);
	return rc;
}
