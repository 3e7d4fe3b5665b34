/* generate.c: contacts of a campaign's lists become entries of its queue. See campaigns.h. */
#include "base/clock.h"
#include "db/campaigns.h"
#include "db/exec.h"

/* Contacts of one transaction: some tenths of a second, for whoever waits for its locks. */
#define STEP_MAX 20000

/*
 * Lists are mixed by their blend weights: of weights 60 and 20, three contacts of the first follow
 * on one of the other, as long as both last. run_at is the same for all, so ids decide the order.
 *
 * A contact that was dialled to an end in this campaign does not come back by itself. Each list
 * is read on from the id behind its last contact ($3, $4); who is deleted meanwhile is left out.
 * OFFSET 0 keeps the planner, who may think that the queue is empty, from joining all of it.
 */
#define GENERATE                                                                        \
	"WITH l AS MATERIALIZED (SELECT d.id, d.blend_weight, COALESCE(t.after, 0)"     \
	"  AS after FROM data_lists d LEFT JOIN unnest($3::bigint[], $4::bigint[])"     \
	"  AS t(list, after) ON t.list = d.id WHERE d.campaign_id = $1 AND d.active)"   \
	", pick AS MATERIALIZED (SELECT l.id AS list, m.id, m.turn"                     \
	"  FROM l CROSS JOIN LATERAL ("                                                 \
	"   SELECT c.id, row_number() OVER (ORDER BY c.id)::float8 / l.blend_weight"    \
	"    AS turn FROM contacts c WHERE c.list_id = l.id AND c.id > l.after"         \
	"    AND NOT EXISTS (SELECT 1 FROM queue_entries q WHERE q.contact_id = c.id"   \
	"     AND q.campaign_id = $1 OFFSET 0)"                                         \
	"   ORDER BY c.id LIMIT $2) m ORDER BY m.turn, m.id LIMIT $2)"                  \
	", made AS (INSERT INTO queue_entries (campaign_id, contact_id)"                \
	"  SELECT $1, c.id FROM pick p JOIN contacts c ON c.id = p.id"                  \
	"  ORDER BY p.turn, p.id FOR KEY SHARE OF c"                                    \
	"  ON CONFLICT (campaign_id, contact_id) WHERE state IN ('pending', 'dialing')" \
	"  DO NOTHING RETURNING 1)"                                                     \
	" SELECT (SELECT count(*) FROM pick), (SELECT count(*) FROM made),"             \
	"  COALESCE(array_agg(n.list), '{}')::text,"                                    \
	"  COALESCE(array_agg(n.after), '{}')::text"                                    \
	" FROM (SELECT l.id AS list, GREATEST(l.after, max(p.id)) AS after"             \
	"  FROM l LEFT JOIN pick p ON p.list = l.id GROUP BY l.id, l.after) n"

/* One transaction; `last` is the answer of the one before, or NULL. */
static int step(struct db *db, int64_t campaign_id, int64_t max, const PGresult *last,
	PGresult **ret_result)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_script(db, DB_BY_INDEX);
	if (rc == 0)
		rc = db_run_one(db, GENERATE,
			ARGS(arg_int(campaign_id), arg_int(max),
				arg_text(last ? PQgetvalue(last, 0, 2) : "{}"),
				arg_text(last ? PQgetvalue(last, 0, 3) : "{}")),
			ret_result);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	return rc;
}

int db_queue_generate(struct db *db, int64_t campaign_id, struct db_generate *generate)
{
	int64_t end_ms = clock_mono_ms() + generate->most_ms;
	PGresult *last = NULL, *next;
	int64_t want, picked;
	int rc = db_patience(db, true);

	generate->added = 0;
	do {
		struct db_row row;

		want = generate->max - generate->added;
		if (want > STEP_MAX)
			want = STEP_MAX;
		next = NULL;
		picked = 0;
		if (rc == 0)
			rc = step(db, campaign_id, want, last, &next);
		if (rc == 0) {
			row = db_row(next, 0);
			picked = row_int(&row);
			generate->added += row_int(&row);
		}
		PQclear(last);
		last = next;
		generate->more = picked == want && generate->added < generate->max;
	} while (generate->more && clock_mono_ms() < end_ms);
	PQclear(last);
	(void)db_patience(db, false);
	return rc;
}
