/*
 * call_pages.c: calls for people: one, a page of those that a filter lets through, and the same
 * with everything's name for a file. See calls.h.
 */
#include "db/calls.h"

#include <stdlib.h>

#include "db/exec.h"

/* A completed call of which no answer was told was answered `duration` before its end. */
#define ANSWERED                                                    \
	"COALESCE(c.answered_at, CASE WHEN c.outcome = 'completed'" \
	" THEN GREATEST(c.placed_at, c.ended_at - make_interval(secs => c.duration_s)) END)"
#define CALL_COLUMNS                                                                              \
	"c.id, c.campaign_id, c.contact_id, c.entry_id, c.agent_id,"                              \
	" c.agent_session_id, c.attempt, c.mode, c.number, c.caller_id, c.conference,"            \
	" c.state, c.outcome, c.error_code, c.error_text, c.verdict_rule,"                        \
	" c.verdict_version, l.provider_sid, " MS("c.placed_at") ", " MS("c.ringing_at") ", " MS( \
		ANSWERED) ", " MS("c.bridged_at") ", " MS("c.ended_at") ", c.duration_s, c.was_ambiguous, c.answered_by, c.direction, d.disposition_id, s.name"
#define CALL_FROM                                                                         \
	" FROM calls c LEFT JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'" \
	" LEFT JOIN call_dispositions d ON d.call_id = c.id"                              \
	" LEFT JOIN dispositions s ON s.id = d.disposition_id"

static void read_call(struct db_row *row, void *item)
{
	struct db_call *c = item;

	c->id = row_int(row);
	c->campaign_id = row_int(row);
	c->contact_id = row_int(row);
	c->entry_id = row_int(row);
	c->agent_id = row_int(row);
	c->session_id = row_int(row);
	c->attempt = (int)row_int(row);
	row_text(row, c->mode, sizeof(c->mode));
	row_text(row, c->number, sizeof(c->number));
	row_text(row, c->caller_id, sizeof(c->caller_id));
	row_text(row, c->conference, sizeof(c->conference));
	row_text(row, c->state, sizeof(c->state));
	row_text(row, c->outcome, sizeof(c->outcome));
	c->error_code = (int)row_int(row);
	row_text(row, c->error_text, sizeof(c->error_text));
	row_text(row, c->verdict_rule, sizeof(c->verdict_rule));
	c->verdict_version = (int)row_int(row);
	row_text(row, c->provider_sid, sizeof(c->provider_sid));
	c->placed_ms = row_int(row);
	c->ringing_ms = row_int(row);
	c->answered_ms = row_int(row);
	c->bridged_ms = row_int(row);
	c->ended_ms = row_int(row);
	c->duration_s = (int)row_int_or(row, -1);
	c->was_ambiguous = row_bool(row);
	row_text(row, c->answered_by, sizeof(c->answered_by));
	row_text(row, c->direction, sizeof(c->direction));
	c->disposition_id = row_int(row);
	row_text(row, c->disposition, sizeof(c->disposition));
}

static const struct db_reader call_reader = {sizeof(struct db_call), read_call};

int db_call_get(struct db *db, int64_t call_id, struct db_call *ret_call)
{
	return db_run_item(db, "SELECT " CALL_COLUMNS CALL_FROM " WHERE c.id = $1",
		ARGS(arg_int(call_id)), &call_reader, ret_call);
}

/*
 * What is not asked for is null and falls out when the plan is made, which is for each statement
 * anew: so each combination is answered by the index that fits it. Ids are given out in the
 * order of time, but for calls that are made at the same moment: hence the thousand.
 */
#define CALL_FILTER                                                                        \
	" WHERE c.id < $1 AND ($2::bigint IS NULL OR c.campaign_id = $2)"                  \
	" AND ($3::bigint IS NULL OR c.agent_id = $3)"                                     \
	" AND ($4::bigint IS NULL OR c.contact_id = $4)"                                   \
	" AND ($5::bigint IS NULL OR c.id IN (SELECT f.call_id FROM call_dispositions f"   \
	"  WHERE f.disposition_id = $5))"                                                  \
	" AND ($6::text IS NULL OR c.number = $6)"                                         \
	" AND ($7::text IS NULL OR c.state = $7)"                                          \
	" AND (NOT $8::boolean OR c.id = ANY (ARRAY(SELECT o.call_id FROM open_calls o)))" \
	" AND ($9::text IS NULL OR c.outcome = $9)"                                        \
	" AND ($10::bigint IS NULL OR c.placed_at >= to_timestamp($10 / 1000.0::float8)"   \
	"  AND c.id > (SELECT o.id FROM calls o"                                           \
	"   WHERE o.placed_at >= to_timestamp($10 / 1000.0::float8)"                       \
	"   ORDER BY o.placed_at LIMIT 1) - 1000)"                                         \
	" AND ($11::bigint IS NULL OR c.placed_at < to_timestamp($11 / 1000.0::float8)"    \
	"  AND c.id < (SELECT o.id FROM calls o"                                           \
	"   WHERE o.placed_at < to_timestamp($11 / 1000.0::float8)"                        \
	"   ORDER BY o.placed_at DESC LIMIT 1) + 1000)"                                    \
	" AND ($12::text IS NULL OR c.direction = $12)"                                    \
	" ORDER BY c.id DESC LIMIT $13"

