/* facts.c: what is known when somebody wants to call. See facts.h. */
#include "db/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/exec.h"
#include "db/next_entry.h"
#include "db/voided.h"

/* Waiting for something that has no time of its own. */
#define AGAIN_S "60"

/*
 * The calls of 24 hours are read from the newest id on: that order comes out of the index of numbers,
 * the order of placed_at only out of one of all calls.
 *
 * $1 campaign. What all entries have in common is read once, and only if a limit wants it.
 */
#define FACTS_CAMPAIGN                                                                                                                                                                   \
	"WITH k AS MATERIALIZED (SELECT k.*, COALESCE(d.calls, 0) AS calls_today,"                                                                                                       \
	"  COALESCE(d.minutes, 0) AS minutes_today, COALESCE(o.minutes, 0) AS minutes_open,"                                                                                             \
	"  COALESCE(t.minutes, 0) AS minutes_ever, " MS(                                                                                                                                 \
		"((n.day + 1)::timestamp AT TIME ZONE k.time_zone)") " AS day_ends,"                                                                                                     \
								     "  (SELECT s.synced_at IS NULL OR EXISTS (SELECT 1 FROM numbers m"                                                  \
								     "   WHERE m.number = k.caller_id AND m.gone_at IS NULL) FROM number_sync s)"                                        \
								     "   AS cli_usable, (SELECT string_agg(t.key, ' ') FROM twilio_stops t"                                              \
								     "    WHERE t.ended_at IS NULL AND t.scope = 'country') AS stopped FROM campaigns k"                                 \
								     "  CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE k.time_zone)::date AS day) n"                                     \
								     "  LEFT JOIN campaign_days d ON d.campaign_id = k.id AND d.day = n.day"                                             \
								     "  LEFT JOIN LATERAL (SELECT sum(ceil(GREATEST(1, extract(epoch FROM"                                               \
								     "    now() - COALESCE(c.answered_at, now()))) / 60)) AS minutes FROM open_calls w JOIN calls c ON c.id = w.call_id" \
								     "   WHERE w.campaign_id = k.id) o"                                                                                  \
								     "   ON k.max_minutes_day > 0 OR k.max_cost_day > 0 OR k.max_cost > 0"                                               \
								     "  LEFT JOIN LATERAL (SELECT sum(a.minutes) AS minutes FROM campaign_days a"                                        \
								     "   WHERE a.campaign_id = k.id) t ON k.max_cost > 0 WHERE k.id = $1)"
#define FACTS_SELECT                                                                                                                 \
	" SELECT k.state = 'active', k.max_attempts, k.hours, k.hours_zone, k.time_zone,"                                            \
	"  k.fallback_zone, k.max_calls_day, k.max_minutes_day, k.max_cost_day,"                                                     \
	"  k.max_cost, k.cost_per_minute, k.calls_today, k.minutes_today, k.minutes_open,"                                           \
	"  k.minutes_ever, k.day_ends, k.cli_usable, k.stopped, q.id, x.phone, x.time_zone, q.attempts, " MS("q.run_at") ", " MS(    \
		"now()") ","                                                                                                         \
			 "  EXISTS (SELECT 1 FROM open_calls w WHERE w.number = x.phone),"                                           \
			 "  x.locked_by IS NOT NULL,"                                                                                \
			 "  l.active AND (l.campaign_id IS NULL OR l.campaign_id = k.id),"                                           \
			 "  (SELECT max(CASE WHEN b.campaign_id IS NULL THEN 2 ELSE 1 END)"                                          \
			 "   FROM dnc_numbers b WHERE b.number = x.phone"                                                            \
			 "   AND (b.campaign_id IS NULL OR b.campaign_id = k.id)),"                                                  \
			 "  (SELECT " MS(                                                                                            \
				 "c.placed_at + interval '24 hours'") " FROM calls c"                                                \
								      "   WHERE c.number = x.phone AND c.counts"                     \
								      "   AND c.placed_at > now() - interval '24 hours'"             \
								      "   ORDER BY c.id DESC OFFSET k.max_attempts_24h - 1 LIMIT 1)" \
								      " FROM k JOIN queue_entries q ON q.campaign_id = k.id"         \
								      " JOIN contacts x ON x.id = q.contact_id JOIN data_lists l ON l.id = x.list_id"

static void read_rules(struct db_row *row, struct db_claim_facts *f)
{
	f->campaign_active = row_bool(row);
	f->max_attempts = (int)row_int(row);
	row_text(row, f->hours, sizeof(f->hours));
	row_text(row, f->hours_zone, sizeof(f->hours_zone));
	row_text(row, f->time_zone, sizeof(f->time_zone));
	row_text(row, f->fallback_zone, sizeof(f->fallback_zone));
	f->limits.calls_day = (int)row_int(row);
	f->limits.minutes_day = (int)row_int(row);
	f->limits.cost_day = row_real(row);
	f->limits.cost = row_real(row);
	f->limits.cost_per_minute = row_real(row);
	f->calls_today = (int)row_int(row);
	f->minutes_today = (int)row_int(row);
	f->minutes_open = (int)row_int(row);
	f->minutes_ever = (int)row_int(row);
	f->day_ends_ms = row_int(row);
	f->cli_usable = row_bool(row);
	row_text(row, f->stopped_countries, sizeof(f->stopped_countries));
}

static void read_facts(struct db_row *row, void *item)
{
	struct db_claim_facts *f = item;

	read_rules(row, f);
	f->entry_id = row_int(row);
	row_text(row, f->number, sizeof(f->number));
	row_text(row, f->contact_zone, sizeof(f->contact_zone));
	f->attempts = (int)row_int(row);
	f->run_at_ms = row_int(row);
	f->now_ms = row_int(row);
	f->number_busy = row_bool(row);
	f->locked = row_bool(row);
	f->list_active = row_bool(row);
	f->dnc = (enum db_dnc_scope)row_int(row);
	f->attempts_free_ms = row_int(row);
}

