/* import_json.c: rows of a JSON document, without ever holding all of it. See import_rows.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/import_rows.h"

#define CHUNK (256 * 1024)
#define VALUE_MAX \
	(64 * 1024) /* bytes of a contact, or of another member of the document */
#define NUMBER_SIZE 32

struct json_file {
	struct import_reader *reader;
	struct err *err;
	/* The bytes at hand. */
	char *chunk;
	size_t at, len;
	int64_t read; /* of the file, up to the end of the chunk */
	/* The value under way. */
	struct buf value;
	struct import_row row;
	char numbers[IMPORT_COLUMNS_MAX][NUMBER_SIZE]; /* their texts, by column */
	char names[IMPORT_COLUMNS_MAX][IMPORT_HEADING_MAX + 1];
};

static int fail(struct json_file *file, const char *what)
{
	return err_set(file->err, -EINVAL,
		"The document is no valid JSON: %s at byte %" PRId64 ".", what,
		file->read - (int64_t)file->len + (int64_t)file->at);
}

/* The next byte is at hand. 0; 1: the file is at its end; -EIO, or what progress() says. */
static int fill(struct json_file *file)
{
	struct import_reader *reader = file->reader;
	ssize_t len;

	if (file->at < file->len)
		return 0;
	do
		len = pread(reader->fd, file->chunk, CHUNK, file->read);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -EIO;
	if (len == 0)
		return 1;
	file->at = 0;
	file->len = (size_t)len;
	file->read += len;
	return reader->progress(reader->arg, file->read);
}

/* The next byte that is no white space, not taken. */
static int peek(struct json_file *file, char *ret_c)
{
	int rc;

	while ((rc = fill(file)) == 0) {
		char c = file->chunk[file->at];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
			*ret_c = c;
			return 0;
		}
		file->at++;
	}
	return rc > 0 ? fail(file, "it ends too early") : rc;
}

static int expect(struct json_file *file, char wanted)
{
	char text[32], c;
	int rc = peek(file, &c);

	if (rc < 0)
		return rc;
	if (c != wanted) {
		(void)snprintf(text, sizeof(text), "there is no '%c'", wanted);
		return fail(file, text);
	}
	file->at++;
	return 0;
}

struct nesting {
	unsigned depth;
	bool quoted, escaped;
};

/* Whether `c` belongs to the value; keeps count of quotes and brackets. */
static bool within(struct nesting *n, char c)
{
	if (n->quoted) {
		n->quoted = n->escaped || c != '"';
		n->escaped = !n->escaped && c == '\\';
		return true;
	}
	if (n->depth == 0 && (c == ',' || c == ']' || c == '}' || c == ':'))
		return false;
	n->quoted = c == '"';
	if (c == '{' || c == '[')
		n->depth++;
	else if (c == '}' || c == ']')
		n->depth--;
	return true;
}

/*
 * Takes the bytes of one value up to the mark behind it, into file->value when `keep`, of which
 * at most VALUE_MAX + 1 are kept.
 */
static int take_value(struct json_file *file, bool keep)
{
	struct nesting n = {.depth = 0};
	int rc;

	buf_reset(&file->value);
	while ((rc = fill(file)) == 0) {
		size_t start = file->at;
		bool more = true;

		while (file->at < file->len && (more = within(&n, file->chunk[file->at])))
			file->at++;
		if (keep && file->value.len <= VALUE_MAX) {
			size_t len = file->at - start;

			if (len > VALUE_MAX + 1 - file->value.len)
				len = VALUE_MAX + 1 - file->value.len;
			buf_add(&file->value, file->chunk + start, len);
		}
		if (!more)
			return file->value.failed ? -ENOMEM : 0;
	}
	return rc > 0 ? fail(file, "it ends too early") : rc;
}

/* ---- one contact ---- */

/* The column of a member of a contact, or, if `inner`, of its customFields. */
static int column_of(struct json_file *file, const char *name, bool inner, size_t guess,
	size_t *ret_index)
{
	struct import_row *row = &file->row;
	char heading[IMPORT_HEADING_MAX + 1] = IMPORT_INNER;

	text_cut(inner ? heading + IMPORT_INNER_LEN : heading, IMPORT_NAME_MAX + 1, name);
	if (guess < row->count && strcmp(file->names[guess], heading) == 0) {
		*ret_index = guess;
		return 0;
	}
	for (size_t i = 0; i < row->count; i++)
		if (strcmp(file->names[i], heading) == 0) {
			*ret_index = i;
			return 0;
		}
	if (row->count == IMPORT_COLUMNS_MAX)
		return err_set(file->err, -EINVAL,
			"The contacts have more than %d different fields.",
			IMPORT_COLUMNS_MAX);
	(void)snprintf(file->names[row->count], sizeof(file->names[0]), "%s", heading);
	row->fields[row->count] = (struct import_field){.text = ""};
	*ret_index = row->count++;
	return file->reader->column(
		file->reader->arg, *ret_index, file->names[*ret_index], file->err);
}

