/* sessions.c: agent sessions and their legs at Twilio. See sessions.h. */
#include "db/sessions.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

/* Of an agent_sessions row named s; every function that returns a session ends with this. */
#define SESSION_COLUMNS                                                                       \
	"s.version, s.id, s.user_id, s.campaign_id, s.call_id,"                               \
	" (SELECT u.username FROM users u WHERE u.id = s.user_id),"                           \
	" COALESCE((SELECT a.username FROM sip_accounts a WHERE a.user_id = s.user_id), '')," \
	" s.node_id, s.state, s.pause_reason, s.wants_ready, s.phone_up, s.twilio_up,"        \
	" s.turn, s.port_phone, s.port_twilio, " MS("s.state_since") ", " MS(                 \
		"s.hold_until") ","                                                           \
				" COALESCE((SELECT c.conference FROM calls c WHERE c.id = s.call_id), '')"

static void read_session(struct db_row *row, void *item)
{
	struct db_agent_session *s = item;

	s->version = row_int(row);
	s->id = row_int(row);
	s->user_id = row_int(row);
	s->campaign_id = row_int(row);
	s->call_id = row_int(row);
	row_text(row, s->username, sizeof(s->username));
	row_text(row, s->sip_username, sizeof(s->sip_username));
	row_text(row, s->node, sizeof(s->node));
	row_text(row, s->state, sizeof(s->state));
	row_text(row, s->pause_reason, sizeof(s->pause_reason));
	s->wants_ready = row_bool(row);
	s->phone_up = row_bool(row);
	s->twilio_up = row_bool(row);
	s->turn = (int)row_int(row);
	s->port_phone = (int)row_int(row);
	s->port_twilio = (int)row_int(row);
	s->state_since_ms = row_int(row);
	s->hold_until_ms = row_int(row);
	row_text(row, s->call_conference, sizeof(s->call_conference));
}

static const struct db_reader session_reader = {
	sizeof(struct db_agent_session), read_session};

/* Runs a statement that returns SESSION_COLUMNS of one row. */
static int one_session(struct db *db, const char *sql, const struct db_arg *args,
	int count, struct db_agent_session *ret_session)
{
	return db_run_item(db, sql, args, count, &session_reader, ret_session);
}

/* After an UPDATE that touched nothing: the session is gone, or it did not fit. */
static int explain(struct db *db, int64_t session_id, int rc)
{
	if (rc != -ENOENT)
		return rc;
	rc = db_run_one(db,
		"SELECT 1 FROM agent_sessions WHERE id = $1 AND ended_at IS NULL",
		ARGS(arg_int(session_id)), NULL);
	return rc == 0 ? -EINVAL : rc;
}

/* ---- signing in and out ---- */

int db_agent_session_start(struct db *db, int64_t user_id, int64_t campaign_id,
	const char *node, struct db_agent_session *ret_session)
{
	int rc;

	rc = one_session(db,
		"INSERT INTO agent_sessions AS s (user_id, campaign_id, node_id)"
		" SELECT a.user_id, a.campaign_id, $3 FROM campaign_agents a"
		" JOIN users u ON u.id = a.user_id"
		" WHERE a.user_id = $1 AND a.campaign_id = $2 AND u.active"
		" RETURNING " SESSION_COLUMNS,
		ARGS(arg_int(user_id), arg_int(campaign_id), arg_text(node)),
		ret_session);
	return rc == -ENOENT ? -EPERM : rc;
}

int db_agent_session_end(struct db *db, int64_t session_id)
{
	int rc;

	rc = db_run_one(db,
		"UPDATE agent_sessions SET state = 'offline', state_since = now(),"
		" ended_at = now(), wants_ready = false, phone_up = false, twilio_up = false,"
		" hold_until = NULL WHERE id = $1 AND ended_at IS NULL AND call_id IS NULL",
		ARGS(arg_int(session_id)), NULL);
	rc = explain(db, session_id, rc);
	return rc == -EINVAL ? -EBUSY : rc;
}

