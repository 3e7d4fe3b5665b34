/* test_db_conn.c: connections, statements, migrations and the private cluster itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/cluster.h"
#include "db/exec.h"
#include "db/install.h"
#include "db/migrate.h"
#include "unit/db_cluster.h"

static void nap(void)
{
	const struct timespec ts = {.tv_nsec = 20 * 1000 * 1000};

	(void)nanosleep(&ts, NULL);
}

/* Pings until `rc` comes back; a broken connection is tried again once a second. */
static void ping_until(struct db *db, int rc)
{
	int64_t end = clock_mono_ms() + 10000;

	while (db_ping(db) != rc && clock_mono_ms() < end)
		nap();
	assert_int_equal(db_ping(db), rc);
}

static void an_absent_server_is_no_error_at_open_and_eio_at_use(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open("host=/nowhere", 1000, &db), 0);
	assert_int_equal(db_ping(db), -EIO);
	assert_true(strlen(db_error(db)) > 0);
	db_close(&db);
	assert_null(db);
	db_close(&db);
}

static void errors_become_the_promised_errno(void **state)
{
	static const struct {
		const char *sql;
		int rc;
	} cases[] = {
		{"SELECT 1 FROM users WHERE id = -1", -ENOENT},
		{"INSERT INTO users (username, name, role, password_hash)"
		 " VALUES ('twin', '', 'admin', ''), ('twin', '', 'admin', '')",
			-EEXIST},
		{"INSERT INTO users (username, name, role, password_hash)"
		 " VALUES ('x', '', 'king', '')",
			-EINVAL},
		{"INSERT INTO campaign_agents VALUES (-1, -1)", -ENOENT},
		{"SELECT 'secret'::bigint", -EINVAL},
		{"SELECT pg_terminate_backend(pg_backend_pid())", -EIO},
	};
	struct db *db = db_connect();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			db_run_one(db, cases[i].sql, NO_ARGS, NULL), cases[i].rc);
		assert_null(strstr(db_error(db), "secret"));
	}
	db_close(&db);
}

static void a_statement_that_takes_too_long_is_eagain(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(db_open(db_cluster_url, 50, &db), 0);
	assert_int_equal(db_run(db, "SELECT pg_sleep(10)", NO_ARGS, NULL), -EAGAIN);
	assert_int_equal(db_ping(db), 0);
	db_close(&db);
}

static void a_closed_connection_is_made_again_without_an_error(void **state)
{
	struct db *db = db_connect(), *other = db_connect();
	int64_t pid = 0;

	(void)state;
	assert_int_equal(db_run_number(db, "SELECT pg_backend_pid()", NO_ARGS, &pid), 0);
	assert_int_equal(db_run(other, "SELECT pg_terminate_backend($1::int)",
				 ARGS(arg_int(pid)), NULL),
		0);
	ping_until(db, 0);
	db_close(&db);
	db_close(&other);
}

static void a_transaction_does_not_survive_its_connection(void **state)
{
	struct db *db = db_connect();

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "SELECT pg_terminate_backend(pg_backend_pid())",
				 NO_ARGS, NULL),
		-EIO);
	assert_int_equal(db_run(db, "SELECT 1", NO_ARGS, NULL), -EIO);
	db_rollback(db);
	ping_until(db, 0);
	db_close(&db);
}

