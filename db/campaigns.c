/* campaigns.c: campaigns, their agents, and who runs them. See campaigns.h. */
#include "db/campaigns.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

/* What Twilio stopped is why nothing is dialled, whatever else the runner waits for just now. */
#define STOP                                                                         \
	" LEFT JOIN LATERAL (SELECT t.reason FROM twilio_stops t"                    \
	"  WHERE t.ended_at IS NULL AND c.state = 'active' AND c.auto_dial"          \
	"   AND c.run_code IN ('dialling', 'no_agent', 'gap', 'rate')"               \
	"   AND (t.scope = 'account' OR t.scope = 'caller' AND t.key = c.caller_id)" \
	"  ORDER BY t.scope LIMIT 1) h ON true"
#define RUN_NEXT MS("CASE WHEN h.reason IS NULL THEN c.run_next_at END")
#define CAMPAIGN_SELECT                                                                                             \
	"SELECT c.id, c.state, c.auto_dial, " MS("c.created_at") ", " MS("c.updated_at") ", " MS(                   \
		"c.archived_at") ", CASE WHEN h.reason IS NULL THEN c.run_code ELSE 'twilio' END,"                  \
				 " COALESCE(h.reason, c.run_reason), " RUN_NEXT                                     \
				 ", q.pending, q.dialing, q.completed,"                                             \
				 " q.skipped, q.agents, c.name, c.description, c.dial_method, c.caller_id,"         \
				 " c.priority, c.weight, c.batch_size, c.call_gap_ms, c.batch_gap_ms,"              \
				 " c.ring_timeout_s, c.wrap_up_s, c.preview_s, c.max_attempts, c.max_attempts_24h," \
				 " c.retry_after_s, c.retry_max, c.hours, c.hours_zone, c.time_zone,"               \
				 " c.fallback_zone, c.record, c.announcement_text, c.announcement_url, c.script,"   \
				 " c.max_calls_day, c.max_minutes_day, c.max_cost_day, c.max_cost,"                 \
				 " c.cost_per_minute, c.recording_days, c.amd FROM campaigns c" STOP
#define COUNTS                                                                           \
	" CROSS JOIN LATERAL ("                                                          \
	"SELECT t.*,"                                                                    \
	" (SELECT count(*) FROM campaign_agents a WHERE a.campaign_id = c.id) AS agents" \
	" FROM queue_totals(c.id) t) q"
#define NO_COUNTS                              \
	" CROSS JOIN (VALUES (0, 0, 0, 0, 0))" \
	" AS q(pending, dialing, completed, skipped, agents)"

static void read_settings(struct db_row *row, struct db_campaign *c)
{
	row_text(row, c->name, sizeof(c->name));
	row_text(row, c->description, sizeof(c->description));
	row_text(row, c->dial_method, sizeof(c->dial_method));
	row_text(row, c->caller_id, sizeof(c->caller_id));
	c->priority = (int)row_int(row);
	c->weight = (int)row_int(row);
	c->batch_size = (int)row_int(row);
	c->call_gap_ms = (int)row_int(row);
	c->batch_gap_ms = (int)row_int(row);
	c->ring_timeout_s = (int)row_int(row);
	c->wrap_up_s = (int)row_int(row);
	c->preview_s = (int)row_int(row);
	c->max_attempts = (int)row_int(row);
	c->max_attempts_24h = (int)row_int(row);
	(void)row_ints(row, c->retry_after_s, DB_RETRY_KINDS);
	(void)row_ints(row, c->retry_max, DB_RETRY_KINDS);
	row_text(row, c->hours, sizeof(c->hours));
	row_text(row, c->hours_zone, sizeof(c->hours_zone));
	row_text(row, c->time_zone, sizeof(c->time_zone));
	row_text(row, c->fallback_zone, sizeof(c->fallback_zone));
	c->record = row_bool(row);
	row_text(row, c->announcement_text, sizeof(c->announcement_text));
	row_text(row, c->announcement_url, sizeof(c->announcement_url));
	row_text(row, c->script, sizeof(c->script));
	c->limits.calls_day = (int)row_int(row);
	c->limits.minutes_day = (int)row_int(row);
	c->limits.cost_day = row_real(row);
	c->limits.cost = row_real(row);
	c->limits.cost_per_minute = row_real(row);
	c->recording_days = (int)row_int(row);
	row_text(row, c->amd, sizeof(c->amd));
}

static void read_campaign(struct db_row *row, void *item)
{
	struct db_campaign *c = item;

	c->id = row_int(row);
	row_text(row, c->state, sizeof(c->state));
	c->auto_dial = row_bool(row);
	c->created_ms = row_int(row);
	c->updated_ms = row_int(row);
	c->archived_ms = row_int(row);
	row_text(row, c->run_code, sizeof(c->run_code));
	row_text(row, c->run_reason, sizeof(c->run_reason));
	c->run_next_ms = row_int(row);
	c->pending = row_int(row);
	c->dialing = row_int(row);
	c->completed = row_int(row);
	c->skipped = row_int(row);
	c->agents = row_int(row);
	read_settings(row, c);
}