/* By column, not by field: any number of fields may share a column. */
static const char *number_text(struct json_file *file, size_t index, const json_t *value)
{
	char *text = file->numbers[index];

	if (json_is_integer(value))
		(void)snprintf(
			text, NUMBER_SIZE, "%lld", (long long)json_integer_value(value));
	else
		(void)snprintf(text, NUMBER_SIZE, "%.15g", json_real_value(value));
	return text;
}

static void set_field(struct json_file *file, size_t index, const json_t *value)
{
	struct import_field *field = &file->row.fields[index];

	if (json_is_string(value))
		field->text = json_string_value(value);
	else if (json_is_number(value))
		field->text = number_text(file, index, value);
	else if (json_is_boolean(value))
		field->text = json_is_true(value) ? "true" : "false";
	else if (!json_is_null(value))
		file->row.trouble = IMPORT_ROW_NOT_OBJECT;
	field->len = strlen(field->text);
	if (!import_is_text(field->text, field->len))
		file->row.trouble = IMPORT_ROW_NOT_TEXT;
}

/* The members of "customFields": {...} have names of their own: no field of the contact is theirs. */
static int set_fields(struct json_file *file, json_t *object, size_t *guess, bool inner)
{
	const char *name;
	json_t *value;
	size_t index = 0;
	int rc = 0;

	json_object_foreach(object, name, value)
	{
		bool nest = !inner && json_is_object(value) &&
			    (strcmp(name, "customFields") == 0 ||
				    strcmp(name, "custom") == 0);

		rc = nest ? set_fields(file, value, guess, true)
			  : column_of(file, name, inner, *guess, &index);
		if (rc < 0)
			return rc;
		if (nest)
			continue;
		set_field(file, index, value);
		*guess = index + 1;
	}
	return 0;
}

/* A row of its own trouble, or a document that is broken. */
static int parse_row(struct json_file *file, json_t **ret_object)
{
	struct import_row *row = &file->row;
	json_error_t problem;
	enum json_error_code code;

	if (file->value.len > VALUE_MAX) {
		row->trouble = IMPORT_ROW_LONG;
		return 0;
	}
	*ret_object = json_loadb(file->value.data == NULL ? "" : file->value.data,
		file->value.len, JSON_DECODE_ANY, &problem);
	if (*ret_object != NULL) {
		if (!json_is_object(*ret_object))
			row->trouble = IMPORT_ROW_NOT_OBJECT;
		return 0;
	}
	code = json_error_code(&problem);
	if (code == json_error_invalid_utf8 || code == json_error_null_character ||
		code == json_error_null_byte_in_key) {
		row->trouble = IMPORT_ROW_NOT_TEXT;
		return 0;
	}
	if (code == json_error_numeric_overflow || code == json_error_stack_overflow) {
		row->trouble = IMPORT_ROW_NOT_OBJECT;
		return 0;
	}
	return err_set(file->err, -EINVAL, "Contact %lld is no valid JSON: %.100s.",
		(long long)row->number, problem.text);
}

static int tell_row(struct json_file *file)
{
	struct import_row *row = &file->row;
	json_t *object = NULL;
	size_t guess = 0;
	int rc;

	row->number++;
	row->trouble = IMPORT_ROW_GOOD;
	for (size_t i = 0; i < row->count; i++)
		row->fields[i] = (struct import_field){.text = ""};
	rc = parse_row(file, &object);
	if (rc == 0 && row->trouble == IMPORT_ROW_GOOD)
		rc = set_fields(file, object, &guess, false);
	if (rc == 0)
		rc = file->reader->row(file->reader->arg, row);
	json_decref(object);
	return rc;
}

