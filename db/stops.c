/* stops.c: see stops.h. */
#include "db/stops.h"

#include <errno.h>
#include <stdlib.h>

#include "db/exec.h"

#define LIST_MAX 100
#define NUMBERS_MAX 16 /* of a country; more are not kept apart */

/* Seconds until the next probe: from 1 to 30 of a pause, from 10 to 300 of the account. */
#define BACKOFF(kind, n)                                                  \
	"CASE " kind " WHEN 'pause' THEN LEAST(30, 2 ^ LEAST(" n ", 10))" \
	" WHEN 'account' THEN LEAST(300, 10 * 2 ^ LEAST(" n ", 10)) END"  \
	" * interval '1 second'"
#define WEIGHT(kind) "array_position(ARRAY['pause', 'account', 'setup'], " kind ")"

static int number(struct db *db, const char *sql, const struct db_arg *args, int count,
	int64_t *ret)
{
	PGresult *result = NULL;
	int rc = db_run(db, sql, args, count, &result);

	if (rc == 0)
		*ret = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return rc;
}

int db_stop_add(struct db *db, const struct db_stop *stop, bool *ret_new)
{
	int64_t fresh = 0;
	int rc;

	rc = db_run_number(db,
		"WITH r AS (SELECT count(*) AS n FROM twilio_stops WHERE ended_at >"
		"  now() - interval '10 minutes' AND scope = $1 AND key = $2 AND kind = $3)"
		" INSERT INTO twilio_stops AS s (scope, key, kind, code, reason, detail,"
		"  call_id, probe_at) SELECT $1, $2, $3, $4::int, $5, $6, $7::bigint,"
		"  now() + " BACKOFF("$3",
			"r.n") " FROM r"
			       " ON CONFLICT (scope, key) WHERE ended_at IS NULL DO UPDATE SET"
			       "  times = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
				       "s.kind") "   THEN 1 ELSE s.times + 1 END, last_at = now(),"
						 "  kind = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
							 "s.kind") "   THEN excluded.kind ELSE s.kind END,"
								   "  code = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
									   "s.kind") "   THEN excluded.code ELSE s.code END,"
										     "  reason = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
											     "s.kind") "   THEN excluded.reason ELSE s.reason END,"
												       "  detail = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
													       "s.kind") "   THEN excluded.detail ELSE s.detail END,"
															 "  probe_at = CASE WHEN " WEIGHT("excluded.kind") " > " WEIGHT(
																 "s.kind") "   THEN excluded.probe_at ELSE s.probe_at END"
																	   " RETURNING (times = 1)::int",
		ARGS(arg_text(stop->scope), arg_text(stop->key), arg_text(stop->kind),
			arg_int(stop->code), arg_text(stop->reason),
			arg_text(stop->detail), arg_id(stop->call_id)),
		&fresh);
	if (rc == 0)
		*ret_new = fresh != 0;
	return rc;
}

static void read_stop(struct db_row *row, void *item)
{
	struct db_stop *s = item;

	s->id = row_int(row);
	row_text(row, s->scope, sizeof(s->scope));
	row_text(row, s->key, sizeof(s->key));
	row_text(row, s->kind, sizeof(s->kind));
	s->code = (int)row_int(row);
	row_text(row, s->reason, sizeof(s->reason));
	row_text(row, s->detail, sizeof(s->detail));
	s->call_id = row_int(row);
	s->times = (int)row_int(row);
	s->since_ms = row_int(row);
	s->last_ms = row_int(row);
	s->probe_ms = row_int(row);
}

int db_stop_list(struct db *db, struct db_stop **ret_stops, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_stop), read_stop};

	return db_run_rows(db,
		"SELECT id, scope, key, kind, code, reason, detail, call_id, times,"
		" " MS("since") ", " MS("last_at") ", " MS(
			"probe_at") " FROM twilio_stops WHERE ended_at IS NULL ORDER BY id DESC LIMIT $1",
		ARGS(arg_int(LIST_MAX)), &reader, (void **)ret_stops, ret_count);
}

int db_country_refused(
	struct db *db, const char *country, const char *number, int *ret_numbers)
{
	int64_t numbers = 0;
	int rc;

	rc = db_run_number(db,
		"INSERT INTO country_refusals AS r (country, numbers) VALUES ($1, ARRAY[$2])"
		" ON CONFLICT (country) DO UPDATE SET numbers = CASE WHEN"
		"  excluded.numbers <@ r.numbers OR cardinality(r.numbers) >= $3::int"
		"  THEN r.numbers ELSE r.numbers || excluded.numbers END"
		" RETURNING cardinality(numbers)",
		ARGS(arg_text(country), arg_text(number), arg_int(NUMBERS_MAX)),
		&numbers);
	if (rc == 0)
		*ret_numbers = (int)numbers;
	return rc;
}

static void read_number(struct db_row *row, void *item)
{
	row_text(row, item, DB_NUMBER_SIZE);
}