static const struct db_reader campaign_reader = {
	sizeof(struct db_campaign), read_campaign};

/* What people set, in the order of read_settings(). */
#define SETTINGS                                                                          \
	"name, description, dial_method, caller_id, priority, weight, batch_size,"        \
	" call_gap_ms, batch_gap_ms, ring_timeout_s, wrap_up_s, preview_s, max_attempts," \
	" max_attempts_24h, retry_after_s, retry_max, hours, hours_zone, time_zone,"      \
	" fallback_zone, record, announcement_text, announcement_url, script,"            \
	" max_calls_day, max_minutes_day, max_cost_day, max_cost, cost_per_minute,"       \
	" recording_days, amd"
#define VALUES                                                                        \
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17," \
	" $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31"
#define SETTINGS_COUNT 31

static const char create_sql[] =
	"INSERT INTO campaigns (" SETTINGS ") VALUES (" VALUES ") RETURNING id";
static const char update_sql[] =
	"UPDATE campaigns SET (" SETTINGS ", updated_at) = (" VALUES ", now())"
	" WHERE id = $32 AND archived_at IS NULL RETURNING id";

static int write_settings(
	struct db *db, const struct db_campaign *c, int64_t id, int64_t *ret_id)
{
	struct buf after = {0}, max = {0};
	int rc;

	for (size_t i = 0; i < DB_RETRY_KINDS; i++) {
		array_int(&after, c->retry_after_s[i]);
		array_int(&max, c->retry_max[i]);
	}
	rc = array_end(&after);
	if (rc == 0)
		rc = array_end(&max);
	if (rc == 0) {
		const struct db_arg args[] = {arg_text(c->name), arg_text(c->description),
			arg_text(c->dial_method), arg_text(c->caller_id),
			arg_int(c->priority), arg_int(c->weight), arg_int(c->batch_size),
			arg_int(c->call_gap_ms), arg_int(c->batch_gap_ms),
			arg_int(c->ring_timeout_s), arg_int(c->wrap_up_s),
			arg_int(c->preview_s), arg_int(c->max_attempts),
			arg_int(c->max_attempts_24h), arg_text(after.data),
			arg_text(max.data), arg_text(c->hours), arg_text(c->hours_zone),
			arg_text(c->time_zone), arg_text(c->fallback_zone),
			arg_bool(c->record), arg_text(c->announcement_text),
			arg_text(c->announcement_url), arg_text(c->script),
			arg_int(c->limits.calls_day), arg_int(c->limits.minutes_day),
			arg_real(c->limits.cost_day), arg_real(c->limits.cost),
			arg_real(c->limits.cost_per_minute), arg_int(c->recording_days),
			arg_text(c->amd), arg_int(id)};

		rc = db_run_number(db, id ? update_sql : create_sql, args,
			SETTINGS_COUNT + (id != 0), ret_id);
	}
	buf_free(&after);
	buf_free(&max);
	return rc;
}

int db_campaign_create(struct db *db, const struct db_campaign *c, int64_t *ret_id)
{
	return write_settings(db, c, 0, ret_id);
}

int db_campaign_get(struct db *db, int64_t id, struct db_campaign *ret_campaign)
{
	return db_run_item(db, CAMPAIGN_SELECT COUNTS " WHERE c.id = $1",
		ARGS(arg_int(id)), &campaign_reader, ret_campaign);
}

int db_campaign_update(struct db *db, const struct db_campaign *c)
{
	int64_t id;

	return write_settings(db, c, c->id, &id);
}

/* Claims that are under way hold the row: only what they have committed tells of their calls. */
static int archive(struct db *db, int64_t id)
{
	PGresult *result = NULL;
	struct db_row row;
	bool archived;
	int rc;

	rc = db_run_one(db,
		"SELECT archived_at IS NOT NULL FROM campaigns WHERE id = $1 FOR UPDATE",
		ARGS(arg_int(id)), &result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	archived = row_bool(&row);
	PQclear(result);
	if (archived)
		return -EALREADY;
	rc = db_run_one(db,
		"UPDATE campaigns k SET archived_at = now(), state = 'completed',"
		" auto_dial = false, updated_at = now() WHERE k.id = $1"
		" AND NOT EXISTS (SELECT 1 FROM open_calls o WHERE o.campaign_id = k.id)",
		ARGS(arg_int(id)), NULL);
	return rc == -ENOENT ? -EBUSY : rc;
}

int db_campaign_archive(struct db *db, int64_t id)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = archive(db, id);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc;
}

/* Tells "no such campaign" from "not in this state" after an UPDATE that touched nothing. */
static int explain_missing(struct db *db, int64_t id, int when_there)
{
	int rc = db_run_one(
		db, "SELECT 1 FROM campaigns WHERE id = $1", ARGS(arg_int(id)), NULL);

	return rc == 0 ? when_there : rc;
}

