/*
 * import_check.h: what becomes of one row of an upload: a contact, or a cause why it is none.
 *
 * Keeps a byte for each row and eight or sixteen for each number, so that a million rows take
 * some twenty megabytes. One thread.
 */
#ifndef OMNIVOX_GATEWAY_IMPORT_CHECK_H
#define OMNIVOX_GATEWAY_IMPORT_CHECK_H

#include "db/import_rows.h"
#include "dialer/number.h"
#include "gateway/import_columns.h"

#define IMPORT_ROWS_MAX 5000000

enum import_cause {
	IMPORT_TAKEN,
	IMPORT_NO_PHONE,
	IMPORT_BAD_PHONE,
	IMPORT_IMPOSSIBLE,
	IMPORT_UNASSIGNED,
	IMPORT_BAD_EMAIL,
	IMPORT_BAD_COUNTRY,
	IMPORT_BAD_ZONE,
	IMPORT_TOO_LONG,
	IMPORT_TOO_WIDE,
	IMPORT_NOT_TEXT,
	IMPORT_NOT_OBJECT,
	IMPORT_DO_NOT_CALL,
	/* From here on not rejected, but skipped: duplicates. */
	IMPORT_IN_FILE,
	IMPORT_IN_LIST,
	IMPORT_IN_OTHER_LIST,
	IMPORT_CAUSES,
};

/* "no_phone", and a sentence for people. */
const char *import_cause_name(enum import_cause cause);
const char *import_cause_message(enum import_cause cause);
bool import_cause_is_duplicate(enum import_cause cause);

/* Roughly name@domain.tld (RFC 5321 allows more that nobody has). */
bool email_good(const char *email);

struct import_rules {
	char country[3]; /* of numbers that do not tell theirs; "": they are refused */
	bool validate_emails; /* a wrong address rejects the row; else it is kept as it is */
	bool require_valid; /* numbers in ranges that no plan knows are rejected */
	bool last_wins; /* of two rows with one number the last counts, not the first */
};

struct import_checker;
struct zones;

/* `columns` and `zones` are borrowed; `columns` may grow while rows are checked. */
int import_checker_new(const struct import_rules *rules,
	const struct import_columns *columns, const struct zones *zones,
	struct import_checker **ret_checker);
void import_checker_free(struct import_checker **checker);

/*
 * A row, which may be a contact: then 1 and *ret_staged, valid until the next call. 0: it is
 * none, and the cause is noted; *ret_staged is refused, and has no more than its number, "" where
 * that cannot be read. -ENOMEM; -E2BIG: more than IMPORT_ROWS_MAX rows.
 */
int import_check(struct import_checker *checker, const struct import_row *row,
	struct db_import_row *ret_staged);

/* Notes what was found later of a row that was checked. */
void import_checker_note(
	struct import_checker *checker, int64_t number, enum import_cause cause);
/* IMPORT_TAKEN for rows never seen. */
enum import_cause import_checker_cause(
	const struct import_checker *checker, int64_t number);

/* Of a cause: how many rows, and the numbers of the first ones. Returns how many of those. */
size_t import_checker_rows(const struct import_checker *checker, enum import_cause cause,
	int64_t *ret_count, int64_t *ret_numbers, size_t max);

int64_t import_checker_seen(const struct import_checker *checker);  /* rows */
bool import_checker_repeated(const struct import_checker *checker); /* a number twice */
int64_t import_checker_unassigned(
	const struct import_checker *checker); /* taken all the same */
/* "utf-8", "windows-1252", "mixed" or what `found` is called. */
const char *import_checker_encoding(
	const struct import_checker *checker, enum import_encoding found);

#endif