static void values_come_back_as_they_went_in(void **state)
{
	const char *odd = "a\"b\\c,{d}'e\n\xc3\xa9";
	struct db *db = db_connect();
	struct buf array = {0};
	PGresult *result = NULL;
	struct db_row row;
	char text[64], cut[5];

	(void)state;
	array_text(&array, odd);
	array_text(&array, NULL);
	array_text(&array, "");
	assert_int_equal(array_end(&array), 0);
	assert_int_equal(
		db_run(db,
			"SELECT ($1::text[])[1], ($1::text[])[2], ($1::text[])[3] = '',"
			" $2::bigint, $3::float8 = 0.5, $4::bool, encode($5::bytea, 'hex'),"
			" $6::bigint, U&'abc\\00e9'",
			ARGS(arg_text(array.data), arg_int(INT64_MIN), arg_real(0.5),
				arg_bool(true), arg_bytes("\0\1", 2), arg_id(0)),
			&result),
		0);
	row = db_row(result, 0);
	row_text(&row, text, sizeof(text));
	assert_string_equal(text, odd);
	row_text(&row, text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(row_bool(&row));
	assert_true(row_int(&row) == INT64_MIN);
	assert_true(row_bool(&row));
	assert_true(row_bool(&row));
	row_text(&row, text, sizeof(text));
	assert_string_equal(text, "0001");
	assert_int_equal(row_int_or(&row, -7), -7);
	row_text(&row, cut, sizeof(cut)); /* never half a character */
	assert_string_equal(cut, "abc");
	PQclear(result);
	buf_free(&array);
	db_close(&db);
}

static void migrations_are_applied_once_and_never_change(void **state)
{
	struct db *db = db_connect();
	unsigned applied = 99;
	struct err err;

	(void)state;
	assert_int_equal(db_migrate(db, &applied, &err), 0);
	assert_int_equal(applied, 0);
	db_text("UPDATE schema_migrations SET sha256 = 'other' || sha256 WHERE version = 1");
	assert_int_equal(db_migrate(db, &applied, &err), -EPERM);
	assert_non_null(strstr(err.text, "0001_core"));
	db_text("UPDATE schema_migrations SET sha256 = substr(sha256, 6) WHERE version = 1");
	db_text("INSERT INTO schema_migrations VALUES (9999, 'later', '')");
	assert_int_equal(db_migrate(db, &applied, &err), -EPERM);
	assert_non_null(strstr(err.text, "9999"));
	db_text("DELETE FROM schema_migrations WHERE version = 9999");
	assert_int_equal(db_migrate(db, &applied, &err), 0);
	db_close(&db);
}

static void the_installation_keeps_its_id(void **state)
{
	struct db *db = db_connect();
	char first[DB_INSTALL_SIZE], again[DB_INSTALL_SIZE];

	(void)state;
	assert_int_equal(db_install_id(db, first), 0);
	assert_int_equal(db_install_id(db, again), 0);
	assert_string_equal(first, again);
	assert_int_equal(strlen(first), 8);
	db_close(&db);
}

static void tables_are_replaced_as_a_whole_or_not_at_all(void **state)
{
	static const struct db_transition bad[] = {
		{"placing", "accepted", "queued", NULL, NULL, 0},
		{"placing", "refused", "ended", NULL, NULL,
			0}, /* ends without an outcome */
	};
	static const struct db_deadline deadlines[] = {{"queued", 3, false}};
	static const struct db_retry retries[] = {{"busy", 1, 60, 2}};
	struct db_tables tables = {bad, 1, deadlines, 1, retries, 1, 2.5};
	struct db *db = db_connect();

	(void)state;
	assert_int_equal(db_load_tables(db, &tables), 0);
	assert_int_equal(db_load_tables(db, &tables), 0);
	tables.transition_count = 2;
	assert_int_equal(db_load_tables(db, &tables), -EINVAL);
	assert_int_equal(db_number("SELECT count(*) FROM call_transition"), 1);
	assert_string_equal(db_text("SELECT per_second FROM account_rate"), "2.5");
	db_close(&db);
}

static void a_second_start_attaches_and_data_outlives_a_stop(void **state)
{
	char url[512];
	struct err err;
	pid_t first = 0, second = 0;
	struct stat st;

	(void)state;
	assert_int_equal(
		db_cluster_start(db_cluster_dir, &first, url, sizeof(url), &err), 0);
	assert_int_equal(
		db_cluster_start(db_cluster_dir, &second, url, sizeof(url), &err), 0);
	assert_int_equal(first, second);
	assert_int_equal(getsid(first), first); /* a session of its own: outlives us */
	assert_int_equal(db_cluster_stop(db_cluster_dir, 10000, &err), 0);
	assert_int_equal(db_cluster_stop(db_cluster_dir, 10000, &err), 0);
	assert_int_equal(
		db_cluster_start(db_cluster_dir, &second, url, sizeof(url), &err), 0);
	assert_int_not_equal(first, second);
	(void)snprintf(url, sizeof(url), "%s/run", db_cluster_dir);
	assert_int_equal(stat(url, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_killed_postmaster_is_started_again(void **state)
{
	struct err err = {""};
	pid_t first = 0, second = 0;
	char url[512];
	struct db *db;

	(void)state;
	assert_int_equal(
		db_cluster_start(db_cluster_dir, &first, url, sizeof(url), &err), 0);
	db = db_connect(); /* its backend lives on for a moment */
	assert_int_equal(kill(first, SIGKILL), 0);
	if (db_cluster_start(db_cluster_dir, &second, url, sizeof(url), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_not_equal(first, second);
	ping_until(db, 0);
	db_close(&db);
}

static void a_path_too_long_for_a_socket_is_said(void **state)
{
	char dir[256], url[512];
	struct err err = {""};
	pid_t pid;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/%0100d", db_cluster_dir, 0);
	assert_int_equal(
		db_cluster_start(dir, &pid, url, sizeof(url), &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absent_server_is_no_error_at_open_and_eio_at_use),
		cmocka_unit_test(errors_become_the_promised_errno),
		cmocka_unit_test(a_statement_that_takes_too_long_is_eagain),
		cmocka_unit_test(a_closed_connection_is_made_again_without_an_error),
		cmocka_unit_test(a_transaction_does_not_survive_its_connection),
		cmocka_unit_test(values_come_back_as_they_went_in),
		cmocka_unit_test(migrations_are_applied_once_and_never_change),
		cmocka_unit_test(the_installation_keeps_its_id),
		cmocka_unit_test(tables_are_replaced_as_a_whole_or_not_at_all),
		cmocka_unit_test(a_second_start_attaches_and_data_outlives_a_stop),
		cmocka_unit_test(a_killed_postmaster_is_started_again),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_said),
	};

	return cmocka_run_group_tests(tests, db_cluster_setup, db_cluster_teardown);
}
