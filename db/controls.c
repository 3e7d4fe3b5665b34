/* controls.c: see controls.h. */
#include "db/controls.h"

#include <errno.h>
#include <stdlib.h>

#include "db/exec.h"

/* The conference's SID is known from its own events about the call. */
#define COLUMNS(is_there)                                                             \
	"t.leg_id, t.call_id, l.kind, l.provider_sid, (SELECT e.source_sid"           \
	" FROM call_events e WHERE e.call_id = t.call_id AND e.source = 'conference'" \
	" AND e.source_sid LIKE 'CF%' ORDER BY e.id DESC LIMIT 1),"                   \
	" t.hold, t.muted, t.is_hold AND " is_there ", t.is_muted AND " is_there

static void read_control(struct db_row *row, void *item)
{
	struct db_control *c = item;

	c->leg_id = row_int(row);
	c->call_id = row_int(row);
	row_text(row, c->kind, sizeof(c->kind));
	row_text(row, c->leg_sid, sizeof(c->leg_sid));
	row_text(row, c->conference_sid, sizeof(c->conference_sid));
	c->hold = row_bool(row);
	c->muted = row_bool(row);
	c->is_hold = row_bool(row);
	c->is_muted = row_bool(row);
}

static const struct db_reader control_reader = {sizeof(struct db_control), read_control};

static struct db_arg maybe(int wish)
{
	return wish < 0 ? arg_text(NULL) : arg_bool(wish != 0);
}

/* The leg that is meant; -EBUSY when it is not there. */
static int find_leg(
	struct db *db, const struct db_control_wish *wish, int64_t *ret_leg_id)
{
	static const char customer_sql[] =
		"SELECT l.id FROM calls c JOIN call_legs l ON l.call_id = c.id"
		" WHERE c.id = $1 AND c.state = 'bridged' AND l.provider_sid IS NOT NULL"
		" FOR UPDATE OF c";
	static const char agent_sql[] =
		"SELECT l.id FROM calls c JOIN call_legs l"
		"  ON l.agent_session_id = c.agent_session_id AND l.conference = c.conference"
		" WHERE c.id = $1 AND c.state = 'bridged' AND l.provider_sid IS NOT NULL"
		" AND l.joined_at IS NOT NULL AND l.left_at IS NULL"
		" ORDER BY l.id DESC LIMIT 1 FOR UPDATE OF c";
	int rc = db_run_one(db, "SELECT 1 FROM calls WHERE id = $1",
		ARGS(arg_int(wish->call_id)), NULL);

	if (rc < 0)
		return rc;
	rc = db_run_number(db, wish->agent ? agent_sql : customer_sql,
		ARGS(arg_int(wish->call_id)), ret_leg_id);
	return rc == -ENOENT ? -EBUSY : rc;
}

static int write_wish(struct db *db, const struct db_control_wish *wish, int64_t leg_id)
{
	const char *event = wish->hold >= 0 ? wish->hold ? "hold" : "unhold"
					    : (wish->muted ? "mute" : "unmute");
	int rc;

	rc = db_run(db,
		"INSERT INTO leg_controls AS t (leg_id, call_id, hold, muted, changes, due_at)"
		" VALUES ($1, $2, COALESCE($3::boolean, false), COALESCE($4::boolean, false),"
		"  1, now() + interval '5 seconds')"
		" ON CONFLICT (leg_id) DO UPDATE SET call_id = EXCLUDED.call_id,"
		" hold = COALESCE($3::boolean, t.hold), muted = COALESCE($4::boolean, t.muted),"
		" changes = t.changes + 1, due_at = EXCLUDED.due_at",
		ARGS(arg_int(leg_id), arg_int(wish->call_id), maybe(wish->hold),
			maybe(wish->muted)),
		NULL);
	if (rc == 0)
		rc = db_run(db,
			"INSERT INTO call_events (call_id, source, source_sid, sequence, event,"
			" at, detail) SELECT $2, 'gateway', 'leg ' || t.leg_id, t.changes, $3,"
			" now(), $4 FROM leg_controls t WHERE t.leg_id = $1"
			" ON CONFLICT DO NOTHING",
			ARGS(arg_int(leg_id), arg_int(wish->call_id), arg_text(event),
				arg_text(wish->agent ? "agent" : "customer")),
			NULL);
	return rc;
}

