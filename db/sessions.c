/* sessions.c: agent sessions and their legs at Twilio. See sessions.h. */
#include "db/sessions.h"

#include <errno.h>
#include <string.h>

#include "db/session_rows.h"

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
	row_text(row, s->call_state, sizeof(s->call_state));
	row_text(row, s->endpoint, sizeof(s->endpoint));
	row_text(row, s->endpoint_number, sizeof(s->endpoint_number));
	s->nailed = row_bool(row);
	s->leg_id = row_int(row);
	s->leg_renew = row_bool(row);
	row_text(row, s->leg_sid, sizeof(s->leg_sid));
	row_text(row, s->leg_label, sizeof(s->leg_label));
	row_text(row, s->leg_conference, sizeof(s->leg_conference));
	s->leg_joined = row_bool(row);
	s->leg_left = row_bool(row);
	s->leg_created_ms = row_int(row);
}

static const struct db_reader session_reader = {
	sizeof(struct db_agent_session), read_session};

int db_one_session(struct db *db, const char *sql, const struct db_arg *args, int count,
	struct db_agent_session *ret_session)
{
	return db_run_item(db, sql, args, count, &session_reader, ret_session);
}

int db_many_sessions(struct db *db, const char *sql, const struct db_arg *args, int count,
	struct db_agent_session **ret_sessions, size_t *ret_count)
{
	return db_run_rows(
		db, sql, args, count, &session_reader, (void **)ret_sessions, ret_count);
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

/* Why nobody signed in. Who is on the campaign was refused by its state. */
static int explain_refused(struct db *db, int64_t user_id, int64_t campaign_id)
{
	int rc = db_run_one(db,
		"SELECT 1 FROM campaigns k JOIN campaign_agents a ON a.campaign_id = k.id"
		" JOIN users u ON u.id = a.user_id"
		" WHERE k.id = $2 AND k.state = 'completed' AND u.id = $1 AND u.active",
		ARGS(arg_int(user_id), arg_id(campaign_id)), NULL);

	if (rc == 0)
		return -EINVAL;
	return rc == -ENOENT ? -EPERM : rc;
}

int db_agent_session_start(struct db *db, int64_t user_id, int64_t campaign_id,
	const char *node, struct db_agent_session *ret_session)
{
	int rc;

	rc = db_one_session(db,
		"INSERT INTO agent_sessions AS s (user_id, campaign_id, node_id, endpoint,"
		"  endpoint_number, nailed)"
		" SELECT u.id, $2::bigint, $3, COALESCE(e.type, 'sip'), e.number,"
		"  COALESCE(e.nailed, true) FROM users u"
		" LEFT JOIN agent_endpoints e ON e.user_id = u.id"
		" WHERE u.id = $1 AND u.active AND EXISTS (SELECT 1 FROM campaign_agents a"
		"  WHERE a.user_id = u.id AND ($2::bigint IS NULL OR a.campaign_id = $2))"
		" AND NOT EXISTS (SELECT 1 FROM campaigns k"
		"  WHERE k.id = $2 AND k.state = 'completed')"
		" RETURNING " SESSION_COLUMNS,
		ARGS(arg_int(user_id), arg_id(campaign_id), arg_text(node)), ret_session);
	return rc == -ENOENT ? explain_refused(db, user_id, campaign_id) : rc;
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
	return db_one_session(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s WHERE s.id = $1",
		ARGS(arg_int(session_id)), ret_session);
}

int db_agent_session_of_user(
	struct db *db, int64_t user_id, struct db_agent_session *ret_session)
{
	return db_one_session(db,
		"SELECT " SESSION_COLUMNS
		" FROM agent_sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(user_id)), ret_session);
}

int db_agent_session_list(struct db *db, const char *node,
	struct db_agent_session **ret_sessions, size_t *ret_count)
{
	return db_many_sessions(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s"
		" WHERE s.node_id = $1 AND (s.ended_at IS NULL OR s.endpoint <> 'sip'"
		"  AND s.ended_at > now() - interval '5 hours' AND EXISTS (SELECT 1"
		"   FROM call_legs l WHERE l.id = s.leg_id AND l.left_at IS NULL))"
		" ORDER BY s.id",
		ARGS(arg_text(node)), ret_sessions, ret_count);
}

/*
 * Changes one session, and reads it again: what else the row shows, of its leg and its call, the
 * statement saw as it was before it waited for the row.
 */
static int change(struct db *db, int64_t session_id, const char *sql,
	const struct db_arg *args, int count, struct db_agent_session *ret_session)
{
	int rc = db_run_one(db, sql, args, count, NULL);

	return rc < 0 ? rc : db_agent_session_get(db, session_id, ret_session);
}

/* ---- what the agent wants ---- */

#define REACHABLE "session_reachable(s.nailed, s.phone_up, s.twilio_up)"

int db_agent_session_ready(
	struct db *db, int64_t session_id, struct db_agent_session *ret_session)
{
	return change(db, session_id,
		"UPDATE agent_sessions s SET wants_ready = true,"
		" state = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.state"
		"  WHEN " REACHABLE " THEN 'ready' ELSE 'paused' END,"
		" state_since = CASE WHEN s.state IN ('reserved', 'on_call', 'ready')"
		"  THEN s.state_since ELSE now() END,"
		" hold_until = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.hold_until END,"
		" pause_reason = CASE WHEN " REACHABLE " THEN ''"
		"  ELSE 'waiting for the phone' END"
		" WHERE s.id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(session_id)), ret_session);
}

int db_agent_session_pause(struct db *db, int64_t session_id,
	const struct db_pause_wish *wish, struct db_agent_session *ret_session)
{
	return change(db, session_id,
		"UPDATE agent_sessions s SET wants_ready = false, pause_type = $2,"
		" pause_reason = $3, pause_comment = $4,"
		" state = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.state"
		"  ELSE 'paused' END,"
		" state_since = CASE WHEN s.state IN ('reserved', 'on_call', 'paused')"
		"  THEN s.state_since ELSE now() END,"
		" hold_until = CASE WHEN s.state IN ('reserved', 'on_call') THEN s.hold_until END"
		" WHERE s.id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(session_id), arg_text(wish->type), arg_text(wish->reason),
			arg_text(wish->comment)),
		ret_session);
}

int db_agent_session_keep(struct db *db, int64_t session_id, int64_t for_ms)
{
	return db_run_one(db,
		"UPDATE agent_sessions SET kept_until = CASE WHEN $2::bigint > 0"
		"  THEN now() + $2 * interval '1 millisecond' END"
		" WHERE id = $1 AND ended_at IS NULL",
		ARGS(arg_int(session_id), arg_int(for_ms)), NULL);
}

/* ---- what the legs do ---- */

/* Whoever is rung for each call hangs up after each call. */
#define WANTS "(s.wants_ready AND NOT (s.nailed AND $3::text IS NOT NULL))"

int db_agent_session_phone(struct db *db, int64_t session_id, bool up, const char *reason,
	struct db_agent_session *ret_session)
{
	return change(db, session_id,
		"UPDATE agent_sessions s SET phone_up = $2, wants_ready = " WANTS ","
		" pause_reason = CASE WHEN $2 AND s.twilio_up AND s.wants_ready THEN ''"
		"  WHEN $2 OR NOT s.nailed THEN s.pause_reason"
		"  WHEN s.wants_ready AND $3 IS NOT NULL THEN $3"
		"  WHEN s.state = 'ready' THEN 'waiting for the phone'"
		"  ELSE s.pause_reason END," REST_AFTER(
			"session_reachable(s.nailed, $2, s.twilio_up)",
			WANTS) " WHERE s.id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(session_id), arg_bool(up), arg_text(reason)), ret_session);
}

int db_agent_session_ports(
	struct db *db, int64_t session_id, int port_phone, int port_twilio)
{
	return db_run_one(db,
		"UPDATE agent_sessions SET port_phone = $2, port_twilio = $3 WHERE id = $1",
		ARGS(arg_int(session_id), arg_int(port_phone), arg_int(port_twilio)),
		NULL);
}

static void read_alone(struct db_row *row, void *item)
{
	struct db_alone *alone = item;

	alone->call_id = row_int(row);
	row_text(row, alone->leg_sid, sizeof(alone->leg_sid));
	alone->inbound = row_bool(row);
	alone->missing = row_bool(row);
}

int db_agent_sessions_alone(struct db *db, const char *node, unsigned again_ms,
	struct db_alone **ret_alone, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_alone), read_alone};

