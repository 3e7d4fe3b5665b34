/* import_report.h: what an import says about itself: causes with row numbers, refused rows. */
#ifndef OMNIVOX_GATEWAY_IMPORT_REPORT_H
#define OMNIVOX_GATEWAY_IMPORT_REPORT_H

#include "gateway/import.h"

/*
 * Appends a row of the file, without the notes of a former import; formulas get a ' so that nobody
 * runs them.
 */
void import_csv_fields(struct buf *csv, const struct import_row *row,
	const struct import_columns *columns);
/* What follows the names of the file's columns. */
#define IMPORT_CSV_NOTES "," IMPORT_NOTE_ROW "," IMPORT_NOTE_REASON "\r\n"
/* A line of a row that was not taken: its fields, its number, why. */
void import_csv_reject(struct buf *csv, const struct import_row *row,
	const struct import_columns *columns, enum import_cause cause);

/* Sets skipped and rejected. */
void import_count(const struct import_checker *checker, struct db_import *ret_import);

/*
 * {"causes": [{"cause", "message", "count", "rows": first ones}], "unassigned", "encoding",
 * "delimiter", "country", "columns": [{"column", "field"}]} as text. -ENOMEM.
 */
int import_report(const struct import_options *options,
	const struct import_columns *columns, const struct import_checker *checker,
	const char *encoding, char delimiter, char ret_report[DB_REPORT_SIZE]);

#endif