static int read_one(struct db *db, int64_t leg_id, struct db_control *ret_control)
{
	return db_run_item(db,
		"SELECT " COLUMNS(
			"true") " FROM leg_controls t JOIN call_legs l ON l.id = t.leg_id"
				" WHERE t.leg_id = $1",
		ARGS(arg_int(leg_id)), &control_reader, ret_control);
}

int db_control_wish(
	struct db *db, const struct db_control_wish *wish, struct db_control *ret_control)
{
	struct db_control control;
	int64_t leg_id = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = find_leg(db, wish, &leg_id);
	if (rc == 0)
		rc = write_wish(db, wish, leg_id);
	if (rc == 0)
		rc = read_one(db, leg_id, &control);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_control = control;
	return rc;
}

/* What is wished of a leg that has left waits for the one that comes in its place. */
int db_control_due(
	struct db *db, unsigned limit, struct db_control **ret_rows, size_t *ret_count)
{
	return db_run_rows(db,
		"WITH due AS (UPDATE leg_controls t SET due_at = CASE WHEN l.left_at IS NULL"
		"   THEN now() + interval '5 seconds' END"
		"  FROM call_legs l WHERE l.id = t.leg_id AND t.leg_id IN ("
		"   SELECT d.leg_id FROM leg_controls d WHERE d.due_at <= now()"
		"   ORDER BY d.due_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
		"  RETURNING t.*)"
		" SELECT " COLUMNS(
			"true") " FROM due t JOIN call_legs l ON l.id = t.leg_id"
				" WHERE t.due_at IS NOT NULL",
		ARGS(arg_int(limit)), &control_reader, (void **)ret_rows, ret_count);
}

int db_control_confirm(struct db *db, int64_t leg_id, bool hold, bool muted,
	struct db_control *ret_control)
{
	int rc = db_run_one(db,
		"UPDATE leg_controls SET is_hold = $2, is_muted = $3,"
		" due_at = CASE WHEN hold <> $2 OR muted <> $3 THEN now() END"
		" WHERE leg_id = $1",
		ARGS(arg_int(leg_id), arg_bool(hold), arg_bool(muted)), NULL);

	return rc < 0 ? rc : read_one(db, leg_id, ret_control);
}

int db_control_give_up(struct db *db, int64_t leg_id, struct db_control *ret_control)
{
	int rc = db_run_one(db,
		"UPDATE leg_controls SET hold = is_hold, muted = is_muted, due_at = NULL"
		" WHERE leg_id = $1",
		ARGS(arg_int(leg_id)), NULL);

	return rc < 0 ? rc : read_one(db, leg_id, ret_control);
}

/* Of the agent's legs the last that was asked for something: the others have handed it on. */
#define IS_LAST                                                          \
	"(l.kind <> 'agent' OR NOT EXISTS (SELECT 1 FROM leg_controls o" \
	"  JOIN call_legs m ON m.id = o.leg_id AND m.kind = 'agent'"     \
	"  WHERE o.call_id = t.call_id AND o.leg_id > t.leg_id))"
/* Whoever has left, or is about to be replaced, is heard on the leg that comes. */
#define IS_THERE                                                       \
	"(l.kind <> 'agent' OR l.left_at IS NULL AND EXISTS (SELECT 1" \
	"  FROM agent_sessions a WHERE a.id = l.agent_session_id"      \
	"  AND a.leg_id = l.id))"

int db_control_of_call(
	struct db *db, int64_t call_id, struct db_control **ret_rows, size_t *ret_count)
{
	return db_run_rows(db,
		"SELECT " COLUMNS(IS_THERE) " FROM leg_controls t"
					    " JOIN call_legs l ON l.id = t.leg_id"
					    " WHERE t.call_id = $1 AND " IS_LAST
					    " ORDER BY t.leg_id",
		ARGS(arg_int(call_id)), &control_reader, (void **)ret_rows, ret_count);
}
