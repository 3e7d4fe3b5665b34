/* calls.c: events that move calls, deadlines that ask after them, and reading them. */
#include "db/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"
#include "db/nodes.h"
#include "db/sessions.h"

/* ---- events ---- */

enum {
	EV_CALL,
	EV_SOURCE,
	EV_SID,
	EV_SEQUENCE,
	EV_EVENT,
	EV_AT,
	EV_LEG,
	EV_DURATION,
	EV_CODE,
	EV_DETAIL,
	EV_ROUND,
	EV_COLUMNS
};

static void int_or_null(struct buf *array, int64_t value, bool known)
{
	if (known)
		array_int(array, value);
	else
		array_null(array);
}

/* What apply_call_events() takes as one event, told twice. */
static bool is_told(const struct db_call_event *a, const struct db_call_event *b)
{
	return strcmp(a->source, b->source) == 0 &&
	       strcmp(a->source_sid, b->source_sid) == 0 && a->sequence == b->sequence &&
	       (a->sequence >= 0 || strcmp(a->event, b->event) == 0);
}

/* The how-manieth of its call event `at` is, from 1; 0 when it was told before it. */
static int round_of(const struct db_call_event *events, size_t at)
{
	int round = 1;

	for (size_t i = 0; i < at; i++) {
		if (events[i].call_id != events[at].call_id)
			continue;
		if (is_told(&events[i], &events[at]))
			return 0;
		round++;
	}
	return round;
}

static void add_event(struct buf *columns, const struct db_call_event *e, int round)
{
	array_int(&columns[EV_CALL], e->call_id);
	array_text(&columns[EV_SOURCE], e->source);
	array_text(&columns[EV_SID], e->source_sid);
	int_or_null(&columns[EV_SEQUENCE], e->sequence, e->sequence >= 0);
	array_text(&columns[EV_EVENT], e->event);
	array_int(&columns[EV_AT], e->at_ms);
	array_text(&columns[EV_LEG], e->leg_sid ? e->leg_sid : "");
	int_or_null(&columns[EV_DURATION], e->duration_s, e->duration_s >= 0);
	int_or_null(&columns[EV_CODE], e->code, e->code != 0);
	array_text(&columns[EV_DETAIL], e->detail);
	array_int(&columns[EV_ROUND], round);
}

static void read_change(struct db_row *row, void *item)
{
	struct db_call_change *c = item;

	c->call_id = row_int(row);
	row_text(row, c->old_state, sizeof(c->old_state));
	row_text(row, c->state, sizeof(c->state));
	row_text(row, c->outcome, sizeof(c->outcome));
	row_text(row, c->action, sizeof(c->action));
	row_text(row, c->leg_sid, sizeof(c->leg_sid));
	c->campaign_id = row_int(row);
	c->entry_id = row_int(row);
	row_text(row, c->entry_state, sizeof(c->entry_state));
	c->contact_id = row_int(row);
	c->session_id = row_int(row);
	row_text(row, c->session_state, sizeof(c->session_state));
	c->agent_id = row_int(row);
	row_text(row, c->number, sizeof(c->number));
	c->controls_due = row_bool(row);
}

int db_call_events_apply(struct db *db, const struct db_call_event *events, size_t count,
	struct db_call_change **ret_changes, size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_call_change), read_change};
	struct buf columns[EV_COLUMNS] = {{0}};
	struct db_arg args[EV_COLUMNS];
	void *changes = NULL;
	size_t changed = 0;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		int round = round_of(events, i);

		if (round > 0)
			add_event(columns, &events[i], round);
	}
	for (int i = 0; i < EV_COLUMNS && rc == 0; i++) {
		rc = array_end(&columns[i]);
		args[i] = arg_text(columns[i].data);
	}
	if (rc == 0)
		rc = db_run_rows(db,
			"SELECT call_id, old_state, state, outcome, action, leg_sid, campaign_id,"
			" entry_id, entry_state, contact_id, agent_session_id, session_state,"
			" agent_id, number, controls_due"
			" FROM apply_call_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			args, EV_COLUMNS, &reader, &changes, &changed);
	for (int i = 0; i < EV_COLUMNS; i++)
		buf_free(&columns[i]);
	if (rc == 0) {
		*ret_changes = changes;
		*ret_count = changed;
	}
	return rc;
}

