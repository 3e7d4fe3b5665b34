/* conn.c: the connection: how it is made, lost and made again, and how statements run on it. */
#include "db/conn.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/exec.h"

#define STATEMENTS_MAX 1024
#define RECONNECT_MS 1000
#define PATIENT_MS (30 * 60 * 1000)

struct db {
	PGconn *conn; /* NULL before the first use */
	pthread_mutex_t lock;
	PGcancel *cancel; /* of conn; any thread, under the lock */
	char *url;
	unsigned statement_ms;
	int64_t tried_ms; /* of the last connect; 0 never */
	bool in_transaction, in_copy;
	bool listening;         /* on this connection */
	size_t statement_count; /* prepared on this connection, by address of the text */
	const char *statements[STATEMENTS_MAX];
	char error[256];
};

int db_open(const char *url, unsigned statement_ms, struct db **ret_db)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return -ENOMEM;
	(void)pthread_mutex_init(&db->lock, NULL);
	db->url = strdup(url);
	db->statement_ms = statement_ms;
	if (!db->url) {
		free(db);
		return -ENOMEM;
	}
	*ret_db = db;
	return 0;
}

/* What another thread may break off with; NULL: nothing. */
static void keep_cancel(struct db *db, PGconn *conn)
{
	PGcancel *cancel = conn == NULL ? NULL : PQgetCancel(conn);

	(void)pthread_mutex_lock(&db->lock);
	PQfreeCancel(db->cancel);
	db->cancel = cancel;
	(void)pthread_mutex_unlock(&db->lock);
}

void db_close(struct db **db)
{
	if (!*db)
		return;
	PQfinish((*db)->conn);
	keep_cancel(*db, NULL);
	(void)pthread_mutex_destroy(&(*db)->lock);
	free((*db)->url);
	free(*db);
	*db = NULL;
}

const char *db_error(const struct db *db)
{
	return db->error;
}

/* What a SQLSTATE means to those who called; the list is in conn.h. */
static int sqlstate_errno(const char *state)
{
	static const struct {
		const char *state;
		int error;
	} table[] = {
		{"23505", -EEXIST}, /* unique_violation */
		{"23503",
			-ENOENT}, /* foreign_key_violation: the row pointed to is not there */
		{"23", -EINVAL},    /* other constraints */
		{"22", -EINVAL},    /* data exceptions */
		{"40", -EAGAIN},    /* serialisation, deadlock */
		{"55P03", -EAGAIN}, /* lock_not_available */
		{"57014", -EAGAIN}, /* query_canceled: statement_timeout */
		{"53100", -ENOSPC}, /* disk_full */
		{"53200", -ENOMEM}, /* out_of_memory */
	};

	for (size_t i = 0; state && i < sizeof(table) / sizeof(table[0]); i++)
		if (strncmp(state, table[i].state, strlen(table[i].state)) == 0)
			return table[i].error;
	return -EIO;
}

/* Keeps what may be logged. Data exceptions quote the value in their text: left out. */
static void keep_error(struct db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!text)
		text = "the connection to PostgreSQL broke";
	if (state && strncmp(state, "22", 2) == 0)
		text = "a value does not fit its type";
	(void)snprintf(db->error, sizeof(db->error), "%s%s%s", state ? state : "",
		state ? ": " : "", text);
}

/* PQconnectdb's text may span lines and may name the URL's host, but never its password. */
static int keep_connect_error(struct db *db)
{
	(void)snprintf(db->error, sizeof(db->error), "%s", PQerrorMessage(db->conn));
	db->error[strcspn(db->error, "\n")] = '\0';
	return -EIO;
}

static int set_up_session(struct db *db, unsigned ms)
{
	char sql[192];
	PGresult *result;
	int rc = 0;

	/* Compiling a plan costs half a second, and none of ours runs as long. */
	(void)snprintf(sql, sizeof(sql),
		"SET jit = off; SET statement_timeout = %u; SET lock_timeout = %u;"
		"SET idle_in_transaction_session_timeout = '60s';"
		"SET client_min_messages = warning",
		ms, ms);
	result = PQexec(db->conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		keep_error(db, result);
		rc = -EIO;
	}
	PQclear(result);
	return rc;
}

/* libpq would print the server's notices to stderr; what matters comes back as an error. */
static void ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