int db_country_suspect(struct db *db, int64_t call_id, char ret_number[DB_NUMBER_SIZE])
{
	static const struct db_reader reader = {DB_NUMBER_SIZE, read_number};

	return db_run_item(db,
		"SELECT number FROM calls WHERE id = $1"
		" AND EXISTS (SELECT 1 FROM country_refusals)",
		ARGS(arg_int(call_id)), &reader, ret_number);
}

int db_country_rang(struct db *db, const char *country)
{
	return db_run(db, "DELETE FROM country_refusals WHERE country = $1",
		ARGS(arg_text(country)), NULL);
}

int db_stop_end(struct db *db, int64_t id, const char *who, int64_t *ret_ended)
{
	return db_run_number(db,
		"WITH ended AS (UPDATE twilio_stops SET ended_at = now(), ended_by = $2"
		"  WHERE ended_at IS NULL AND ($1::bigint IS NULL OR id = $1)"
		"  RETURNING scope, key),"
		" free AS (DELETE FROM country_refusals r USING ended e"
		"  WHERE e.scope = 'country' AND r.country = e.key),"
		" waiting AS MATERIALIZED (SELECT id FROM campaigns WHERE archived_at IS NULL"
		"  AND EXISTS (SELECT 1 FROM ended WHERE scope = 'country')"
		"  ORDER BY id FOR NO KEY UPDATE),"
		" due AS (UPDATE campaigns k SET rechecks = k.rechecks + 1 FROM waiting w"
		"  WHERE k.id = w.id)"
		" SELECT count(*) FROM ended",
		ARGS(arg_id(id), arg_text(who)), ret_ended);
}

int db_stop_probe(struct db *db, bool *ret_due)
{
	int64_t due = 0;
	int rc;

	rc = number(db,
		"UPDATE twilio_stops SET probes = probes + 1,"
		" probe_at = now() + " BACKOFF("kind",
			"probes + 1") " WHERE scope = 'account' AND key = '' AND ended_at IS NULL"
				      " AND probe_at <= now()",
		NO_ARGS, &due);
	if (rc == 0)
		*ret_due = due > 0;
	return rc;
}

int db_stop_probed(struct db *db, int64_t *ret_ended)
{
	return number(db,
		"UPDATE twilio_stops SET ended_at = now(), ended_by = 'probe'"
		" WHERE scope = 'account' AND key = '' AND ended_at IS NULL"
		" AND kind IN ('pause', 'account')",
		NO_ARGS, ret_ended);
}

/* ---- how well Twilio answers ---- */

int db_health_put(struct db *db, const char *node, const struct db_health *health)
{
	return db_run(db,
		"INSERT INTO twilio_health AS h (node_id, answered_at, error_at, error_code,"
		" error_text, reachable) VALUES ($1::uuid,"
		"  to_timestamp(NULLIF($2::bigint, 0) / 1000.0::float8),"
		"  to_timestamp(NULLIF($3::bigint, 0) / 1000.0::float8), $4::int, $5, $6)"
		" ON CONFLICT (node_id) DO UPDATE SET answered_at = COALESCE("
		"  excluded.answered_at, h.answered_at), error_at = COALESCE("
		"  excluded.error_at, h.error_at), error_code = CASE WHEN"
		"  excluded.error_at IS NULL THEN h.error_code ELSE excluded.error_code END,"
		"  error_text = CASE WHEN excluded.error_at IS NULL THEN h.error_text"
		"  ELSE excluded.error_text END, reachable = excluded.reachable",
		ARGS(arg_text(node), arg_int(health->answered_ms),
			arg_int(health->error_ms), arg_int(health->error_code),
			arg_text(health->error_text), arg_bool(health->reachable)),
		NULL);
}

static void read_health(struct db_row *row, void *item)
{
	struct db_health *h = item;

	h->answered_ms = row_int(row);
	h->error_ms = row_int(row);
	h->error_code = (int)row_int(row);
	row_text(row, h->error_text, sizeof(h->error_text));
	h->known = row_bool(row);
	h->reachable = row_bool(row);
}

int db_health_get(struct db *db, const char *node, struct db_health *ret_health)
{
	static const struct db_reader reader = {sizeof(struct db_health), read_health};
	int rc;

	rc = db_run_item(db,
		"SELECT " MS("answered_at") ", " MS(
			"error_at") ", error_code, error_text,"
				    " reachable IS NOT NULL, reachable FROM twilio_health WHERE node_id = $1::uuid",
		ARGS(arg_text(node)), &reader, ret_health);
	if (rc == -ENOENT) {
		*ret_health = (struct db_health){.known = false};
		return 0;
	}
	return rc;
}

int db_number_errors_load(struct db *db, const int (*codes)[2], size_t count)
{
	int rc = db_begin(db);

	if (rc == 0) /* nodes that start together load one after the other */
		rc = db_run(
			db, "SELECT pg_advisory_xact_lock(7251664931)", NO_ARGS, NULL);
	if (rc == 0)
		rc = db_run(db, "DELETE FROM number_errors", NO_ARGS, NULL);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = db_run(db, "INSERT INTO number_errors (first, last) VALUES ($1, $2)",
			ARGS(arg_int(codes[i][0]), arg_int(codes[i][1])), NULL);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc;
}
