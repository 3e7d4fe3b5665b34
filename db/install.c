/* install.c: the installation's id, and loading the tables that decide. See install.h. */
#include "db/install.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

int db_install_id(struct db *db, char ret_id[DB_INSTALL_SIZE])
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	/* gen_random_uuid() is version 4: its first eight digits are all random. */
	rc = db_run(db,
		"INSERT INTO install (id) VALUES (left(gen_random_uuid()::text, 8))"
		" ON CONFLICT DO NOTHING",
		NO_ARGS, NULL);
	if (rc == 0)
		rc = db_run_one(db, "SELECT id FROM install", NO_ARGS, &result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	row_text(&row, ret_id, DB_INSTALL_SIZE);
	PQclear(result);
	return 0;
}

/* When the sweeper asks for a call that a transition has moved on; null for one that is over. */
static const struct db_deadline *deadline_of(
	const struct db_tables *tables, const struct db_transition *t)
{
	for (size_t i = 0; i < tables->deadline_count; i++)
		if (strcmp(tables->deadlines[i].state, t->next) == 0)
			return &tables->deadlines[i];
	return NULL;
}

static int load_transitions(struct db *db, const struct db_tables *tables)
{
	int rc = db_run(db, "DELETE FROM call_transition", NO_ARGS, NULL);

	for (size_t i = 0; rc == 0 && i < tables->transition_count; i++) {
		const struct db_transition *t = &tables->transitions[i];
		const struct db_deadline *d = deadline_of(tables, t);

		rc = db_run(db,
			"INSERT INTO call_transition (state, event, next, outcome, action, check_s,"
			" plus_ring) VALUES ($1, $2, $3, $4, $5, NULLIF($6::float8, 0), $7)",
			ARGS(arg_text(t->state), arg_text(t->event), arg_text(t->next),
				arg_text(t->outcome), arg_text(t->action),
				arg_real(t->check_s > 0 || d == NULL ? t->check_s
								     : d->after_s),
				arg_bool(t->check_s == 0 && d != NULL && d->plus_ring)),
			NULL);
	}
	return rc;
}

static int load_retries(struct db *db, const struct db_tables *tables)
{
	int rc = db_run(db, "DELETE FROM call_retry", NO_ARGS, NULL);

	for (size_t i = 0; rc == 0 && i < tables->retry_count; i++) {
		const struct db_retry *r = &tables->retries[i];

		rc = db_run(db,
			"INSERT INTO call_retry (outcome, place, after_s, max)"
			" VALUES ($1, $2, $3, $4)",
			ARGS(arg_text(r->outcome), arg_int(r->place), arg_int(r->after_s),
				arg_int(r->max)),
			NULL);
	}
	return rc;
}

int db_load_tables(struct db *db, const struct db_tables *tables)
{
	int rc = db_begin(db);

	if (rc == 0) /* nodes that start together load one after the other */
		rc = db_run(
			db, "SELECT pg_advisory_xact_lock(7251664931)", NO_ARGS, NULL);
	if (rc == 0)
		rc = load_transitions(db, tables);
	if (rc == 0)
		rc = load_retries(db, tables);
	if (rc == 0)
		rc = db_run(db,
			"UPDATE account_rate SET most_per_second = $1::float8,"
			" per_second = CASE WHEN most_per_second = $1::float8::numeric"
			"  THEN per_second ELSE $1::float8 END",
			ARGS(arg_real(tables->calls_per_second)), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc;
}