static const struct db_reader facts_reader = {sizeof(struct db_claim_facts), read_facts};

int db_facts_read(struct db *db, int64_t campaign_id, int64_t entry_id,
	struct db_claim_facts *ret_facts)
{
	return db_run_item(db, FACTS_CAMPAIGN FACTS_SELECT " WHERE q.id = $2",
		ARGS(arg_int(campaign_id), arg_int(entry_id)), &facts_reader, ret_facts);
}

/* ---- refusing ---- */

/* $1 ids, $2 whether later, $3 when (ms or null), $4 why. One second at least: no hot loop. */
static const char refuse_sql[] =
	"WITH touched AS (UPDATE queue_entries q SET"
	" state = CASE WHEN t.later THEN q.state ELSE 'skipped' END,"
	" run_at = CASE WHEN t.later THEN GREATEST(q.run_at, now() + interval '1 second',"
	"  COALESCE(to_timestamp(t.next / 1000.0::float8),"
	"   now() + interval '" AGAIN_S " seconds')) ELSE q.run_at END,"
	" completed_at = CASE WHEN t.later THEN NULL ELSE now() END,"
	" outcome = CASE WHEN t.later THEN q.outcome END, reason = t.code," VOID_OWNER(
		"t.later") " FROM unnest($1::bigint[], $2::boolean[], $3::bigint[], $4::text[])"
			   "  AS t(id, later, next, code) WHERE q.id = t.id AND q.state = 'pending'"
			   " RETURNING q.id, q.state)" VOID_PROMISES
			   " SELECT count(*) FROM touched";

struct refusals {
	struct buf ids, later, next, codes;
};

static void refusals_add(struct refusals *r, int64_t id, const struct db_claim_verdict *v)
{
	array_int(&r->ids, id);
	array_text(&r->later, v->later ? "t" : "f");
	if (v->next_ms > 0)
		array_int(&r->next, v->next_ms);
	else
		array_null(&r->next);
	array_text(&r->codes, v->code ? v->code : "");
}

/* Writes and frees. */
static int refusals_write(struct db *db, struct refusals *r)
{
	int rc = array_end(&r->ids);

	if (rc == 0)
		rc = array_end(&r->later);
	if (rc == 0)
		rc = array_end(&r->next);
	if (rc == 0)
		rc = array_end(&r->codes);
	if (rc == 0)
		rc = db_run(db, refuse_sql,
			ARGS(arg_text(r->ids.data), arg_text(r->later.data),
				arg_text(r->next.data), arg_text(r->codes.data)),
			NULL);
	buf_free(&r->ids);
	buf_free(&r->later);
	buf_free(&r->next);
	buf_free(&r->codes);
	return rc;
}

int db_entry_refuse(
	struct db *db, int64_t entry_id, const struct db_claim_verdict *verdict)
{
	struct refusals refusals = {.ids = {0}};

	refusals_add(&refusals, entry_id, verdict);
	return refusals_write(db, &refusals);
}

/* ---- many at once ---- */

/* $1 campaign, $2 how many: in the order in which the claim would take them. */
#define DUE_FIRST NEXT_ENTRY("q.priority", "")
#define DUE                                                                         \
	" n AS (" DUE_FIRST "),"                                                    \
	" due AS MATERIALIZED (SELECT q.id, q.contact_id FROM queue_entries q"      \
	"  WHERE q.campaign_id = $1 AND q.state = 'pending' AND q.agent_id IS NULL" \
	"  AND q.run_at <= now() AND q.priority = (SELECT n.priority FROM n)"       \
	"  ORDER BY q.run_at, q.id LIMIT $2 FOR UPDATE SKIP LOCKED)"

static const char due_sql[] =
	FACTS_CAMPAIGN "," DUE FACTS_SELECT " JOIN due ON due.id = q.id";

/* Locks that others may share: who looks at the same list at the same time is not seen as holding it. */
static const char pass_held_sql[] =
	"WITH" DUE
	", free AS MATERIALIZED (SELECT x.id FROM due JOIN contacts x ON x.id = due.contact_id"
	"  FOR SHARE OF x SKIP LOCKED)"
	" UPDATE queue_entries q SET reason = 'locked',"
	"  run_at = now() + interval '" AGAIN_S " seconds'"
	" FROM due WHERE q.id = due.id AND due.contact_id NOT IN (SELECT id FROM free)";

int db_queue_pass_held(struct db *db, int64_t campaign_id, unsigned limit)
{
	return db_run(
		db, pass_held_sql, ARGS(arg_int(campaign_id), arg_int(limit)), NULL);
}

static int postpone(struct db *db, const struct db_claim_facts *facts, size_t count,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused)
{
	struct refusals refusals = {.ids = {0}};
	size_t refused = 0;
	int rc;

	for (size_t i = 0; i < count; i++) {
		struct db_claim_verdict v = verdict(arg, &facts[i]);

		if (v.allowed || v.whole)
			continue;
		refusals_add(&refusals, facts[i].entry_id, &v);
		refused++;
	}
	rc = refusals_write(db, &refusals);
	if (rc == 0)
		*ret_refused = refused;
	return rc;
}

int db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused)
{
	void *facts = NULL;
	size_t count = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_script(db, DB_BY_INDEX);
	if (rc == 0)
		rc = db_run_rows(db, due_sql, ARGS(arg_int(campaign_id), arg_int(limit)),
			&facts_reader, &facts, &count);
	if (rc == 0)
		rc = postpone(db, facts, count, verdict, arg, ret_refused);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	free(facts);
	return rc;
}