int db_agent_session_get(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session)
{
	return one_session(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s WHERE s.id = $1",
		ARGS(arg_int(session_id)), ret_session);
}

int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session)
{
	return one_session(db,
		"SELECT " SESSION_COLUMNS
		" FROM agent_sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(user_id)), ret_session);
}

int db_agent_session_list(struct db *db, const char *node,
	struct db_agent_session **ret_sessions, size_t *ret_count)
{
	return db_run_rows(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s"
		" WHERE s.node_id = $1 AND s.ended_at IS NULL ORDER BY s.id",
		ARGS(arg_text(node)), &session_reader, (void **)ret_sessions, ret_count);
}

/* ---- what the agent wants ---- */

int db_agent_session_ready(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session)
{
	return one_session(db,
		"UPDATE agent_sessions s SET wants_ready = true,"
		" state = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.state"
		"  WHEN s.phone_up AND s.twilio_up THEN 'ready' ELSE 'paused' END,"
		" state_since = CASE WHEN s.state IN ('reserved', 'on_call', 'ready')"
		"  THEN s.state_since ELSE now() END,"
		" hold_until = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.hold_until END,"
		" pause_reason = CASE WHEN s.phone_up AND s.twilio_up THEN ''"
		"  ELSE 'waiting for the phone' END"
		" WHERE s.id = $1 AND s.ended_at IS NULL RETURNING " SESSION_COLUMNS,
		ARGS(arg_int(session_id)), ret_session);
}

int db_agent_session_pause(struct db *db, int64_t session_id, const char *reason,
	struct db_agent_session *ret_session)
{
	return one_session(db,
		"UPDATE agent_sessions s SET wants_ready = false, pause_reason = $2,"
		" state = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.state"
		"  ELSE 'paused' END,"
		" state_since = CASE WHEN s.state IN ('reserved', 'on_call', 'paused')"
		"  THEN s.state_since ELSE now() END,"
		" hold_until = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.hold_until END"
		" WHERE s.id = $1 AND s.ended_at IS NULL RETURNING " SESSION_COLUMNS,
		ARGS(arg_int(session_id), arg_text(reason)), ret_session);
}

/* ---- what the legs do ---- */

/*
 * After phone_up or twilio_up changed: ready and paused follow the legs. A wrap-up or a call
 * goes on whatever the legs do.
 */
#define REST_AFTER(phone, twilio, wants)                                                  \
	" state = CASE WHEN s.state NOT IN ('ready', 'paused') THEN s.state"              \
	"  WHEN " phone " AND " twilio " AND " wants " THEN 'ready' ELSE 'paused' END,"   \
	" state_since = CASE WHEN s.state IN ('ready', 'paused') AND (s.state = 'ready')" \
	"  <> (" phone " AND " twilio " AND " wants                                       \
	") THEN now() ELSE s.state_since END"

int db_agent_session_phone(struct db *db, int64_t session_id, bool up, bool refused,
	struct db_agent_session *ret_session)
{
	return one_session(db,
		"UPDATE agent_sessions s SET phone_up = $2, wants_ready = s.wants_ready AND NOT $3,"
		" pause_reason = CASE WHEN $2 AND s.twilio_up AND s.wants_ready THEN ''"
		"  WHEN NOT $2 THEN 'phone hung up' ELSE s.pause_reason END," REST_AFTER(
			"$2", "s.twilio_up",
			"(s.wants_ready AND NOT $3)") " WHERE s.id = $1 AND s.ended_at IS NULL RETURNING " SESSION_COLUMNS,
		ARGS(arg_int(session_id), arg_bool(up), arg_bool(refused)), ret_session);
}

int db_agent_session_ports(
	struct db *db, int64_t session_id, int port_phone, int port_twilio)
{
	return db_run_one(db,
		"UPDATE agent_sessions SET port_phone = $2, port_twilio = $3 WHERE id = $1",
		ARGS(arg_int(session_id), arg_int(port_phone), arg_int(port_twilio)),
		NULL);
}

/* ---- legs at Twilio ---- */

static void read_leg(struct db_row *row, void *item)
{
	struct db_agent_leg *leg = item;

	leg->id = row_int(row);
	leg->agent_session_id = row_int(row);
	leg->turn = (int)row_int(row);
	row_text(row, leg->token, sizeof(leg->token));
	row_text(row, leg->label, sizeof(leg->label));
	row_text(row, leg->conference, sizeof(leg->conference));
}

static const struct db_reader leg_reader = {sizeof(struct db_agent_leg), read_leg};

int db_agent_leg_new(struct db *db, int64_t session_id, const char *install,
	const char *token, struct db_agent_leg *ret_leg)
{
	/* The label carries the leg's own id, which is drawn first. */
	return db_run_item(db,
		"WITH s AS (UPDATE agent_sessions a SET twilio_up = false,"
		"  turn = a.turn + CASE WHEN a.call_id IS NULL THEN 1 ELSE 0 END,"
		"  state = CASE WHEN a.state = 'ready' THEN 'paused' ELSE a.state END"
		"  WHERE a.id = $1 AND a.ended_at IS NULL RETURNING a.id, a.turn, a.call_id),"
		" n AS (SELECT nextval(pg_get_serial_sequence('call_legs', 'id')) AS id)"
		" INSERT INTO call_legs (id, kind, agent_session_id, turn, token, label, conference)"
		" OVERRIDING SYSTEM VALUE"
		" SELECT n.id, 'agent', s.id, s.turn, $3, 'ovx-' || $2 || '-' || n.id,"
		"  COALESCE((SELECT c.conference FROM calls c WHERE c.id = s.call_id),"
		"   'ovx-' || $2 || '-' || s.id || '-' || s.turn)"
		" FROM s, n RETURNING id, agent_session_id, turn, token, label, conference",
		ARGS(arg_int(session_id), arg_text(install), arg_text(token)),
		&leg_reader, ret_leg);
}

/*
 * A row is written only for the first request; a retry finds it as that left it. The lock makes
 * whoever asks at the same moment elsewhere see it, too.
 */
static const char claim_legs_sql[] =
	"WITH asked AS (SELECT * FROM unnest($1::text[], $2::text[])"
	"  WITH ORDINALITY AS t(token, sid, ord) WHERE sid <> ''),"
	" held AS (SELECT l.id, l.token, l.provider_sid FROM call_legs l"
	"  WHERE l.token = ANY ($1::text[]) ORDER BY l.id FOR UPDATE),"
	" mine AS (SELECT a.ord, h.id, COALESCE(h.provider_sid, first_value(a.sid)"
	"   OVER (PARTITION BY h.id ORDER BY a.ord)) AS sid, a.sid AS asks, h.provider_sid AS had"
	"  FROM asked a JOIN held h ON h.token = a.token"
	"  JOIN call_legs l ON l.id = h.id"
	"  JOIN agent_sessions s ON s.id = l.agent_session_id AND s.ended_at IS NULL),"
	" took AS (UPDATE call_legs l SET provider_sid = m.sid FROM mine m"
	"  WHERE l.id = m.id AND m.had IS NULL AND m.asks = m.sid RETURNING l.id)"
	" SELECT m.ord, l.id, l.agent_session_id, l.turn, l.token, l.label, l.conference"
	" FROM mine m JOIN call_legs l ON l.id = m.id WHERE m.asks = m.sid";

int db_agent_legs_claim(struct db *db, const struct db_leg_claim *claims, size_t count,
	struct db_agent_leg *ret_legs)
{
	struct buf tokens = {0}, sids = {0};
	PGresult *result = NULL;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		array_text(&tokens, claims[i].token);
		array_text(&sids, claims[i].provider_sid);
		ret_legs[i] = (struct db_agent_leg){.id = 0};
	}
	if (array_end(&tokens) < 0 || array_end(&sids) < 0)
		rc = -ENOMEM;
	if (rc == 0)
		rc = db_run(db, claim_legs_sql,
			ARGS(arg_text(tokens.data), arg_text(sids.data)), &result);
	for (int i = 0; rc == 0 && i < PQntuples(result); i++) {
		struct db_row row = db_row(result, i);
		size_t at = (size_t)row_int(&row) - 1;

		if (at < count)
			read_leg(&row, &ret_legs[at]);
	}
	PQclear(result);
	buf_free(&tokens);
	buf_free(&sids);
	return rc;
}

