/* nodes.c: the gateways of one database. See nodes.h. */
#include "db/nodes.h"

#include <stdlib.h>

#include "db/exec.h"

static void read_id(struct db_row *row, void *item)
{
	*(int64_t *)item = row_int(row);
}

static const struct db_reader id_reader = {sizeof(int64_t), read_id};

int db_node_seen(struct db *db, const char *node)
{
	return db_run(db,
		"INSERT INTO nodes (id) VALUES ($1)"
		" ON CONFLICT (id) DO UPDATE SET seen_at = now()",
		ARGS(arg_text(node)), NULL);
}

int db_node_begin(struct db *db, const char *node, bool draining)
{
	return db_run(db,
		"INSERT INTO nodes (id, draining) VALUES ($1, $2) ON CONFLICT (id)"
		" DO UPDATE SET seen_at = now(), draining = EXCLUDED.draining",
		ARGS(arg_text(node), arg_bool(draining)), NULL);
}

#define DEAD(column, ms)                                     \
	"EXISTS (SELECT 1 FROM nodes n WHERE n.id = " column \
	" AND n.seen_at < now() - " ms "::int * interval '1 millisecond')"

int db_node_orphans(
	struct db *db, unsigned dead_ms, int64_t **ret_calls, size_t *ret_count)
{
	return db_run_rows(db,
		"SELECT c.id FROM agent_sessions s JOIN calls c ON c.id = s.call_id"
		" WHERE s.ended_at IS NULL AND c.state <> 'ended' AND c.action IS NULL"
		" AND s.endpoint = 'sip' AND " DEAD("s.node_id", "$1") " ORDER BY c.id",
		ARGS(arg_int(dead_ms)), &id_reader, (void **)ret_calls, ret_count);
}

/* Signed out, for a reason that is none of the agent's. */
#define SIGN_OUT(reason)                                                                \
	" state = 'offline', state_since = now(), ended_at = now(),"                    \
	" wants_ready = false, phone_up = false, twilio_up = false, hold_until = NULL," \
	" pause_reason = '" reason "'"
/* In its own row, read again after a wait for it: a call just claimed is seen nowhere else. */
#define NO_CALL " s.call_id IS NULL"

int db_node_inherit(struct db *db, const char *node, unsigned dead_ms,
	int64_t **ret_sessions, size_t *ret_count)
{
	return db_run_rows(db,
		"WITH late AS (SELECT s.id, s.endpoint = 'sip' AS sip FROM agent_sessions s"
		"  WHERE s.ended_at IS NULL AND s.node_id <> $1::uuid AND " DEAD(
			"s.node_id",
			"$2") "  FOR UPDATE OF s SKIP LOCKED),"
			      " moved AS (UPDATE agent_sessions s SET node_id = $1::uuid, away_until = NULL FROM late"
			      "  WHERE s.id = late.id AND NOT late.sip RETURNING s.id),"
			      " ended AS (UPDATE agent_sessions s SET" SIGN_OUT(
				      "gateway node gone") "  FROM late WHERE s.id = late.id AND late.sip AND" NO_CALL
							   "  RETURNING s.id)"
							   " SELECT id FROM moved UNION ALL SELECT id FROM ended",
		ARGS(arg_text(node), arg_int(dead_ms)), &id_reader, (void **)ret_sessions,
		ret_count);
}

int db_node_drain(struct db *db, const char *node)
{
	return db_run(db,
		"WITH self AS (UPDATE nodes SET draining = true"
		"  WHERE id = $1::uuid AND NOT draining)"
		" UPDATE campaigns SET lease_node = NULL, lease_until = NULL"
		" WHERE lease_node = $1::uuid",
		ARGS(arg_text(node)), NULL);
}

int db_node_sign_out(
	struct db *db, const char *node, int64_t **ret_sessions, size_t *ret_count)
{
	return db_run_rows(db,
		"UPDATE agent_sessions s SET" SIGN_OUT(
			"gateway drained") " WHERE s.ended_at IS NULL AND s.node_id = $1::uuid AND" NO_CALL
					   " RETURNING s.id",
		ARGS(arg_text(node)), &id_reader, (void **)ret_sessions, ret_count);
}

int db_node_others(struct db *db, const char *node, bool *ret_others)
{
	int64_t others;
	int rc = db_run_number(db,
		"SELECT count(*) FROM nodes WHERE id <> $1::uuid"
		" AND seen_at > now() - interval '1 minute'",
		ARGS(arg_text(node)), &others);

	if (rc == 0)
		*ret_others = others > 0;
	return rc;
}