/* The URL comes after our defaults, so that it may override them. */
static PGconn *dial(const char *url)
{
	static const char *const keys[] = {"connect_timeout", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"fallback_application_name", "client_encoding", "dbname", NULL};
	const char *const values[] = {
		"5", "10", "5", "3", "20000", "omnivox-gateway", "UTF8", url, NULL};

	return PQconnectdbParams(keys, values, 1);
}

static int reconnect(struct db *db)
{
	int64_t now = clock_mono_ms();

	if (db->tried_ms && now - db->tried_ms < RECONNECT_MS)
		return -EIO;
	keep_cancel(db, NULL);
	PQfinish(db->conn);
	db->statement_count = 0;
	db->listening = false;
	db->conn = dial(db->url);
	db->tried_ms = clock_mono_ms();
	if (!db->conn)
		return -ENOMEM;
	if (PQstatus(db->conn) != CONNECTION_OK)
		return keep_connect_error(db);
	keep_cancel(db, db->conn);
	(void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	(void)PQsetErrorVerbosity(db->conn, PQERRORS_TERSE);
	db->error[0] = '\0';
	return set_up_session(db, db->statement_ms);
}

/*
 * A connection that the server closed since the last statement is noticed here, before
 * anything is sent on it. Inside a transaction there is nothing to save: it is gone.
 */
static int ready(struct db *db)
{
	if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
		(void)PQconsumeInput(db->conn);
	if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
		return 0;
	if (db->in_transaction)
		return -EIO;
	return reconnect(db);
}

/* Takes the result. */
static int finish(struct db *db, PGresult *result, PGresult **ret_result)
{
	ExecStatusType status = PQresultStatus(result);
	int rc;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		if (ret_result)
			*ret_result = result;
		else
			PQclear(result);
		return 0;
	}
	keep_error(db, result);
	rc = sqlstate_errno(PQresultErrorField(result, PG_DIAG_SQLSTATE));
	if (PQstatus(db->conn) != CONNECTION_OK)
		rc = -EIO;
	PQclear(result);
	return rc;
}

/* "s12" for a statement of ours; prepares it at first sight. */
static int prepare(struct db *db, const char *sql, int count, char name[16])
{
	size_t at = 0;
	int rc;

	while (at < db->statement_count && db->statements[at] != sql)
		at++;
	assert(at < STATEMENTS_MAX);
	(void)snprintf(name, 16, "s%zu", at);
	if (at < db->statement_count)
		return 0;
	rc = finish(db, PQprepare(db->conn, name, sql, count, NULL), NULL);
	if (rc == 0)
		db->statements[db->statement_count++] = sql;
	return rc;
}

/* What libpq takes of arguments; texts and bytes are borrowed from them. */
struct params {
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX], formats[DB_ARGS_MAX];
	char numbers[DB_ARGS_MAX][32];
};

static void set_params(struct params *params, const struct db_arg *args, int count)
{
	assert(count <= DB_ARGS_MAX);
	for (int i = 0; i < count; i++) {
		params->values[i] = args[i].text;
		params->lengths[i] = args[i].length;
		params->formats[i] = args[i].kind == DB_ARG_BYTES;
		if (args[i].kind == DB_ARG_INT)
			(void)snprintf(params->numbers[i], sizeof(params->numbers[i]),
				"%lld", (long long)args[i].integer);
		else if (args[i].kind == DB_ARG_REAL)
			(void)snprintf(params->numbers[i], sizeof(params->numbers[i]),
				"%.15g", args[i].real);
		else
			continue;
		params->values[i] = params->numbers[i];
	}
}

int db_run(struct db *db, const char *sql, const struct db_arg *args, int count,
	PGresult **ret_result)
{
	struct params params;
	char name[16];
	int rc = ready(db);

	if (rc == 0)
		rc = prepare(db, sql, count, name);
	if (rc < 0)
		return rc;
	set_params(&params, args, count);
	return finish(db,
		PQexecPrepared(db->conn, name, count, params.values, params.lengths,
			params.formats, 0),
		ret_result);
}

int db_run_one(struct db *db, const char *sql, const struct db_arg *args, int count,
	PGresult **ret_result)
{
	PGresult *result = NULL;
	int rc = db_run(db, sql, args, count, &result);

	if (rc < 0)
		return rc;
	if (PQntuples(result) == 0 && strtol(PQcmdTuples(result), NULL, 10) == 0) {
		(void)snprintf(db->error, sizeof(db->error), "no such row");
		rc = -ENOENT;
	}
	if (rc == 0 && ret_result)
		*ret_result = result;
	else
		PQclear(result);
	return rc;
}