	/* Who is being hung up already is not talked to. */
	return db_run_rows(db,
		"WITH late AS (SELECT s.id, c.id AS call_id, l.provider_sid,"
		"   c.direction = 'inbound' AS inbound, c.ring_first AND NOT EXISTS (SELECT 1"
		"   FROM call_legs a WHERE a.agent_session_id = s.id"
		"    AND a.conference = c.conference AND a.joined_at IS NOT NULL) AS missing"
		"  FROM agent_sessions s JOIN calls c ON c.id = s.call_id"
		"  JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'"
		"  WHERE s.node_id = $1::uuid AND s.away_until <= now() AND c.state = 'bridged'"
		"   AND (c.action IS NULL OR c.action_done_at IS NOT NULL)"
		"  ORDER BY s.id FOR UPDATE OF s SKIP LOCKED)"
		" UPDATE agent_sessions s SET"
		"  away_until = now() + $2::int * interval '1 millisecond'"
		" FROM late WHERE s.id = late.id"
		" RETURNING late.call_id, late.provider_sid, late.inbound, late.missing",
		ARGS(arg_text(node), arg_int(again_ms)), &reader, (void **)ret_alone,
		ret_count);
}

int db_agent_sessions_wait(struct db *db, const char *node)
{
	return db_run(db,
		"UPDATE agent_sessions SET away_until = now() + away_time()"
		" WHERE node_id = $1::uuid AND away_until IS NOT NULL",
		ARGS(arg_text(node)), NULL);
}