/*
 * Recomputes twilio_up of a session from its newest leg and tells the row. `touched` is the
 * statement that changed the leg and returns its session's id as "sid".
 */
#define AFTER_LEG(touched)                                                                                           \
	"WITH touched AS (" touched ")"                                                                              \
	" UPDATE agent_sessions s SET twilio_up = n.up,"                                                             \
	" pause_reason = CASE WHEN n.up AND s.phone_up AND s.wants_ready THEN ''"                                    \
	"  ELSE s.pause_reason END," REST_AFTER("s.phone_up", "n.up",                                                \
		"s.wants_ready") " FROM (SELECT t.sid, t.newest AND t.joined AND NOT t.gone AS up FROM touched t) n" \
				 " WHERE s.id = n.sid AND s.ended_at IS NULL AND (SELECT newest FROM touched)"       \
				 " RETURNING " SESSION_COLUMNS

#define IS_NEWEST                               \
	"NOT EXISTS (SELECT 1 FROM call_legs o" \
	" WHERE o.agent_session_id = l.agent_session_id AND o.id > l.id)"

/* The session of a leg that is not the newest any more has nothing to learn from it. */
static int told(struct db *db, const char *label, const char *sql,
	const char *provider_sid, struct db_agent_session *ret_session)
{
	int rc;

	rc = one_session(
		db, sql, ARGS(arg_text(label), arg_text(provider_sid)), ret_session);
	if (rc != -ENOENT)
		return rc;
	return one_session(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s"
		" JOIN call_legs l ON l.agent_session_id = s.id"
		" WHERE l.label = $1 AND l.kind = 'agent'",
		ARGS(arg_text(label)), ret_session);
}

