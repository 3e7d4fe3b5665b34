/* queue.c: what people do with queue entries, and why entries wait. See queue.h. */
#include "db/queue.h"

#include <errno.h>

#include "db/entry_reason.h"
#include "db/exec.h"
#include "db/next_entry.h"
#include "db/voided.h"

/* Tells "no such entry" from "not in this state" after an UPDATE that touched nothing. */
static int explain(struct db *db, int64_t campaign_id, int64_t entry_id, int rc)
{
	if (rc != -ENOENT)
		return rc;
	rc = db_run_one(db,
		"SELECT 1 FROM queue_entries WHERE campaign_id = $1 AND id = $2",
		ARGS(arg_int(campaign_id), arg_int(entry_id)), NULL);
	return rc == 0 ? -EINVAL : rc;
}

int db_entry_skip(
	struct db *db, int64_t campaign_id, int64_t entry_id, const char *reason)
{
	int rc = db_run_one(db,
		"WITH touched AS (UPDATE queue_entries q SET state = 'skipped', reason = $3,"
		"  completed_at = now()," VOID_OWNER(
			"false") "  WHERE campaign_id = $1 AND id = $2 AND state = 'pending'"
				 "  RETURNING id, state)" VOID_PROMISES
				 " SELECT 1 FROM touched",
		ARGS(arg_int(campaign_id), arg_int(entry_id), arg_text(reason)), NULL);

	return explain(db, campaign_id, entry_id, rc);
}

int db_entry_requeue(struct db *db, int64_t campaign_id, int64_t entry_id)
{
	int rc = db_run_one(db,
		"UPDATE queue_entries SET state = 'pending', reason = '', run_at = now(),"
		" attempts = 0, dials_before = dials, completed_at = NULL"
		" WHERE campaign_id = $1 AND id = $2"
		" AND state IN ('skipped', 'completed')",
		ARGS(arg_int(campaign_id), arg_int(entry_id)), NULL);

	return explain(db, campaign_id, entry_id, rc);
}

int db_entry_priority(struct db *db, int64_t campaign_id, int64_t entry_id, int priority)
{
	int rc = db_run_one(db,
		"UPDATE queue_entries SET priority = $3 WHERE campaign_id = $1 AND id = $2"
		" AND state = 'pending'",
		ARGS(arg_int(campaign_id), arg_int(entry_id), arg_int(priority)), NULL);

	return explain(db, campaign_id, entry_id, rc);
}

/* What the agent has, else what is due, locked. */
static int preview_pick(
	struct db *db, const struct db_preview *preview, int64_t *ret_entry_id)
{
	int rc = db_run_number(db,
		"SELECT id FROM queue_entries WHERE campaign_id = $1 AND agent_id = $2"
		" AND state = 'pending' AND agent_until > now() AND run_at <= now()"
		" ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED",
		ARGS(arg_int(preview->campaign_id), arg_int(preview->user_id)),
		ret_entry_id);

	if (rc != -ENOENT)
		return rc;
	return db_run_number(db,
		"UPDATE queue_entries SET agent_id = $2,"
		" agent_until = now() + make_interval(secs => $3::int)"
		" WHERE id = (" NEXT_ENTRY("q.id", "") ") RETURNING id",
		ARGS(arg_int(preview->campaign_id), arg_int(preview->user_id),
			arg_int(preview->hold_s)),
		ret_entry_id);
}

/* A promise stays with whom it was made for. */
static int preview_refuse(
	struct db *db, int64_t entry_id, const struct db_claim_verdict *verdict)
{
	int rc = db_entry_refuse(db, entry_id, verdict);

	if (rc < 0)
		return rc;
	return db_run(db,
		"UPDATE queue_entries q SET agent_id = NULL, agent_until = NULL"
		" WHERE q.id = $1 AND NOT EXISTS (SELECT 1 FROM callbacks b"
		"  WHERE b.entry_id = q.id AND b.state IN ('pending', 'missed'))",
		ARGS(arg_int(entry_id)), NULL);
}

