/* migrate.c: brings the schema to this program's version. See migrate.h. */
#include "db/migrate.h"

#include <errno.h>
#include <stdlib.h>

#include "db/exec.h"
#include "db/migrations.h"

/* Any number, the same in every version: one migrator at a time in a database. */
#define LOCK_SQL "SELECT pg_advisory_lock(7251664930)"
#define UNLOCK_SQL "SELECT pg_advisory_unlock(7251664930)"

static const char table_sql[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				" version int PRIMARY KEY,"
				" name text NOT NULL,"
				" sha256 text NOT NULL,"
				" applied_at timestamptz NOT NULL DEFAULT now())";

static unsigned known_versions(void)
{
	unsigned count = 0;

	while (db_migrations[count].name)
		count++;
	return count;
}

/* The database must not know a version that this program does not. */
static int check_newest(struct db *db, struct err *err)
{
	PGresult *result = NULL;
	struct db_row row;
	long long newest;
	int rc;

	rc = db_run(db, "SELECT max(version) FROM schema_migrations", NO_ARGS, &result);
	if (rc < 0)
		return err_set(
			err, rc, "cannot read the schema's version: %s", db_error(db));
	row = db_row(result, 0);
	newest = row_int(&row);
	PQclear(result);
	if (newest > (long long)known_versions())
		return err_set(err, -EPERM,
			"the database has schema version %lld and this program knows only %u; "
			"run the newer program, or restore the backup made before it ran",
			newest, known_versions());
	return 0;
}

/* 1: applied and the same; 0: not applied yet; -EPERM: applied, but the text was another. */
static int check_applied(
	struct db *db, int version, const struct db_migration *migration, struct err *err)
{
	PGresult *result = NULL;
	bool same = false;
	int rc;

	rc = db_run(db,
		"SELECT sha256 = encode(sha256(convert_to($2, 'UTF8')), 'hex')"
		" FROM schema_migrations WHERE version = $1",
		ARGS(arg_int(version), arg_text(migration->sql)), &result);
	if (rc < 0)
		return err_set(
			err, rc, "cannot read schema_migrations: %s", db_error(db));
	if (PQntuples(result) == 1) {
		struct db_row row = db_row(result, 0);

		same = row_bool(&row);
		rc = 1;
	}
	PQclear(result);
	if (rc == 1 && !same)
		return err_set(err, -EPERM,
			"migration %s is not the one that this database was made with; "
			"a migration must never change once it was applied",
			migration->name);
	return rc;
}

static int apply(
	struct db *db, int version, const struct db_migration *migration, struct err *err)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_script(db, migration->sql);
	if (rc == 0)
		rc = db_run(db,
			"INSERT INTO schema_migrations (version, name, sha256)"
			" VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
			ARGS(arg_int(version), arg_text(migration->name),
				arg_text(migration->sql)),
			NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc < 0)
		return err_set(err, rc, "migration %s failed: %s", migration->name,
			db_error(db));
	return 0;
}

static int apply_missing(struct db *db, unsigned *ret_applied, struct err *err)
{
	unsigned applied = 0;
	int rc = db_script(db, table_sql);

	if (rc < 0)
		return err_set(
			err, rc, "cannot make schema_migrations: %s", db_error(db));
	rc = check_newest(db, err);
	for (int i = 0; rc >= 0 && db_migrations[i].name; i++) {
		rc = check_applied(db, i + 1, &db_migrations[i], err);
		if (rc == 0) {
			rc = apply(db, i + 1, &db_migrations[i], err);
			applied++;
		}
	}
	if (rc < 0)
		return rc;
	*ret_applied = applied;
	return 0;
}

int db_migrate(struct db *db, unsigned *ret_applied, struct err *err)
{
	int rc = db_patience(db, true);

	if (rc == 0)
		rc = db_run(db, LOCK_SQL, NO_ARGS, NULL);
	if (rc < 0)
		return err_set(err, rc, "cannot lock the schema: %s", db_error(db));
	rc = apply_missing(db, ret_applied, err);
	/* Should these fail, the connection is gone and the lock with it. */
	(void)db_run(db, UNLOCK_SQL, NO_ARGS, NULL);
	(void)db_patience(db, false);
	return rc;
}

int db_migrate_plan(struct db *db, void (*missing)(void *arg, const char *name),
	void *arg, struct err *err)
{
	int64_t made;
	int rc = db_run_number(db,
		"SELECT (to_regclass('schema_migrations') IS NOT NULL)::int", NO_ARGS,
		&made);

	if (rc < 0)
		return err_set(err, rc, "cannot read the schema: %s", db_error(db));
	if (made)
		rc = check_newest(db, err);
	for (int i = 0; rc >= 0 && db_migrations[i].name; i++) {
		rc = made ? check_applied(db, i + 1, &db_migrations[i], err) : 0;
		if (rc == 0)
			missing(arg, db_migrations[i].name);
	}
	return rc < 0 ? rc : 0;
}
