/*
 * exec.h: statements with typed parameters and typed rows. For the files of db/ only.
 *
 * SQL texts are string literals that live as long as the program: each is prepared once per
 * connection and found again by its address. Values travel as parameters, never in the text.
 */
#ifndef OMNIVOX_DB_EXEC_H
#define OMNIVOX_DB_EXEC_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "db/conn.h"

/* A timestamptz as milliseconds since 1970, inside SQL. */
#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

/* Parameters. Texts are borrowed until the statement has run. */
enum db_arg_kind { DB_ARG_TEXT, DB_ARG_INT, DB_ARG_REAL, DB_ARG_BYTES };
struct db_arg {
	enum db_arg_kind kind;
	int length; /* of bytes */
	int64_t integer;
	double real;
	const char *text; /* NULL: SQL null */
};

/* NULL is SQL's null. */
static inline struct db_arg arg_text(const char *text)
{
	return (struct db_arg){.kind = DB_ARG_TEXT, .text = text};
}

static inline struct db_arg arg_int(int64_t value)
{
	return (struct db_arg){.kind = DB_ARG_INT, .integer = value};
}

/* 0 is SQL's null: for ids, where 0 means none. */
static inline struct db_arg arg_id(int64_t id)
{
	return id ? arg_int(id) : arg_text(NULL);
}

static inline struct db_arg arg_bool(bool value)
{
	return arg_text(value ? "t" : "f");
}

static inline struct db_arg arg_real(double value)
{
	return (struct db_arg){.kind = DB_ARG_REAL, .real = value};
}

static inline struct db_arg arg_bytes(const void *bytes, int length)
{
	return (struct db_arg){.kind = DB_ARG_BYTES, .text = bytes, .length = length};
}

/* ARGS(arg_int(1), arg_text("x")): the two arguments that the functions below take. */
#define ARGS(...)                                                    \
	(const struct db_arg[]){__VA_ARGS__},                        \
		(int)(sizeof((const struct db_arg[]){__VA_ARGS__}) / \
			sizeof(struct db_arg))
#define NO_ARGS NULL, 0
#define DB_ARGS_MAX 48

/*
 * Runs one statement. *ret_result is the caller's to PQclear(); NULL when nobody wants it.
 * 0, or the errno that conn.h promises.
 */
int db_run(struct db *db, const char *sql, const struct db_arg *args, int count,
	PGresult **ret_result);

/* Runs a statement that must touch or return a row: -ENOENT when there is none. */
int db_run_one(struct db *db, const char *sql, const struct db_arg *args, int count,
	PGresult **ret_result);

/* Runs several statements in one go, without parameters; for migrations. */
int db_script(struct db *db, const char *sql);

/*
 * COPY ... FROM STDIN of text in COPY's own format: begin, put as often as it takes, end. A put
 * that fails has ended it. Abort is harmless when none is under way.
 */
int db_copy_begin(struct db *db, const char *sql);
int db_copy_put(struct db *db, const char *data, size_t length);
int db_copy_end(struct db *db);
void db_copy_abort(struct db *db);

/*
 * Transactions that need more than one statement. A rollback is harmless when none is open, so
 * that `out:` can always call it.
 */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/*
 * For a transaction that touches few rows of large tables: everything it reads is found by an index
 * in the order it is wanted. The planner, which may know an old size of the tables, must not
 * think of reading and sorting them.
 */
#define DB_BY_INDEX                                                          \
	"SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;" \
	" SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off"

/* For channel.c: runs a LISTEN; the connection on which it was said, NULL when that is gone. */
int db_listen(struct db *db, const char *sql);
PGconn *db_listener(struct db *db);

/* statement_timeout and lock_timeout: long for migrations and imports, then as opened. */
int db_patience(struct db *db, bool patient);

/* Reads the columns of one row from left to right, in the order of the SELECT. */
struct db_row {
	const PGresult *result;
	int row, column;
};
struct db_row db_row(const PGresult *result, int row);
int64_t row_int(struct db_row *row); /* null is 0 */
int64_t row_int_or(struct db_row *row, int64_t when_null);
bool row_bool(struct db_row *row);
double row_real(struct db_row *row); /* null is 0 */
/* An int[] of at most `count` values; returns how many it has, 0 for null. */
size_t row_ints(struct db_row *row, int *ret_values, size_t count);
/* Null is "". Text that does not fit is cut between characters. */
void row_text(struct db_row *row, char *dst, size_t size);

/* Runs a SELECT whose rows become such an array. */
struct db_reader {
	size_t size;
	void (*read)(struct db_row *row, void *item);
};
int db_run_rows(struct db *db, const char *sql, const struct db_arg *args, int count,
	const struct db_reader *reader, void **ret_items, size_t *ret_count);

/* Tells `each` the rows as they come, without holding them all. It must not use `db`. */
int db_run_each(struct db *db, const char *sql, const struct db_arg *args, int count,
	void (*each)(struct db_row *row, void *arg), void *arg);

/* Runs a statement of one row into one item, or one number; -ENOENT when there is no row. */
int db_run_item(struct db *db, const char *sql, const struct db_arg *args, int count,
	const struct db_reader *reader, void *ret_item);
int db_run_number(struct db *db, const char *sql, const struct db_arg *args, int count,
	int64_t *ret_number);

/* A parameter of an array type, written as {...}. Start with all zero; free with buf_free(). */
void array_int(struct buf *array, int64_t value);
void array_null(struct buf *array);
void array_text(struct buf *array, const char *text); /* NULL: null */
/* Closes it. -ENOMEM when an add had failed. */
int array_end(struct buf *array);

#endif