int db_node_hears(struct db *db, const char *node, bool hears, bool *ret_others_hear)
{
	int64_t others;
	int rc = db_run_number(db,
		"WITH self AS (UPDATE nodes SET hears = $2::bool"
		"  WHERE id = $1::uuid AND hears <> $2::bool)"
		" SELECT count(*) FROM nodes WHERE id <> $1::uuid AND hears"
		" AND seen_at > now() - interval '1 minute'",
		ARGS(arg_text(node), arg_bool(hears)), &others);

	if (rc == 0)
		*ret_others_hear = others > 0;
	return rc;
}

int db_node_news(struct db *db, const char *node, const struct db_node_known *known,
	int64_t **ret_ids, size_t *ret_count)
{
	struct buf ids = {0}, versions = {0};
	int rc;

	for (size_t i = 0; i < known->count; i++) {
		array_int(&ids, known->ids[i]);
		array_int(&versions, known->versions[i]);
	}
	rc = array_end(&ids);
	if (rc == 0)
		rc = array_end(&versions);
	if (rc == 0)
		rc = db_run_rows(db,
			"SELECT s.id FROM unnest($2::bigint[], $3::bigint[]) AS k(id, version)"
			" JOIN agent_sessions s ON s.id = k.id WHERE s.version <> k.version"
			" UNION ALL SELECT s.id FROM agent_sessions s WHERE s.node_id = $1::uuid"
			"  AND s.ended_at IS NULL AND NOT s.id = ANY ($2::bigint[])",
			ARGS(arg_text(node), arg_text(ids.data), arg_text(versions.data)),
			&id_reader, (void **)ret_ids, ret_count);
	buf_free(&ids);
	buf_free(&versions);
	return rc;
}

static void read_ready(struct db_row *row, void *item)
{
	struct db_node_ready *ready = item;

	ready->campaign_id = row_int(row);
	ready->count = (unsigned)row_int(row);
}

int db_node_ready(struct db *db, const char *node, struct db_node_ready **ret_rows,
	size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_node_ready), read_ready};

	return db_run_rows(db,
		"SELECT s.campaign_id, count(*) FROM agent_sessions s"
		" JOIN nodes n ON n.id = s.node_id AND n.seen_at > now() - interval '10 seconds'"
		"  AND NOT n.draining"
		" WHERE s.ended_at IS NULL AND s.state = 'ready' AND s.node_id <> $1::uuid"
		" GROUP BY 1",
		ARGS(arg_text(node)), &reader, (void **)ret_rows, ret_count);
}

int db_node_calls(struct db *db, const char *node, int64_t *ret_count)
{
	return db_run_number(db,
		"SELECT count(*) FROM open_calls o JOIN calls c ON c.id = o.call_id WHERE (c.node_id = $1::uuid"
		" OR c.id IN (SELECT s.call_id FROM agent_sessions s"
		"  WHERE s.node_id = $1::uuid AND s.ended_at IS NULL))",
		ARGS(arg_text(node)), ret_count);
}

static void read_census(struct db_row *row, void *item)
{
	struct db_census *census = item;
	char value[32];

	row_text(row, census->kind, sizeof(census->kind));
	row_text(row, census->word, sizeof(census->word));
	row_text(row, value, sizeof(value));
	census->value = strtod(value, NULL);
}

int db_census(struct db *db, struct db_census **ret_rows, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_census), read_census};

	return db_run_rows(db,
		"SELECT 'call', state, count(*)::float8 FROM open_calls JOIN calls ON id = call_id"
		" GROUP BY state"
		" UNION ALL SELECT 'agent', state, count(*) FROM agent_sessions"
		"  WHERE ended_at IS NULL GROUP BY state"
		" UNION ALL SELECT 'registration', '', count(*) FROM registrations"
		"  WHERE expires_at > now()"
		" UNION ALL SELECT 'tokens', '', LEAST(GREATEST(1, per_second), tokens"
		"  + per_second * GREATEST(0, extract(epoch FROM now() - filled_at)))"
		"  FROM account_rate"
		" UNION ALL SELECT 'rate', '', per_second FROM account_rate",
		NO_ARGS, &reader, (void **)ret_rows, ret_count);
}
