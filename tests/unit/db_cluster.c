/* db_cluster.c: see db_cluster.h. */
#include "unit/db_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/cluster.h"
#include "db/exec.h"
#include "db/migrate.h"

char db_cluster_url[512];
char db_cluster_dir[64];
static PGconn *looker; /* the tests' own eyes */

int db_cluster_setup(void **state)
{
	struct err err = {""};
	struct db *db = NULL;
	unsigned applied;
	pid_t pid;

	(void)state;
	(void)snprintf(db_cluster_dir, sizeof(db_cluster_dir), "/tmp/ovx-db-XXXXXX");
	if (!mkdtemp(db_cluster_dir) ||
		db_cluster_start(db_cluster_dir, &pid, db_cluster_url,
			sizeof(db_cluster_url), &err) < 0 ||
		db_open(db_cluster_url, 10000, &db) < 0 ||
		db_migrate(db, &applied, &err) < 0) {
		print_error("no cluster: %s\n", err.text);
		return -1;
	}
	db_close(&db);
	/* Tests kill processes, not machines. */
	(void)db_text("ALTER DATABASE omnivox SET synchronous_commit = off");
	return 0;
}

int db_cluster_teardown(void **state)
{
	struct err err = {""};
	char *const argv[] = {
		(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, db_cluster_dir, NULL};
	pid_t pid;

	(void)state;
	PQfinish(looker);
	looker = NULL;
	if (db_cluster_stop(db_cluster_dir, 10000, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		(void)execv("/bin/rm", argv);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

struct db *db_connect(void)
{
	struct db *db = NULL;

	assert_int_equal(db_open(db_cluster_url, 10000, &db), 0);
	assert_int_equal(db_ping(db), 0);
	return db;
}

const char *db_text(const char *sql)
{
	static char texts[8][512];
	static unsigned at;
	PGresult *result;
	char *text = texts[at++ % 8];

	if (!looker)
		looker = PQconnectdb(db_cluster_url);
	result = PQexec(looker, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
		PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(result));
	(void)snprintf(text, sizeof(texts[0]), "%s",
		PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return text;
}

int64_t db_number(const char *sql)
{
	return strtoll(db_text(sql), NULL, 10);
}