int db_calls_by_label(
	struct db *db, const char *const *labels, size_t count, int64_t *ret_call_ids)
{
	PGresult *result = NULL;
	struct buf array = {0};
	int rc;

	for (size_t i = 0; i < count; i++)
		array_text(&array, labels[i]);
	rc = array_end(&array);
	if (rc == 0)
		rc = db_run(db,
			"SELECT (SELECT l.call_id FROM call_legs l WHERE l.label = t.label"
			" AND l.kind = 'customer')"
			" FROM unnest($1::text[]) WITH ORDINALITY AS t(label, ord) ORDER BY t.ord",
			ARGS(arg_text(array.data)), &result);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct db_row row = db_row(result, (int)i);

		ret_call_ids[i] = row_int(&row);
	}
	PQclear(result);
	buf_free(&array);
	return rc;
}

int db_call_by_sid(struct db *db, const char *sid, int64_t *ret_call_id)
{
	return db_run_number(db,
		"SELECT call_id FROM call_legs WHERE provider_sid = $1 AND kind = 'customer'",
		ARGS(arg_text(sid)), ret_call_id);
}

int db_call_action_done(struct db *db, int64_t call_id)
{
	return db_run_one(db,
		"UPDATE calls SET action_done_at = now()"
		" WHERE id = $1 AND action IS NOT NULL AND action_done_at IS NULL",
		ARGS(arg_int(call_id)), NULL);
}

/* ---- deadlines ---- */

static void read_due(struct db_row *row, void *item)
{
	struct db_due *d = item;

	d->call_id = row_int(row);
	d->session_id = row_int(row);
	row_text(row, d->state, sizeof(d->state));
	row_text(row, d->action, sizeof(d->action));
	row_text(row, d->leg_sid, sizeof(d->leg_sid));
	row_text(row, d->number, sizeof(d->number));
	row_text(row, d->caller_id, sizeof(d->caller_id));
	row_text(row, d->conference, sizeof(d->conference));
	d->placed_ms = row_int(row);
	d->mine = row_bool(row);
}

/* A call of another node is left to it for a minute, unless it is dead, then taken over. */
#define DUE_OF(column)                                                     \
	column " <= now() AND (node_id = $1::uuid OR " column              \
	       " <= now() - interval '60 seconds' OR EXISTS (SELECT 1"     \
	       "  FROM nodes n WHERE n.id = node_id AND n.seen_at < now()" \
	       "  - $4::int * interval '1 millisecond'))"

int db_call_due(struct db *db, const char *node, unsigned again_ms, unsigned limit,
	struct db_due **ret_due, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_due), read_due};

	return db_run_rows(db,
		"WITH late AS ("
		"  SELECT id FROM calls JOIN open_calls o ON o.call_id = id WHERE " DUE_OF(
			"deadline_at") "  UNION SELECT id FROM calls WHERE action IS NOT NULL"
				       "   AND action_done_at IS NULL AND " DUE_OF(
					       "action_due_at") " LIMIT $3),"
								" due AS (SELECT c.id, c.action IS NOT NULL AND c.action_done_at IS NULL"
								"   AND c.action_due_at <= now() AS acts,"
								"   c.state <> 'ended' AND c.deadline_at <= now() AS asks"
								"  FROM calls c JOIN late USING (id) ORDER BY c.id FOR UPDATE OF c SKIP LOCKED)"
								" UPDATE calls c SET"
								"  deadline_at = CASE WHEN due.asks THEN now() + $2::int * interval '1 millisecond'"
								"   ELSE c.deadline_at END,"
								"  action_due_at = CASE WHEN due.acts"
								"   THEN now() + $2::int * interval '1 millisecond' ELSE c.action_due_at END"
								" FROM due LEFT JOIN call_legs l ON l.call_id = due.id AND l.kind = 'customer'"
								" WHERE c.id = due.id AND (due.asks OR due.acts)"
								" RETURNING c.id, c.agent_session_id, c.state, CASE WHEN due.acts THEN c.action END,"
								" l.provider_sid, c.number, c.caller_id, c.conference, " MS(
									"c.placed_at") ","
										       " c.node_id = $1::uuid",
		ARGS(arg_text(node), arg_int(again_ms), arg_int(limit),
			arg_int(DB_NODE_DEAD_MS)),
		&reader, (void **)ret_due, ret_count);
}