static int run_page(struct db *db, const char *sql, const struct db_call_filter *f,
	unsigned limit, const struct db_reader *reader, void **ret_rows,
	size_t *ret_count)
{
	void *rows = NULL;
	size_t count = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_script(db, "SET LOCAL plan_cache_mode = force_custom_plan");
	if (rc == 0)
		rc = db_run_rows(db, sql,
			ARGS(arg_int(f->before ? f->before : INT64_MAX),
				arg_id(f->campaign_id), arg_id(f->agent_id),
				arg_id(f->contact_id), arg_id(f->disposition_id),
				arg_text(f->number), arg_text(f->state),
				arg_bool(f->open), arg_text(f->outcome),
				arg_id(f->from_ms), arg_id(f->to_ms),
				arg_text(f->direction), arg_int(limit)),
			reader, &rows, &count);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc < 0) {
		free(rows);
		return rc;
	}
	*ret_rows = rows;
	*ret_count = count;
	return 0;
}

int db_call_page(struct db *db, const struct db_call_filter *filter, unsigned limit,
	struct db_call **ret_calls, size_t *ret_count)
{
	return run_page(db, "SELECT " CALL_COLUMNS CALL_FROM CALL_FILTER, filter,
		limit + 1, &call_reader, (void **)ret_calls, ret_count);
}

static void read_named(struct db_row *row, void *item)
{
	struct db_call_named *n = item;

	read_call(row, &n->call);
	row_text(row, n->campaign, sizeof(n->campaign));
	row_text(row, n->agent, sizeof(n->agent));
	row_text(row, n->first_name, sizeof(n->first_name));
	row_text(row, n->last_name, sizeof(n->last_name));
	row_text(row, n->notes, sizeof(n->notes));
}

int db_call_page_named(struct db *db, const struct db_call_filter *filter, unsigned limit,
	struct db_call_named **ret_calls, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_call_named), read_named};

	return run_page(db,
		"SELECT " CALL_COLUMNS ", k.name, u.username, x.first_name, x.last_name,"
		" d.notes" CALL_FROM " JOIN campaigns k ON k.id = c.campaign_id"
		" LEFT JOIN users u ON u.id = c.agent_id"
		" LEFT JOIN contacts x ON x.id = c.contact_id" CALL_FILTER,
		filter, limit, &reader, (void **)ret_calls, ret_count);
}

static void read_leg(struct db_row *row, void *item)
{
	struct db_call_leg_row *l = item;

	row_text(row, l->kind, sizeof(l->kind));
	row_text(row, l->provider_sid, sizeof(l->provider_sid));
	row_text(row, l->label, sizeof(l->label));
	l->joined_ms = row_int(row);
	l->left_ms = row_int(row);
}

int db_call_legs(struct db *db, int64_t call_id, struct db_call_leg_row **ret_rows,
	size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_call_leg_row), read_leg};

	/*
	 * The customer's comings and goings are the call's own events. The end is Twilio's time,
	 * in whole seconds: an agent's leg may be as young as the second that it names.
	 */
	return db_run_rows(db,
		"WITH c AS (SELECT * FROM calls WHERE id = $1)"
		" SELECT l.kind, l.provider_sid, l.label, " MS("c.bridged_at") ", " MS(
			"c.ended_at") " FROM c JOIN call_legs l ON l.call_id = c.id"
				      " UNION ALL"
				      " SELECT l.kind, l.provider_sid, l.label,"
				      " " MS("l.joined_at") ", " MS(
					      "l.left_at") " FROM c JOIN call_legs l ON l.agent_session_id = c.agent_session_id"
							   "  AND l.conference = c.conference AND l.joined_at IS NOT NULL"
							   "  AND l.created_at <= COALESCE(c.ended_at + interval '1 second', now())"
							   "  AND (l.left_at IS NULL OR l.left_at >= c.placed_at)",
		ARGS(arg_int(call_id)), &reader, (void **)ret_rows, ret_count);
}