int db_campaign_set_state(struct db *db, int64_t id, const char *state)
{
	int rc;

	/* Whatever stops a campaign also stops its auto-dial. */
	rc = db_run_one(db,
		"UPDATE campaigns SET state = $2, auto_dial = auto_dial AND $2 = 'active',"
		" updated_at = now()"
		" WHERE id = $1 AND $2 = ANY (CASE state"
		"  WHEN 'draft' THEN '{active,completed}'::text[]"
		"  WHEN 'completed' THEN '{}'::text[]"
		"  ELSE '{active,paused,completed}'::text[] END)",
		ARGS(arg_int(id), arg_text(state)), NULL);
	return rc == -ENOENT ? explain_missing(db, id, -EINVAL) : rc;
}

int db_campaign_list(struct db *db, int64_t agent_id, struct db_campaign **ret_campaigns,
	size_t *ret_count)
{
	return db_run_rows(db,
		CAMPAIGN_SELECT COUNTS
		" WHERE c.archived_at IS NULL AND ($1::bigint IS NULL"
		"  OR EXISTS (SELECT 1 FROM campaign_agents a"
		"   WHERE a.campaign_id = c.id AND a.user_id = $1)"
		"  OR EXISTS (SELECT 1 FROM agent_sessions s WHERE s.campaign_id = c.id"
		"   AND s.user_id = $1 AND s.ended_at IS NULL)) ORDER BY c.id",
		ARGS(arg_id(agent_id)), &campaign_reader, (void **)ret_campaigns,
		ret_count);
}

int db_campaign_join(struct db *db, int64_t campaign_id, int64_t user_id)
{
	int rc;

	rc = db_run_one(db,
		"INSERT INTO campaign_agents (campaign_id, user_id)"
		" SELECT c.id, u.id FROM campaigns c, users u"
		" WHERE c.id = $1 AND c.archived_at IS NULL AND u.id = $2 AND u.role = 'agent'"
		" ON CONFLICT (campaign_id, user_id) DO UPDATE SET user_id = EXCLUDED.user_id",
		ARGS(arg_int(campaign_id), arg_int(user_id)), NULL);
	return rc;
}

int db_campaign_leave(struct db *db, int64_t campaign_id, int64_t user_id)
{
	return db_run(db,
		"DELETE FROM campaign_agents WHERE campaign_id = $1 AND user_id = $2",
		ARGS(arg_int(campaign_id), arg_int(user_id)), NULL);
}

int db_campaign_auto_dial(struct db *db, int64_t id, bool wanted)
{
	PGresult *result = NULL;
	struct db_row row;
	bool completed;
	int rc;

	rc = db_run_one(db,
		"UPDATE campaigns SET auto_dial = $2,"
		" state = CASE WHEN $2 THEN 'active' ELSE state END, updated_at = now(),"
		" run_code = CASE WHEN $2 THEN '' ELSE run_code END,"
		" run_reason = CASE WHEN $2 THEN '' ELSE run_reason END,"
		" run_next_at = CASE WHEN $2 THEN NULL ELSE run_next_at END"
		" WHERE id = $1 AND auto_dial <> $2 AND (NOT $2 OR state <> 'completed')",
		ARGS(arg_int(id), arg_bool(wanted)), NULL);
	if (rc != -ENOENT)
		return rc;
	rc = db_run_one(db, "SELECT state = 'completed' FROM campaigns WHERE id = $1",
		ARGS(arg_int(id)), &result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	completed = row_bool(&row);
	PQclear(result);
	return completed && wanted ? -EINVAL : -EALREADY;
}

int db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count)
{
	int rc;

	rc = db_run(db,
		"UPDATE campaigns SET lease_node = $1,"
		" lease_until = now() + make_interval(secs => $2::float8 / 1000)"
		" WHERE auto_dial AND state = 'active'"
		" AND (lease_node = $1 OR lease_node IS NULL OR lease_until < now())",
		ARGS(arg_text(node), arg_int(lease_ms)), NULL);
	if (rc < 0)
		return rc;
	return db_run_rows(db,
		CAMPAIGN_SELECT NO_COUNTS
		" WHERE c.auto_dial AND c.state = 'active' AND c.lease_node = $1"
		" ORDER BY c.id",
		ARGS(arg_text(node)), &campaign_reader, (void **)ret_campaigns,
		ret_count);
}

/* That it stopped may be written after it was started again: then it is not so any more. */
int db_campaign_note(struct db *db, const struct db_campaign_note *note)
{
	return db_run(db,
		"UPDATE campaigns SET run_code = $2, run_reason = $3, run_said = $4,"
		" run_next_at = to_timestamp($6::bigint / 1000.0::float8)"
		" WHERE id = $1 AND run_said < $4"
		" AND ($2 <> 'stopped' OR NOT auto_dial OR state <> 'active')"
		" AND (lease_node IS NULL OR lease_node = $5 OR lease_until < now())",
		ARGS(arg_int(note->id), arg_text(note->code), arg_text(note->reason),
			arg_int(note->said), arg_text(note->node), arg_id(note->next_ms)),
		NULL);
}