static int take_contacts(struct json_file *file)
{
	bool wanted = file->reader->row != NULL;
	char c;
	int rc = expect(file, '[');

	if (rc == 0)
		rc = peek(file, &c);
	if (rc == 0 && c == ']')
		return expect(file, ']');
	while (rc == 0) {
		rc = take_value(file, wanted);
		if (rc == 0 && wanted)
			rc = tell_row(file);
		if (rc == 0)
			rc = peek(file, &c);
		if (rc < 0)
			break;
		file->at++;
		if (c == ']')
			return 0;
		if (c != ',')
			return fail(file, "there is no ',' between contacts");
		rc = peek(file, &c);
	}
	return rc;
}

/* ---- the document ---- */

static int take_member(struct json_file *file, const char *name)
{
	json_error_t problem;
	json_t *value;
	int rc = take_value(file, true);

	if (rc < 0)
		return rc;
	if (file->value.len > VALUE_MAX)
		return err_set(file->err, -EINVAL, "%.40s is too large.", name);
	value = json_loadb(file->value.data == NULL ? "" : file->value.data,
		file->value.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
	if (value == NULL)
		return err_set(file->err, -EINVAL, "%.40s is no valid JSON: %.100s.",
			name, problem.text);
	rc = file->reader->member(file->reader->arg, name, value, file->err);
	json_decref(value);
	return rc;
}

static int take_name(struct json_file *file, char name[IMPORT_NAME_MAX + 1])
{
	json_t *text;
	int rc = take_value(file, true);

	if (rc < 0)
		return rc;
	text = json_loadb(file->value.data == NULL ? "" : file->value.data,
		file->value.len, JSON_DECODE_ANY, NULL);
	if (!json_is_string(text))
		rc = fail(file, "a member has no name");
	else
		(void)snprintf(name, IMPORT_NAME_MAX + 1, "%.*s", IMPORT_NAME_MAX,
			json_string_value(text));
	json_decref(text);
	return rc;
}

/* Nothing but white space may follow. */
static int take_end(struct json_file *file)
{
	int rc;

	while ((rc = fill(file)) == 0) {
		if (strchr(" \t\r\n", file->chunk[file->at]) == NULL ||
			file->chunk[file->at] == '\0')
			return fail(file, "something follows its end");
		file->at++;
	}
	return rc > 0 ? 0 : rc;
}

static int take_document(struct json_file *file)
{
	char name[IMPORT_NAME_MAX + 1], c;
	bool contacts = false;
	int rc = expect(file, '{');

	if (rc == 0)
		rc = peek(file, &c);
	while (rc == 0 && c != '}') {
		rc = take_name(file, name);
		if (rc == 0)
			rc = expect(file, ':');
		if (rc == 0 && strcmp(name, "contacts") == 0 && contacts)
			rc = fail(file, "there are two arrays named contacts");
		else if (rc == 0 && strcmp(name, "contacts") == 0)
			rc = take_contacts(file);
		else if (rc == 0)
			rc = take_member(file, name);
		contacts = contacts || strcmp(name, "contacts") == 0;
		if (rc == 0)
			rc = peek(file, &c);
		if (rc == 0 && c == ',') {
			file->at++;
			rc = peek(file, &c);
			if (rc == 0 && c == '}')
				rc = fail(file, "nothing follows a ','");
		} else if (rc == 0 && c != '}') {
			rc = fail(file, "there is no ',' between members");
		}
	}
	if (rc == 0) {
		file->at++;
		rc = take_end(file);
	}
	if (rc == 0 && !contacts)
		rc = err_set(file->err, -EINVAL,
			"The document has no array named contacts. Send {\"contacts\": [...]}.");
	return rc;
}

/* A mark of UTF-8 is not of the document. */
static int skip_mark(struct json_file *file)
{
	int rc = fill(file);

	if (rc > 0)
		return err_set(file->err, -EINVAL, "The document is empty.");
	if (rc == 0 && file->len >= 3 && memcmp(file->chunk, "\xef\xbb\xbf", 3) == 0)
		file->at = 3;
	return rc;
}

int import_read_json(struct import_reader *reader, struct err *err)
{
	struct json_file *file = calloc(1, sizeof(*file));
	int rc = -ENOMEM;

	if (file == NULL)
		return rc;
	file->reader = reader;
	file->err = err;
	file->chunk = malloc(CHUNK);
	if (file->chunk != NULL) {
		rc = skip_mark(file);
		if (rc == 0)
			rc = take_document(file);
	}
	reader->found = IMPORT_UTF8;
	free(file->chunk);
	buf_free(&file->value);
	free(file);
	return rc;
}