int db_entry_preview(
	struct db *db, const struct db_preview *preview, int64_t *ret_entry_id)
{
	struct db_claim_verdict verdict = {.allowed = true};
	struct db_claim_facts facts;
	int64_t entry = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = preview_pick(db, preview, &entry);
	if (rc == 0)
		rc = db_facts_read(db, preview->campaign_id, entry, &facts);
	if (rc == 0)
		verdict = preview->verdict(preview->arg, &facts);
	if (rc == 0 && !verdict.allowed && !verdict.whole)
		rc = preview_refuse(db, entry, &verdict);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_entry_id = verdict.allowed || verdict.whole ? entry : 0;
	return rc;
}

#define RECHECK_LOCK "7251664933"

static int recheck(struct db *db, int64_t *ret_campaign_id)
{
	PGresult *result = NULL;
	struct db_row row;
	int64_t seen;
	int rc = db_run_one(db,
		"SELECT id, rechecks FROM campaigns WHERE rechecked < rechecks"
		" AND pg_try_advisory_xact_lock(" RECHECK_LOCK ") ORDER BY id LIMIT 1",
		NO_ARGS, &result);

	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	*ret_campaign_id = row_int(&row);
	seen = row_int(&row);
	PQclear(result);
	rc = db_run(db,
		"UPDATE queue_entries SET run_at = now(), reason = ''"
		" WHERE campaign_id = $1 AND state = 'pending' AND run_at > now()"
		" AND reason" REASON_OF_FACTS,
		ARGS(arg_int(*ret_campaign_id)), NULL);
	/* Last, because claims wait for this row. */
	if (rc == 0)
		rc = db_run(db, "UPDATE campaigns SET rechecked = $2 WHERE id = $1",
			ARGS(arg_int(*ret_campaign_id), arg_int(seen)), NULL);
	return rc;
}

int db_queue_recheck(struct db *db, int64_t *ret_campaign_id)
{
	int rc = db_patience(db, true);

	if (rc == 0)
		rc = db_begin(db);
	if (rc == 0)
		rc = recheck(db, ret_campaign_id);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	(void)db_patience(db, false);
	return rc;
}

/* What is kept for one agent is anybody's later; of what is due the campaign may know. */
#define EARLIEST                                                                          \
	"CASE WHEN q.state <> 'pending' THEN NULL"                                        \
	" WHEN q.run_at > now() THEN CASE WHEN q.reason <> 'time_zone' THEN q.run_at END" \
	" WHEN q.agent_until > now() THEN q.agent_until END"

static void read_reason(struct db_row *row, void *item)
{
	struct db_queue_reason *r = item;

	row_text(row, r->state, sizeof(r->state));
	row_text(row, r->reason, sizeof(r->reason));
	r->count = row_int(row);
	r->earliest_ms = row_int(row);
}

int db_queue_reasons(struct db *db, int64_t campaign_id,
	struct db_queue_reason **ret_rows, size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_queue_reason), read_reason};

	return db_run_rows(db,
		"SELECT q.state, " ENTRY_REASON ", count(*), " MS(
			"min(" EARLIEST
			")") " FROM queue_entries q WHERE q.campaign_id = $1 GROUP BY 1, 2"
			     " UNION ALL SELECT 'unqueued', CASE WHEN l.active THEN 'unqueued' ELSE 'list' END,"
			     " count(*), NULL FROM data_lists l JOIN contacts c ON c.list_id = l.id"
			     " WHERE l.campaign_id = $1 AND NOT EXISTS (SELECT 1 FROM queue_entries q"
			     "  WHERE q.contact_id = c.id AND q.campaign_id = $1) GROUP BY 1, 2 ORDER BY 1, 2",
		ARGS(arg_int(campaign_id)), &reader, (void **)ret_rows, ret_count);
}