int db_agent_leg_joined(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	return told(db, label,
		AFTER_LEG(
			"UPDATE call_legs l SET joined_at = COALESCE(l.joined_at, now())"
			" WHERE l.kind = 'agent' AND l.label = $1"
			" AND (l.provider_sid IS NULL OR l.provider_sid = $2)"
			" RETURNING l.agent_session_id AS sid, true AS joined,"
			" l.left_at IS NOT NULL AS gone, " IS_NEWEST " AS newest"),
		provider_sid, ret_session);
}

int db_agent_leg_left(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	return told(db, label,
		AFTER_LEG(
			"UPDATE call_legs l SET left_at = COALESCE(l.left_at, now())"
			" WHERE l.kind = 'agent' AND l.label = $1"
			" AND (l.provider_sid IS NULL OR l.provider_sid = $2)"
			" RETURNING l.agent_session_id AS sid, l.joined_at IS NOT NULL AS joined,"
			" true AS gone, " IS_NEWEST " AS newest"),
		provider_sid, ret_session);
}

int db_agent_leg_lost(struct db *db, int64_t session_id, int64_t leg_id,
	struct db_agent_session *ret_session)
{
	int rc;

	rc = one_session(db,
		AFTER_LEG(
			"UPDATE call_legs l SET left_at = COALESCE(l.left_at, now())"
			" WHERE l.kind = 'agent' AND l.agent_session_id = $1"
			" AND CASE WHEN $2::bigint IS NULL THEN " IS_NEWEST
			" ELSE l.id = $2 END"
			" RETURNING l.agent_session_id AS sid, l.joined_at IS NOT NULL AS joined,"
			" true AS gone, " IS_NEWEST " AS newest"),
		ARGS(arg_int(session_id), arg_id(leg_id)), ret_session);
	return rc == -ENOENT ? db_agent_session_get(db, session_id, ret_session) : rc;
}