static void read_id(struct db_row *row, void *item)
{
	*(int64_t *)item = row_int(row);
}

int db_call_placing(struct db *db, const char *node, int64_t **ret_ids, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(int64_t), read_id};

	return db_run_rows(db,
		"SELECT c.id FROM open_calls o JOIN calls c ON c.id = o.call_id"
		" WHERE c.state = 'placing' AND c.node_id = $1::uuid ORDER BY c.id",
		ARGS(arg_text(node)), &reader, (void **)ret_ids, ret_count);
}

int db_call_dialled(struct db *db, int64_t call_id, bool *ret_dialled)
{
	int64_t heard = 0;
	int rc = db_run_number(db,
		"SELECT count(*) FROM call_events WHERE call_id = $1 AND event = 'initiated'",
		ARGS(arg_int(call_id)), &heard);

	*ret_dialled = heard > 0;
	return rc;
}

int db_call_expire_deadlines(struct db *db, const char *node)
{
	return db_run(db,
		"UPDATE calls c SET deadline_at = now() FROM open_calls o"
		" WHERE c.id = o.call_id AND c.state <> 'claimed' AND c.node_id = $1::uuid",
		ARGS(arg_text(node)), NULL);
}

/* ---- the sweep ---- */

/*
 * Sessions whose hold is over, or whose call is; another node's after a minute. Those of people
 * who were deactivated end with their call.
 */
static int sweep_sessions(
	struct db *db, const char *node, int64_t **ret_ids, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(int64_t), read_id};

	return db_run_rows(db,
		"WITH free AS (SELECT s.id, NOT u.active AS gone FROM agent_sessions s"
		"  JOIN users u ON u.id = s.user_id"
		"  LEFT JOIN open_calls o ON o.call_id = s.call_id"
		"  WHERE s.ended_at IS NULL AND o.call_id IS NULL AND (NOT u.active OR"
		"   (s.hold_until <= now() - CASE WHEN s.node_id = $1::uuid THEN interval '0'"
		"     ELSE interval '60 seconds' END"
		"    OR s.state = 'on_call' AND s.hold_until IS NULL)"
		"   AND s.state IN ('reserved', 'on_call', 'wrap_up'))"
		"  ORDER BY s.id FOR UPDATE OF s SKIP LOCKED)"
		" UPDATE agent_sessions s SET"
		"  state = CASE WHEN gone THEN 'offline' ELSE session_rest_state(s) END,"
		"  pause_reason = CASE WHEN gone THEN 'deactivated' ELSE session_rest_reason(s) END,"
		"  ended_at = CASE WHEN gone THEN now() END,"
		"  phone_up = phone_up AND NOT gone, twilio_up = twilio_up AND NOT gone,"
		"  state_since = now(), call_id = NULL, hold_until = NULL"
		" FROM free WHERE s.id = free.id RETURNING s.id",
		ARGS(arg_text(node)), &reader, (void **)ret_ids, ret_count);
}

/*
 * Ended calls that still hold an entry or a contact; the transaction that ended them let go. What
 * somebody else has just now, such as a long upload, is left to the next sweep.
 */
static const char release_sql[] =
	"WITH contact AS MATERIALIZED (SELECT c.id FROM contacts x"
	"  JOIN calls c ON c.id = x.locked_by"
	"  WHERE x.locked_by IS NOT NULL AND c.state = 'ended' ORDER BY x.id"
	"  FOR NO KEY UPDATE OF x SKIP LOCKED),"
	" entry AS MATERIALIZED (SELECT c.id FROM queue_entries q"
	"  JOIN calls c ON c.entry_id = q.id AND c.attempt = q.dials"
	"  WHERE q.state = 'dialing' AND c.state = 'ended' ORDER BY q.id"
	"  FOR UPDATE OF q SKIP LOCKED)"
	" SELECT release_ended_calls(array_agg(c.id))"
	" FROM (SELECT id FROM contact UNION SELECT id FROM entry) c";