static void read_agent(struct db_row *row, void *item)
{
	struct db_queue_agent *a = item;

	a->user_id = row_int(row);
	row_text(row, a->name, sizeof(a->name));
	row_text(row, a->state, sizeof(a->state));
	row_text(row, a->pause_reason, sizeof(a->pause_reason));
	a->reachable = row_bool(row);
	a->elsewhere = row_bool(row);
	a->since_ms = row_int(row);
}

int db_queue_agents(struct db *db, int64_t campaign_id, struct db_queue_agent **ret_rows,
	size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_queue_agent), read_agent};

	return db_run_rows(db,
		"SELECT u.id, u.name, COALESCE(s.state, 'offline'), s.pause_reason,"
		" session_reachable(s.nailed, s.phone_up, s.twilio_up),"
		" s.campaign_id <> $1, " MS(
			"s.state_since") " FROM (SELECT user_id FROM campaign_agents WHERE campaign_id = $1"
					 "  UNION SELECT user_id FROM agent_sessions WHERE campaign_id = $1"
					 "   AND ended_at IS NULL) m JOIN users u ON u.id = m.user_id"
					 " LEFT JOIN agent_sessions s ON s.user_id = u.id AND s.ended_at IS NULL"
					 " ORDER BY u.id",
		ARGS(arg_int(campaign_id)), &reader, (void **)ret_rows, ret_count);
}

int db_campaign_placing(struct db *db, int64_t campaign_id, int64_t *ret_count)
{
	return db_run_number(db,
		"SELECT count(*) FROM open_calls o JOIN calls c ON c.id = o.call_id"
		" WHERE o.campaign_id = $1 AND c.state = 'placing' AND c.mode = 'auto'",
		ARGS(arg_int(campaign_id)), ret_count);
}

static void read_use(struct db_row *row, void *item)
{
	struct db_campaign_use *use = item;

	use->calls_today = row_int(row);
	use->minutes_today = row_int(row);
	use->calls_ever = row_int(row);
	use->minutes_ever = row_int(row);
}

int db_campaign_use(struct db *db, int64_t campaign_id, struct db_campaign_use *ret_use)
{
	static const struct db_reader reader = {sizeof(struct db_campaign_use), read_use};

	return db_run_item(db,
		"SELECT sum(d.calls) FILTER (WHERE d.day = n.day),"
		" sum(d.minutes) FILTER (WHERE d.day = n.day), sum(d.calls), sum(d.minutes)"
		" FROM campaigns k CROSS JOIN LATERAL"
		"  (SELECT (now() AT TIME ZONE k.time_zone)::date AS day) n"
		" LEFT JOIN campaign_days d ON d.campaign_id = k.id WHERE k.id = $1",
		ARGS(arg_int(campaign_id)), &reader, ret_use);
}

static void read_totals(struct db_row *row, void *item)
{
	struct db_campaign_totals *t = item;

	t->campaigns = row_int(row);
	t->draft = row_int(row);
	t->active = row_int(row);
	t->paused = row_int(row);
	t->completed = row_int(row);
	t->contacts = row_int(row);
	t->calls = row_int(row);
	t->completed_calls = row_int(row);
}

int db_campaign_totals(struct db *db, struct db_campaign_totals *ret_totals)
{
	static const struct db_reader reader = {
		sizeof(struct db_campaign_totals), read_totals};

	return db_run_item(db,
		"SELECT count(*), count(*) FILTER (WHERE k.state = 'draft'),"
		" count(*) FILTER (WHERE k.state = 'active'),"
		" count(*) FILTER (WHERE k.state = 'paused'),"
		" count(*) FILTER (WHERE k.state = 'completed'),"
		" (SELECT count(*) FROM contacts),"
		" (SELECT COALESCE(sum(d.calls), 0) FROM campaign_days d"
		"   JOIN campaigns c ON c.id = d.campaign_id AND c.archived_at IS NULL),"
		" (SELECT count(*) FROM calls c JOIN campaigns x ON x.id = c.campaign_id"
		"  AND x.archived_at IS NULL WHERE c.outcome = 'completed')"
		" FROM campaigns k WHERE k.archived_at IS NULL",
		NO_ARGS, &reader, ret_totals);
}
