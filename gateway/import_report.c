/* import_report.c: counts, causes and refused rows. See import_report.h. */
#include "gateway/import_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 10    /* of each cause */
#define COLUMNS_SHOWN 80 /* names are short: the report stays below DB_REPORT_SIZE */

/* A spreadsheet takes these for formulas; a number with its + is none. */
static bool is_formula(const char *text, size_t len)
{
	if (len == 0)
		return false;
	if (text[0] == '+' || text[0] == '-')
		return len > 1 && strspn(text + 1, "0123456789 ()-.") < len - 1;
	return text[0] == '=' || text[0] == '@' || text[0] == '\t' || text[0] == '\r';
}

void import_csv_field(struct buf *csv, const char *text, size_t len, bool behind)
{
	if (behind)
		buf_add_char(csv, ',');
	buf_add_char(csv, '"');
	if (is_formula(text, len))
		buf_add_char(csv, '\'');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_add_char(csv, '"');
		buf_add_char(csv, text[i]);
	}
	buf_add_char(csv, '"');
}

void import_csv_reject(struct buf *csv, const struct import_row *row, size_t columns,
	enum import_cause cause)
{
	const char *message = import_cause_message(cause);

	for (size_t i = 0; i < columns; i++)
		import_csv_field(csv, i < row->count ? row->fields[i].text : "",
			i < row->count ? row->fields[i].len : 0, i > 0);
	buf_printf(csv, ",%" PRId64, row->number);
	import_csv_field(csv, message, strlen(message), true);
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