int db_script(struct db *db, const char *sql)
{
	int rc = ready(db);

	return rc < 0 ? rc : finish(db, PQexec(db->conn, sql), NULL);
}

int db_run_each(struct db *db, const char *sql, const struct db_arg *args, int count,
	void (*each)(struct db_row *row, void *arg), void *arg)
{
	struct params params;
	PGresult *result;
	char name[16];
	int rc = ready(db);

	if (rc == 0)
		rc = prepare(db, sql, count, name);
	if (rc < 0)
		return rc;
	set_params(&params, args, count);
	if (PQsendQueryPrepared(db->conn, name, count, params.values, params.lengths,
		    params.formats, 0) != 1)
		return finish(db, NULL, NULL);
	(void)PQsetSingleRowMode(db->conn);
	while ((result = PQgetResult(db->conn))) {
		if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
			struct db_row row = db_row(result, 0);

			each(&row, arg);
			PQclear(result);
		} else if (rc == 0) {
			rc = finish(db, result, NULL);
		} else {
			PQclear(result);
		}
	}
	return rc;
}

int db_copy_begin(struct db *db, const char *sql)
{
	PGresult *result;
	int rc = ready(db);

	if (rc < 0)
		return rc;
	result = PQexec(db->conn, sql);
	if (PQresultStatus(result) != PGRES_COPY_IN)
		return finish(db, result, NULL);
	PQclear(result);
	db->in_copy = true;
	return 0;
}

/* libpq sends it in its own time: what went wrong comes out at the end. */
int db_copy_put(struct db *db, const char *data, size_t length)
{
	assert(db->in_copy);
	while (length > 0) {
		int part = length > 1 << 20 ? 1 << 20 : (int)length;

		if (PQputCopyData(db->conn, data, part) != 1)
			return db_copy_end(db);
		data += part;
		length -= (size_t)part;
	}
	return 0;
}

static int end_copy(struct db *db, const char *why_not)
{
	PGresult *result;
	int rc;

	(void)PQputCopyEnd(db->conn, why_not);
	db->in_copy = false;
	rc = finish(db, PQgetResult(db->conn), NULL);
	while ((result = PQgetResult(db->conn)))
		PQclear(result);
	return rc;
}

int db_copy_end(struct db *db)
{
	assert(db->in_copy);
	return end_copy(db, NULL);
}

void db_copy_abort(struct db *db)
{
	if (db->in_copy)
		(void)end_copy(db, "given up");
}

int db_begin(struct db *db)
{
	int rc;

	assert(!db->in_transaction);
	rc = db_script(db, "BEGIN");
	db->in_transaction = rc == 0;
	return rc;
}

/* The server turns the COMMIT of a failed transaction into a ROLLBACK: callers never do that. */
int db_commit(struct db *db)
{
	int rc;

	assert(db->in_transaction);
	rc = db_script(db, "COMMIT");
	db->in_transaction = false;
	return rc;
}

void db_rollback(struct db *db)
{
	char error[sizeof(db->error)];

	if (!db->in_transaction)
		return;
	memcpy(error, db->error, sizeof(error));
	if (PQstatus(db->conn) == CONNECTION_OK)
		PQclear(PQexec(db->conn, "ROLLBACK"));
	db->in_transaction = false;
	memcpy(db->error, error, sizeof(error));
}

int db_listen(struct db *db, const char *sql)
{
	int rc = db_script(db, sql);

	if (rc == 0)
		db->listening = true;
	return rc;
}

PGconn *db_listener(struct db *db)
{
	return db->listening && PQstatus(db->conn) == CONNECTION_OK ? db->conn : NULL;
}

void db_cancel(struct db *db)
{
	char why_not[128];

	(void)pthread_mutex_lock(&db->lock);
	if (db->cancel != NULL)
		(void)PQcancel(db->cancel, why_not, (int)sizeof(why_not));
	(void)pthread_mutex_unlock(&db->lock);
}

int db_patience(struct db *db, bool patient)
{
	int rc = ready(db);

	return rc < 0 ? rc : set_up_session(db, patient ? PATIENT_MS : db->statement_ms);
}

int db_ping(struct db *db)
{
	return db_run(db, "SELECT 1", NO_ARGS, NULL);
}
