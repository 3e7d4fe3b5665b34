/* legs.c: the legs of agents at Twilio. See legs.h. */
#include "db/legs.h"

#include <errno.h>
#include <string.h>

#include "db/rate.h"
#include "db/session_rows.h"

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

/*
 * A new leg of session a, $1, of install $2: the newest, so nothing is up until it is. `from`
 * and `where` add to the UPDATE, `more` is the value of `column`. The label carries the leg's own
 * id, which is drawn first.
 */
#define NEW_LEG(from, where, column, more)                                                   \
	"n AS MATERIALIZED (SELECT nextval('call_legs_id_seq') AS id" from "),"              \
	" s AS (UPDATE agent_sessions a SET twilio_up = false, leg_id = n.id,"               \
	"  phone_up = a.phone_up AND a.endpoint = 'sip',"                                    \
	"  turn = a.turn + CASE WHEN a.call_id IS NULL THEN 1 ELSE 0 END,"                   \
	"  state = CASE WHEN a.nailed AND a.state = 'ready' THEN 'paused' ELSE a.state END," \
	"  pause_reason = CASE WHEN a.nailed AND a.state = 'ready'"                          \
	"   OR a.pause_reason = '" DB_REASON_CALLER "' THEN 'waiting for the phone'"         \
	"   ELSE a.pause_reason END"                                                         \
	"  FROM n WHERE a.ended_at IS NULL AND " where                                       \
	"  RETURNING a.id, a.turn, a.call_id, n.id AS leg)"                                  \
	" INSERT INTO call_legs (id, kind, agent_session_id, turn, " column                  \
	", label, conference)"                                                               \
	" OVERRIDING SYSTEM VALUE"                                                           \
	" SELECT s.leg, 'agent', s.id, s.turn, " more ", 'ovx-' || $2 || '-' || s.leg,"      \
	"  COALESCE((SELECT c.conference FROM calls c WHERE c.id = s.call_id),"              \
	"   'ovx-' || $2 || '-' || s.id || '-' || s.turn)"                                   \
	" FROM s RETURNING id, agent_session_id, turn, COALESCE(token, ''), label, conference"

