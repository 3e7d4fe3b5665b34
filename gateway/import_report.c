/* import_report.c: counts, causes and refused rows. See import_report.h. */
#include "gateway/import_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 10    /* of each cause */
#define COLUMNS_SHOWN 80 /* names are short: the report stays below DB_REPORT_SIZE */

static void add_field(struct buf *csv, struct import_field field)
{
	buf_add_char(csv, '"');
	if (import_is_formula(field.text, field.len))
		buf_add_char(csv, '\'');
	for (size_t i = 0; i < field.len; i++) {
		if (field.text[i] == '"')
			buf_add_char(csv, '"');
		buf_add_char(csv, field.text[i]);
	}
	buf_add_char(csv, '"');
}

void import_csv_fields(struct buf *csv, const struct import_row *row,
	const struct import_columns *columns)
{
	bool behind = false;

	for (size_t i = 0; i < columns->count; i++) {
		struct import_field field = {.text = ""};

		if (import_columns_is_note(columns, i))
			continue;
		if (i < row->count)
			field = import_columns_unmarked(columns, row->fields[i]);
		if (behind)
			buf_add_char(csv, ',');
		add_field(csv, field);
		behind = true;
	}
}

void import_csv_reject(struct buf *csv, const struct import_row *row,
	const struct import_columns *columns, enum import_cause cause)
{
	const char *message = import_cause_message(cause);

	import_csv_fields(csv, row, columns);
	buf_printf(csv, ",%" PRId64 ",", row->number);
	add_field(csv, (struct import_field){message, strlen(message)});
	buf_add_str(csv, "\r\n");
}

void import_count(const struct import_checker *checker, struct db_import *ret_import)
{
	int64_t count;

	ret_import->skipped = ret_import->rejected = 0;
	for (enum import_cause cause = IMPORT_NO_PHONE; cause < IMPORT_CAUSES; cause++) {
		(void)import_checker_rows(checker, cause, &count, NULL, 0);
		if (import_cause_is_duplicate(cause))
			ret_import->skipped += count;
		else
			ret_import->rejected += count;
	}
}

static json_t *causes_json(const struct import_checker *checker)
{
	int64_t numbers[ROWS_SHOWN], count;
	json_t *causes = json_array(), *rows;
	size_t shown;

	for (enum import_cause cause = IMPORT_NO_PHONE; cause < IMPORT_CAUSES; cause++) {
		shown = import_checker_rows(checker, cause, &count, numbers, ROWS_SHOWN);
		if (count == 0)
			continue;
		rows = json_array();
		for (size_t i = 0; i < shown; i++)
			(void)json_array_append_new(rows, json_integer(numbers[i]));
		(void)json_array_append_new(
			causes, json_pack("{s:s, s:s, s:I, s:o}", "cause",
					import_cause_name(cause), "message",
					import_cause_message(cause), "count",
					(json_int_t)count, "rows", rows));
	}
	return causes;
}

static json_t *columns_json(const struct import_columns *columns)
{
	json_t *list = json_array();

	for (size_t i = 0; i < columns->count && i < COLUMNS_SHOWN; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "column", columns->names[i],
				      "field", import_target_name(columns->targets[i])));
	return list;
}

int import_report(const struct import_options *options,
	const struct import_columns *columns, const struct import_checker *checker,
	const char *encoding, char delimiter, char ret_report[DB_REPORT_SIZE])
{
	char mark[2] = {delimiter, '\0'};
	json_t *report = json_pack("{s:o, s:I, s:s, s:s, s:s, s:o}", "causes",
		causes_json(checker), "unassigned",
		(json_int_t)import_checker_unassigned(checker), "encoding", encoding,
		"delimiter", mark, "country", options->rules.country, "columns",
		columns_json(columns));
	char *text = json_dumps(report, JSON_COMPACT);
	int rc = text == NULL || strlen(text) >= DB_REPORT_SIZE ? -ENOMEM : 0;

	if (rc == 0)
		memcpy(ret_report, text, strlen(text) + 1);
	free(text);
	json_decref(report);
	return rc;
}