/* Machines that were heard late, while their contact or entry was held. */
static const char machines_sql[] =
	"SELECT settle_machines(array_agg(m.call_id)) FROM (SELECT call_id"
	"  FROM late_machines ORDER BY call_id FOR UPDATE SKIP LOCKED) m"
	" HAVING count(*) > 0";

/* Locks of calls that do not exist any more. */
static const char unlock_sql[] =
	"WITH free AS MATERIALIZED (SELECT x.id FROM contacts x WHERE x.locked_by IS NOT NULL"
	"  AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.id = x.locked_by)"
	"  ORDER BY x.id FOR NO KEY UPDATE OF x SKIP LOCKED)"
	" UPDATE contacts x SET locked_by = NULL FROM free WHERE x.id = free.id";

int db_sweep(struct db *db, const char *node, struct db_agent_session **ret_sessions,
	size_t *ret_count)
{
	struct db_agent_session *sessions = NULL;
	int64_t *ids = NULL;
	size_t count = 0;
	int rc;

	rc = db_run(db, machines_sql, NO_ARGS, NULL);
	if (rc == 0)
		rc = db_run(db, release_sql, NO_ARGS, NULL);
	if (rc == 0)
		rc = db_run(db, unlock_sql, NO_ARGS, NULL);
	if (rc == 0)
		rc = db_run(db, "SELECT fold_queue_counts()", NO_ARGS, NULL);
	if (rc == 0)
		rc = sweep_sessions(db, node, &ids, &count);
	if (rc == 0 && count > 0) {
		sessions = calloc(count, sizeof(*sessions));
		if (!sessions)
			rc = -ENOMEM;
	}
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = db_agent_session_get(db, ids[i], &sessions[i]);
	free(ids);
	if (rc < 0) {
		free(sessions);
		return rc;
	}
	*ret_sessions = sessions;
	*ret_count = count;
	return 0;
}

/* ---- reading ---- */

int db_sids_known(struct db *db, const char *const *sids, size_t count, bool *ret_known)
{
	PGresult *result = NULL;
	struct buf array = {0};
	int rc;

	for (size_t i = 0; i < count; i++)
		array_text(&array, sids[i]);
	rc = array_end(&array);
	if (rc == 0)
		rc = db_run(db,
			"SELECT EXISTS (SELECT 1 FROM call_legs l WHERE l.provider_sid = t.sid)"
			" FROM unnest($1::text[]) WITH ORDINALITY AS t(sid, ord) ORDER BY t.ord",
			ARGS(arg_text(array.data)), &result);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct db_row row = db_row(result, (int)i);

		ret_known[i] = row_bool(&row);
	}
	PQclear(result);
	buf_free(&array);
	return rc;
}

static void read_event(struct db_row *row, void *item)
{
	struct db_call_event_row *e = item;

	row_text(row, e->source, sizeof(e->source));
	row_text(row, e->event, sizeof(e->event));
	e->sequence = row_int_or(row, -1);
	e->at_ms = row_int(row);
	row_text(row, e->detail, sizeof(e->detail));
}

int db_call_history(struct db *db, int64_t call_id, struct db_call_event_row **ret_rows,
	size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_call_event_row), read_event};

	return db_run_rows(db,
		"SELECT source, event, sequence, " MS(
			"at") ", detail FROM call_events"
			      " WHERE call_id = $1 ORDER BY at, id",
		ARGS(arg_int(call_id)), &reader, (void **)ret_rows, ret_count);
}

int db_call_events_forget(struct db *db, int days, int max, int64_t *ret_calls)
{
	return db_run_number(db, "SELECT forget_call_events($1, $2)",
		ARGS(arg_int(days), arg_int(max)), ret_calls);
}