int db_agent_leg_new(struct db *db, int64_t session_id, const char *install,
	const char *token, struct db_agent_leg *ret_leg)
{
	return db_run_item(db, "WITH " NEW_LEG("", "a.id = $1", "token", "$3"),
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
	" held AS (SELECT l.id, l.agent_session_id, l.turn, l.token, l.label, l.conference,"
	"  l.provider_sid FROM call_legs l"
	"  WHERE l.token = ANY ($1::text[]) ORDER BY l.id FOR UPDATE),"
	" mine AS (SELECT a.ord, h.*, a.sid AS asks, COALESCE(h.provider_sid, first_value(a.sid)"
	"   OVER (PARTITION BY h.id ORDER BY a.ord)) AS sid"
	"  FROM asked a JOIN held h ON h.token = a.token"
	"  JOIN agent_sessions s ON s.id = h.agent_session_id AND s.ended_at IS NULL),"
	" took AS (UPDATE call_legs l SET provider_sid = m.sid FROM mine m"
	"  WHERE l.id = m.id AND m.provider_sid IS NULL AND m.asks = m.sid)"
	" SELECT m.ord, m.id, m.agent_session_id, m.turn, m.token, m.label, m.conference"
	" FROM mine m WHERE m.asks = m.sid";

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
 * Recomputes what is up in a session from its newest leg and tells the row. `touched` is the
 * statement that changed the leg and returns its session's id as "sid".
 */
#define PHONE_AFTER "CASE WHEN s.endpoint = 'sip' THEN s.phone_up ELSE n.up END"
#define AFTER_LEG(touched)                                                                                           \
	"WITH touched AS (" touched ")"                                                                              \
	" UPDATE agent_sessions s SET twilio_up = n.up, phone_up = " PHONE_AFTER ","                                 \
	" pause_reason = CASE WHEN n.up AND (" PHONE_AFTER ") AND s.wants_ready THEN ''"                             \
	"  ELSE s.pause_reason END," REST_AFTER(                                                                     \
		"session_reachable(s.nailed, " PHONE_AFTER ", n.up)",                                                \
		"s.wants_ready") " FROM (SELECT t.sid, t.newest AND t.joined AND NOT t.gone AS up FROM touched t) n" \
				 " WHERE s.id = n.sid AND s.ended_at IS NULL AND (SELECT newest FROM touched)"       \
				 " RETURNING " SESSION_COLUMNS

#define IS_NEWEST                               \
	"NOT EXISTS (SELECT 1 FROM call_legs o" \
	" WHERE o.agent_session_id = l.agent_session_id AND o.id > l.id)"

/* What joined, and is told again, is on its way out. */
#define RENEWED                                  \
	"EXISTS (SELECT 1 FROM agent_sessions r" \
	" WHERE r.id = l.agent_session_id AND r.renew_leg = l.id)"

/*
 * The session of a leg that is not the newest any more has nothing to learn from it. The row is
 * read again: it shows its leg, which the statement saw as it was before.
 */
static int told(struct db *db, const char *label, const char *sql,
	const char *provider_sid, struct db_agent_session *ret_session)
{
	int rc = db_run(db, sql, ARGS(arg_text(label), arg_text(provider_sid)), NULL);

	if (rc < 0)
		return rc;
	return db_one_session(db,
		"SELECT " SESSION_COLUMNS " FROM agent_sessions s"
		" JOIN call_legs k ON k.agent_session_id = s.id"
		" WHERE k.label = $1 AND k.kind = 'agent'",
		ARGS(arg_text(label)), ret_session);
}

/*
 * Who asks for a mute holds the call's row: either its wish is for the leg that joins here, or it
 * is there to be handed on. The call comes first, as in apply_call_events().
 */
static int lock_call(struct db *db, const char *label)
{
	return db_run(db,
		"SELECT 1 FROM calls c WHERE c.id = (SELECT s.call_id FROM call_legs l"
		"  JOIN agent_sessions s ON s.id = l.agent_session_id AND s.ended_at IS NULL"
		"  WHERE l.label = $1 AND l.kind = 'agent') FOR UPDATE",
		ARGS(arg_text(label)), NULL);
}

/* In place of one that was muted in this call: it is muted, too, as soon as Twilio can be told. */
static int hand_on(struct db *db, const char *label)
{
	return db_run(db,
		"INSERT INTO leg_controls (leg_id, call_id, muted, due_at)"
		" SELECT l.id, t.call_id, true, now() FROM call_legs l"
		"  JOIN agent_sessions s ON s.leg_id = l.id AND s.twilio_up"
		"  CROSS JOIN LATERAL (SELECT o.call_id, o.muted FROM leg_controls o"
		"   JOIN call_legs p ON p.id = o.leg_id AND p.kind = 'agent'"
		"   WHERE o.call_id = s.call_id ORDER BY o.leg_id DESC LIMIT 1) t"
		"  WHERE l.label = $1 AND l.kind = 'agent' AND t.muted"
		" ON CONFLICT DO NOTHING",
		ARGS(arg_text(label)), NULL);
}

static int join(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	int rc = lock_call(db, label);

	if (rc == 0)
		rc = told(db, label,
			AFTER_LEG(
				"UPDATE call_legs l SET joined_at = COALESCE(l.joined_at, now()),"
				" provider_sid = COALESCE(l.provider_sid, $2) WHERE l.kind = 'agent' AND l.label = $1"
				" AND (l.provider_sid IS NULL OR l.provider_sid = $2)"
				" RETURNING l.agent_session_id AS sid, true AS joined,"
				" l.left_at IS NOT NULL OR " RENEWED
				" AS gone, " IS_NEWEST " AS newest"),
			provider_sid, ret_session);
	return rc < 0 ? rc : hand_on(db, label);
}

int db_agent_leg_joined(struct db *db, const char *label, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = join(db, label, provider_sid, ret_session);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc;
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

	rc = db_one_session(db,
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

int db_agent_legs_renew(struct db *db, const char *node, int64_t age_ms, int max,
	struct db_agent_session **ret_sessions, size_t *ret_count)
{
	return db_many_sessions(db,
		"WITH old AS (SELECT s.id FROM agent_sessions s"
		"  JOIN call_legs l ON l.id = s.leg_id AND l.left_at IS NULL"
		"  WHERE s.node_id = $1::uuid AND s.ended_at IS NULL AND s.nailed AND s.twilio_up"
		"   AND s.call_id IS NULL AND s.state IN ('ready', 'paused', 'wrap_up')"
		"   AND l.created_at < now() - $2::bigint * interval '1 millisecond'"
		"  ORDER BY l.id LIMIT $3 FOR UPDATE OF s SKIP LOCKED)"
		" UPDATE agent_sessions s SET renew_leg = s.leg_id, twilio_up = false,"
		"  phone_up = s.phone_up AND s.endpoint = 'sip',"
		"  pause_reason = CASE WHEN s.state = 'ready' THEN 'waiting for the phone'"
		"   ELSE s.pause_reason END," REST_AFTER(
			"false", "s.wants_ready") " FROM old WHERE s.id = old.id"
						  " RETURNING " SESSION_COLUMNS,
		ARGS(arg_text(node), arg_int(age_ms), arg_int(max)), ret_sessions,
		ret_count);
}

/* ---- phones and browsers ---- */

#define OPEN_LEG \
	"EXISTS (SELECT 1 FROM call_legs o WHERE o.id = a.leg_id AND o.left_at IS NULL)"

/* The campaign's that the agent is rung for, else `fallback`. */
#define CALLER_ID(fallback)                                                                \
	"COALESCE((SELECT k.caller_id FROM campaigns k WHERE k.id = COALESCE((SELECT"      \
	"  c.campaign_id FROM calls c WHERE c.id = a.call_id), a.campaign_id)), " fallback \
	"::text)"

/*
 * While nothing is dialled, nobody is rung to wait for a call. Whose call there is already is
 * rung all the same: what Twilio answers ends that call or lets it go on.
 */
#define CALLER_STOPPED(fallback)                                              \
	"(a.call_id IS NULL AND EXISTS (SELECT 1 FROM twilio_stops t WHERE"   \
	"  t.ended_at IS NULL AND t.scope = 'caller' AND t.key = " CALLER_ID( \
		fallback) "))"
#define STOPPED(fallback)                                                   \
	"(a.call_id IS NULL AND EXISTS (SELECT 1 FROM twilio_stops t WHERE" \
	"  t.ended_at IS NULL AND t.scope = 'account') OR " CALLER_STOPPED(fallback) ")"
#define STOPPED_MS 2000 /* then it is asked again */

/* Why nothing was made: no such session, a leg that has not ended, a stop, or no token. */
static int explain_ring(
	struct db *db, const struct db_leg_ring *ring, int64_t *ret_wait_ms)
{
	int64_t why = 0;
	int rc = db_run_number(db,
		"SELECT CASE WHEN " OPEN_LEG " THEN 2 WHEN " STOPPED(
			"$2") " THEN 1 ELSE 0 END FROM agent_sessions a WHERE a.id = $1"
			      " AND a.ended_at IS NULL AND (a.nailed OR a.call_id IS NOT NULL)",
		ARGS(arg_int(ring->session_id), arg_text(ring->caller_id)), &why);

	if (rc < 0)
		return rc;
	if (why == 2)
		return -EALREADY;
	if (why == 1) {
		*ret_wait_ms = STOPPED_MS;
		return -EBUSY;
	}
	rc = db_run_number(db, RATE_WAIT_SQL, NO_ARGS, ret_wait_ms);
	return rc < 0 ? rc : -EAGAIN;
}

static void read_rung(struct db_row *row, void *item)
{
	struct db_agent_leg *leg = item;

	read_leg(row, leg);
	row_text(row, leg->caller_id, sizeof(leg->caller_id));
}

int db_agent_leg_ring(struct db *db, const struct db_leg_ring *ring,
	struct db_agent_leg *ret_leg, int64_t *ret_wait_ms)
{
	static const struct db_reader reader = {sizeof(struct db_agent_leg), read_rung};
	/* A token is taken only when there is a leg to make. */
	int rc = db_run_item(db,
		"WITH wants AS MATERIALIZED (SELECT a.id, " CALLER_ID(
			"$3") " AS caller_id"
			      "  FROM agent_sessions a WHERE a.id = $1"
			      "  AND a.ended_at IS NULL AND (a.nailed OR a.call_id IS NOT NULL)"
			      "  AND a.endpoint <> 'sip' AND NOT " OPEN_LEG
			      " AND NOT " STOPPED(
				      "$3") "  FOR UPDATE),"
					    " rate AS (UPDATE account_rate r SET " RATE_TAKE
					    "  AND EXISTS (SELECT 1 FROM wants) RETURNING 1),"
					    " " NEW_LEG(" FROM rate", "a.id = $1",
						    "token",
						    "NULL") ", (SELECT w.caller_id FROM wants w)",
		ARGS(arg_int(ring->session_id), arg_text(ring->install),
			arg_text(ring->caller_id)),
		&reader, ret_leg);

	return rc == -ENOENT ? explain_ring(db, ring, ret_wait_ms) : rc;
}

int db_agent_leg_held(struct db *db, const struct db_leg_ring *ring,
	struct db_agent_session *ret_session)
{
	int rc = db_run_one(db,
		"UPDATE agent_sessions a SET pause_reason = '" DB_REASON_CALLER "'"
		" WHERE a.id = $1 AND a.ended_at IS NULL AND a.state = 'paused'"
		" AND a.pause_reason IN ('signed in', 'waiting for the phone')"
		" AND " CALLER_STOPPED("$2"),
		ARGS(arg_int(ring->session_id), arg_text(ring->caller_id)), NULL);

	return rc < 0 ? rc : db_agent_session_get(db, ring->session_id, ret_session);
}

static int find_own(struct db *db, int64_t user_id, const char *provider_sid,
	struct db_agent_leg *ret_leg)
{
	return db_run_item(db,
		"SELECT l.id, l.agent_session_id, l.turn, '', l.label, l.conference"
		" FROM call_legs l JOIN agent_sessions s ON s.id = l.agent_session_id"
		" WHERE l.provider_sid = $1 AND s.user_id = $2 AND s.ended_at IS NULL",
		ARGS(arg_text(provider_sid), arg_int(user_id)), &leg_reader, ret_leg);
}

int db_agent_leg_own(struct db *db, int64_t user_id, const char *provider_sid,
	const char *install, struct db_agent_leg *ret_leg)
{
	struct db_agent_session session;
	int rc = find_own(db, user_id, provider_sid, ret_leg);

	if (rc != -ENOENT)
		return rc;
	rc = db_agent_session_of_user(db, user_id, &session);
	if (rc < 0)
		return rc;
	rc = db_run_item(db,
		"WITH " NEW_LEG(
			"", "a.id = $1 AND a.endpoint = 'browser'", "provider_sid", "$3"),
		ARGS(arg_int(session.id), arg_text(install), arg_text(provider_sid)),
		&leg_reader, ret_leg);
	if (rc == -EEXIST) /* the same request, on another worker */
		return find_own(db, user_id, provider_sid, ret_leg);
	return rc == -ENOENT ? -EPERM : rc;
}

int db_agent_leg_accepted(struct db *db, int64_t leg_id, const char *provider_sid,
	struct db_agent_session *ret_session)
{
	int64_t session_id = 0;
	int rc = db_run(db,
		"UPDATE call_legs l SET provider_sid = $2 WHERE l.id = $1 AND l.kind = 'agent'"
		" AND l.provider_sid IS NULL",
		ARGS(arg_int(leg_id), arg_text(provider_sid)), NULL);

	/* The loop tells an old reading of the row from a new one by its version. */
	if (rc == 0)
		rc = db_run_number(db,
			"UPDATE agent_sessions s SET leg_id = s.leg_id FROM call_legs k"
			" WHERE k.id = $1 AND k.kind = 'agent' AND s.id = k.agent_session_id"
			" RETURNING s.id",
			ARGS(arg_int(leg_id)), &session_id);
	return rc < 0 ? rc : db_agent_session_get(db, session_id, ret_session);
}

/* What the statement below says about one leg. */
struct ended {
	int64_t session_id;
	bool newest, joined, first;
	bool not_agent; /* whoever ended it, it was not the agent */
	char conference[64];
};

static void read_ended(struct db_row *row, void *item)
{
	struct ended *e = item;

	e->session_id = row_int(row);
	e->newest = row_bool(row);
	e->joined = row_bool(row);
	e->first = row_bool(row);
	e->not_agent = row_bool(row);
	row_text(row, e->conference, sizeof(e->conference));
}

/* Twilio ends a call four hours after its answer; our clocks and its differ by a little. */
#define AT_TWILIOS_LIMIT "k.joined_at < now() - interval '3 hours 59 minutes 45 seconds'"

/* The leg's row; `first`: nobody has told of its end before. */
static int end_leg(struct db *db, int64_t leg_id, const char *label,
	const char *provider_sid, struct ended *ret_ended)
{
	static const struct db_reader reader = {sizeof(struct ended), read_ended};

	return db_run_item(db,
		"WITH k AS MATERIALIZED (SELECT l.* FROM call_legs l"
		"  JOIN agent_sessions a ON a.id = l.agent_session_id AND a.endpoint <> 'sip'"
		"  WHERE l.kind = 'agent' AND CASE WHEN $1::bigint IS NULL THEN l.label = $2 ELSE l.id = $1 END"
		"  AND ($3::text IS NULL OR l.provider_sid IS NULL OR l.provider_sid = $3)"
		"  FOR UPDATE OF l),"
		" u AS (UPDATE call_legs l SET left_at = now(),"
		"  provider_sid = COALESCE(l.provider_sid, $3) FROM k"
		"  WHERE l.id = k.id AND k.left_at IS NULL)"
		" SELECT s.id, s.leg_id = k.id, k.joined_at IS NOT NULL, k.left_at IS NULL,"
		"  COALESCE(s.renew_leg = k.id OR " AT_TWILIOS_LIMIT ", false),"
		"  k.conference FROM k JOIN agent_sessions s ON s.id = k.agent_session_id",
		ARGS(arg_id(leg_id), arg_text(label), arg_text(provider_sid)), &reader,
		ret_ended);
}

/* Nothing is up any more. `reason`: a nailed agent is not to be rung again by itself. */
static int leg_down(struct db *db, int64_t session_id, const char *reason)
{
	return db_run(db,
		"UPDATE agent_sessions s SET twilio_up = false, phone_up = false,"
		" wants_ready = s.wants_ready AND NOT (s.nailed AND $2::text IS NOT NULL),"
		" pause_reason = CASE WHEN NOT s.nailed THEN s.pause_reason"
		"  WHEN $2 IS NOT NULL THEN $2 WHEN s.state = 'ready' THEN 'waiting for the phone'"
		"  ELSE s.pause_reason END," REST_AFTER(
			"session_reachable(s.nailed, false, false)",
			"s.wants_ready") " WHERE s.id = $1 AND s.ended_at IS NULL",
		ARGS(arg_int(session_id), arg_text(reason)), NULL);
}

static const char *why_down(const struct ended *e, enum db_leg_end how)
{
	if (how == DB_LEG_UNSENT)
		return NULL;
	if (how == DB_LEG_REFUSED)
		return DB_REASON_REFUSED;
	if (!e->joined)
		return DB_REASON_UNANSWERED;
	return how == DB_LEG_HUNG_UP ? DB_REASON_HUNG_UP : NULL;
}

static enum db_leg_after what_follows(const struct ended *e, enum db_leg_end how,
	const struct db_agent_session *session)
{
	bool red_button = e->joined && how == DB_LEG_HUNG_UP;

	if (!e->newest || strcmp(session->state, "offline") == 0)
		return DB_LEG_AFTER_NOTHING;
	if (session->call_id == 0)
		return red_button && e->first && session->nailed &&
				       strcmp(session->state, "wrap_up") != 0
			       ? DB_LEG_AFTER_SIGN_OUT
			       : DB_LEG_AFTER_NOTHING;
	/* A leg of an earlier call says nothing of this one. */
	if (strcmp(e->conference, session->call_conference) != 0)
		return DB_LEG_AFTER_NOTHING;
	if (strcmp(session->call_state, "claimed") == 0)
		return how == DB_LEG_UNSENT ? DB_LEG_AFTER_UNSENT : DB_LEG_AFTER_MISSING;
	if (how == DB_LEG_UNSENT || how == DB_LEG_REFUSED)
		return DB_LEG_AFTER_AWAY;
	return red_button ? DB_LEG_AFTER_HANGUP : DB_LEG_AFTER_NOTHING;
}

int db_agent_leg_ended(struct db *db, int64_t leg_id, const char *label,
	const char *provider_sid, enum db_leg_end how, enum db_leg_after *ret_after,
	struct db_agent_session *ret_session)
{
	struct ended e;
	int rc = db_begin(db);

	if (rc == 0)
		rc = end_leg(db, leg_id, label, provider_sid, &e);
	if (rc == 0 && e.not_agent && how == DB_LEG_HUNG_UP)
		how = DB_LEG_LOST;
	if (rc == 0 && e.newest && e.first)
		rc = leg_down(db, e.session_id, why_down(&e, how));
	if (rc == 0)
		rc = db_agent_session_get(db, e.session_id, ret_session);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_after = what_follows(&e, how, ret_session);
	return rc;
}
