/* campaigns.c: campaigns, their agents, and who runs them. See campaigns.h. */
#include "db/campaigns.h"

#include <errno.h>
#include <string.h>

#include "db/exec.h"

#define CAMPAIGN_SELECT                                                                                     \
	"SELECT c.id, c.name, c.description, c.state, c.dial_method, c.caller_id,"                          \
	" c.auto_dial, c.batch_size, c.call_gap_ms, c.batch_gap_ms, c.ring_timeout_s,"                      \
	" c.wrap_up_s, c.max_attempts, c.retry_delay_s, " MS(                                               \
		"c.created_at") ","                                                                         \
				" " MS("c.updated_at") ", c.run_reason, q.pending, q.dialing, q.completed," \
						       " q.skipped, q.agents FROM campaigns c"
/* Reads the whole queue: for people, not for the runner. */
#define COUNTS                                                                           \
	" CROSS JOIN LATERAL ("                                                          \
	"SELECT count(*) FILTER (WHERE e.state = 'pending') AS pending,"                 \
	" count(*) FILTER (WHERE e.state = 'dialing') AS dialing,"                       \
	" count(*) FILTER (WHERE e.state = 'completed') AS completed,"                   \
	" count(*) FILTER (WHERE e.state = 'skipped') AS skipped,"                       \
	" (SELECT count(*) FROM campaign_agents a WHERE a.campaign_id = c.id) AS agents" \
	" FROM queue_entries e WHERE e.campaign_id = c.id) q"
#define NO_COUNTS                              \
	" CROSS JOIN (VALUES (0, 0, 0, 0, 0))" \
	" AS q(pending, dialing, completed, skipped, agents)"

static void read_campaign(struct db_row *row, void *item)
{
	struct db_campaign *c = item;

	c->id = row_int(row);
	row_text(row, c->name, sizeof(c->name));
	row_text(row, c->description, sizeof(c->description));
	row_text(row, c->state, sizeof(c->state));
	row_text(row, c->dial_method, sizeof(c->dial_method));
	row_text(row, c->caller_id, sizeof(c->caller_id));
	c->auto_dial = row_bool(row);
	c->batch_size = (int)row_int(row);
	c->call_gap_ms = (int)row_int(row);
	c->batch_gap_ms = (int)row_int(row);
	c->ring_timeout_s = (int)row_int(row);
	c->wrap_up_s = (int)row_int(row);
	c->max_attempts = (int)row_int(row);
	c->retry_delay_s = (int)row_int(row);
	c->created_ms = row_int(row);
	c->updated_ms = row_int(row);
	row_text(row, c->run_reason, sizeof(c->run_reason));
	c->pending = row_int(row);
	c->dialing = row_int(row);
	c->completed = row_int(row);
	c->skipped = row_int(row);
	c->agents = row_int(row);
}

static const struct db_reader campaign_reader = {
	sizeof(struct db_campaign), read_campaign};

int db_campaign_create(struct db *db, const struct db_campaign *c, int64_t *ret_id)
{
	return db_run_number(db,
		"INSERT INTO campaigns (name, description, dial_method, caller_id, batch_size,"
		" call_gap_ms, batch_gap_ms, ring_timeout_s, wrap_up_s, max_attempts,"
		" retry_delay_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		" RETURNING id",
		ARGS(arg_text(c->name), arg_text(c->description),
			arg_text(c->dial_method), arg_text(c->caller_id),
			arg_int(c->batch_size), arg_int(c->call_gap_ms),
			arg_int(c->batch_gap_ms), arg_int(c->ring_timeout_s),
			arg_int(c->wrap_up_s), arg_int(c->max_attempts),
			arg_int(c->retry_delay_s)),
		ret_id);
}

int db_campaign_get(struct db *db, int64_t id, struct db_campaign *ret_campaign)
{
	return db_run_item(db, CAMPAIGN_SELECT COUNTS " WHERE c.id = $1",
		ARGS(arg_int(id)), &campaign_reader, ret_campaign);
}

int db_campaign_update(struct db *db, const struct db_campaign *c)
{
	return db_run_one(db,
		"UPDATE campaigns SET name = $2, description = $3, dial_method = $4,"
		" caller_id = $5, batch_size = $6, call_gap_ms = $7, batch_gap_ms = $8,"
		" ring_timeout_s = $9, wrap_up_s = $10, max_attempts = $11, retry_delay_s = $12,"
		" updated_at = now() WHERE id = $1",
		ARGS(arg_int(c->id), arg_text(c->name), arg_text(c->description),
			arg_text(c->dial_method), arg_text(c->caller_id),
			arg_int(c->batch_size), arg_int(c->call_gap_ms),
			arg_int(c->batch_gap_ms), arg_int(c->ring_timeout_s),
			arg_int(c->wrap_up_s), arg_int(c->max_attempts),
			arg_int(c->retry_delay_s)),
		NULL);
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
		" WHERE id = $1 AND $2 IN ('active', 'paused', 'completed')"
		" AND state <> 'completed'",
		ARGS(arg_int(id), arg_text(state)), NULL);
	return rc == -ENOENT ? explain_missing(db, id, -EINVAL) : rc;
}

int db_campaign_list(struct db *db, struct db_campaign **ret_campaigns, size_t *ret_count)
{
	return db_run_rows(db, CAMPAIGN_SELECT COUNTS " ORDER BY c.id", NO_ARGS,
		&campaign_reader, (void **)ret_campaigns, ret_count);
}

int db_campaign_join(struct db *db, int64_t campaign_id, int64_t user_id)
{
	int rc;

	rc = db_run_one(db,
		"INSERT INTO campaign_agents (campaign_id, user_id)"
		" SELECT c.id, u.id FROM campaigns c, users u"
		" WHERE c.id = $1 AND u.id = $2 AND u.role = 'agent'"
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
		" state = CASE WHEN $2 THEN 'active' ELSE state END, updated_at = now()"
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

int db_campaign_note(struct db *db, int64_t id, const char *reason)
{
	return db_run(db, "UPDATE campaigns SET run_reason = $2 WHERE id = $1",
		ARGS(arg_int(id), arg_text(reason)), NULL);
}
