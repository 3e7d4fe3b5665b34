/* dispositions.c: definitions, and the one transaction of a call's disposition. */
#include "db/dispositions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/dnc.h"
#include "db/exec.h"

/* ---- definitions ---- */

/* `named`: which of its campaigns `c`. */
#define DISPOSITION_SELECT(named)                                                 \
	"SELECT s.id, s.name, s.category, s.position, s.active, s.retry_after_s," \
	" s.callback_required, s.dnc, s.final, s.notes_required,"                 \
	" (SELECT string_agg(c.campaign_id::text, ',' ORDER BY c.campaign_id)"    \
	"  FROM campaign_dispositions c WHERE c.disposition_id = s.id AND " named \
	") FROM dispositions s"
/* Of all campaigns, or of one, `o.campaign_id`, that is so. */
#define OF_CAMPAIGN(is_so)                                   \
	"(NOT EXISTS (SELECT 1 FROM campaign_dispositions o" \
	" WHERE o.disposition_id = s.id)"                    \
	" OR EXISTS (SELECT 1 FROM campaign_dispositions o"  \
	" WHERE o.disposition_id = s.id AND " is_so "))"
/* The list's: $1 a campaign, $2 an agent. */
#define SEEN(campaign) "($2::bigint IS NULL OR " campaign " IN (TABLE sees))"
#define SELECT_SEEN DISPOSITION_SELECT(SEEN("c.campaign_id"))
#define OF_THIS OF_CAMPAIGN("o.campaign_id = $1")
#define OF_SEEN OF_CAMPAIGN(SEEN("o.campaign_id"))

static void read_campaigns(const char *list, struct db_disposition *s)
{
	char *end = NULL;

	for (const char *at = list; *at != '\0'; at = *end == ',' ? end + 1 : end) {
		int64_t id = strtoll(at, &end, 10);

		if (end == at || s->campaign_count == DB_DISPOSITION_CAMPAIGNS)
			return;
		s->campaigns[s->campaign_count++] = id;
	}
}

static void read_disposition(struct db_row *row, void *item)
{
	char list[DB_DISPOSITION_CAMPAIGNS * 21];
	struct db_disposition *s = item;

	memset(s, 0, sizeof(*s));
	s->id = row_int(row);
	row_text(row, s->name, sizeof(s->name));
	row_text(row, s->category, sizeof(s->category));
	s->position = (int)row_int(row);
	s->active = row_bool(row);
	s->retry_after_s = (int)row_int_or(row, -1);
	s->callback_required = row_bool(row);
	s->dnc = row_bool(row);
	s->final = row_bool(row);
	s->notes_required = row_bool(row);
	row_text(row, list, sizeof(list));
	read_campaigns(list, s);
}

static const struct db_reader disposition_reader = {
	sizeof(struct db_disposition), read_disposition};

int db_disposition_list(struct db *db, int64_t campaign_id, int64_t agent_id,
	struct db_disposition **ret_rows, size_t *ret_count)
{
	/* `sees`: as db_agent_on_campaign(). */
	return db_run_rows(db,
		"WITH sees AS (SELECT campaign_id FROM campaign_agents WHERE user_id = $2"
		"  UNION SELECT campaign_id FROM agent_sessions"
		"   WHERE user_id = $2 AND ended_at IS NULL AND campaign_id IS NOT NULL) " SELECT_SEEN
		" WHERE ($1::bigint IS NULL OR s.active AND " OF_THIS ") AND " OF_SEEN
		" ORDER BY s.position, s.id",
		ARGS(arg_id(campaign_id), arg_id(agent_id)), &disposition_reader,
		(void **)ret_rows, ret_count);
}

int db_disposition_get(struct db *db, int64_t id, struct db_disposition *ret_row)
{
	return db_run_item(db, DISPOSITION_SELECT("true") " WHERE s.id = $1",
		ARGS(arg_int(id)), &disposition_reader, ret_row);
}

static int save_row(struct db *db, const struct db_disposition *s, int64_t *ret_id)
{
	static const char insert_sql[] =
		"INSERT INTO dispositions (name, category, position, active, retry_after_s,"
		" callback_required, dnc, final, notes_required)"
		" SELECT $2, $3, $4::int, $5::boolean, $6::int, $7::boolean, $8::boolean,"
		" $9::boolean, $10::boolean WHERE $1::bigint = 0 RETURNING id";
	static const char update_sql[] =
		"UPDATE dispositions SET name = $2, category = $3, position = $4, active = $5,"
		" retry_after_s = $6, callback_required = $7, dnc = $8, final = $9,"
		" notes_required = $10 WHERE id = $1 RETURNING id";

	return db_run_number(db, s->id == 0 ? insert_sql : update_sql,
		ARGS(arg_int(s->id), arg_text(s->name), arg_text(s->category),
			arg_int(s->position), arg_bool(s->active),
			s->retry_after_s < 0 ? arg_text(NULL) : arg_int(s->retry_after_s),
			arg_bool(s->callback_required), arg_bool(s->dnc),
			arg_bool(s->final), arg_bool(s->notes_required)),
		ret_id);
}

static int save_campaigns(struct db *db, int64_t id, const struct db_disposition *s)
{
	struct buf array = {0};
	int rc;

	for (size_t i = 0; i < s->campaign_count; i++)
		array_int(&array, s->campaigns[i]);
	rc = array_end(&array);
	if (rc == 0)
		rc = db_run(db,
			"DELETE FROM campaign_dispositions WHERE disposition_id = $1",
			ARGS(arg_int(id)), NULL);
	if (rc == 0)
		rc = db_run(db,
			"INSERT INTO campaign_dispositions (disposition_id, campaign_id)"
			" SELECT $1, c FROM (SELECT DISTINCT unnest($2::bigint[]) AS c) t",
			ARGS(arg_int(id), arg_text(array.data)), NULL);
	buf_free(&array);
	return rc;
}

int db_disposition_save(
	struct db *db, const struct db_disposition *disposition, int64_t *ret_id)
{
	int64_t id = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = save_row(db, disposition, &id);
	if (rc == 0)
		rc = save_campaigns(db, id, disposition);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_id = id;
	return rc;
}

int db_disposition_remove(struct db *db, int64_t id, bool *ret_kept)
{
	int rc = db_run_one(db,
		"DELETE FROM dispositions s WHERE s.id = $1 AND NOT EXISTS ("
		" SELECT 1 FROM call_dispositions d WHERE d.disposition_id = s.id)",
		ARGS(arg_int(id)), NULL);

	if (rc == 0)
		*ret_kept = false;
	if (rc != -ENOENT)
		return rc;
	rc = db_run_one(db, "UPDATE dispositions SET active = false WHERE id = $1",
		ARGS(arg_int(id)), NULL);
	if (rc == 0)
		*ret_kept = true;
	return rc;
}

/* ---- what a call was ---- */

/* The call, the disposition, and what was said before; read under the call's lock. */
struct facts {
	int64_t campaign_id, contact_id;
	char number[DB_NUMBER_SIZE];
	bool ended, answered;
	int64_t said_id; /* 0: nothing yet */
	bool here;       /* to be chosen in the call's campaign */
	struct db_disposition what;
};

static int read_facts(struct db *db, const struct db_dispose *d, struct facts *f)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_disposition_get(db, d->disposition_id, &f->what);
	if (rc == 0)
		rc = db_run_one(db, "SELECT 1 FROM calls WHERE id = $1 FOR UPDATE",
			ARGS(arg_int(d->call_id)), NULL);
	if (rc == 0)
		rc = db_run_one(db,
			"SELECT c.campaign_id, c.contact_id, c.number, c.state = 'ended',"
			" c.state IN ('answered', 'bridged', 'ended'), d.disposition_id,"
			" s.active AND " OF_CAMPAIGN(
				"o.campaign_id = c.campaign_id") " FROM calls c JOIN dispositions s ON s.id = $2"
								 " LEFT JOIN call_dispositions d ON d.call_id = c.id WHERE c.id = $1",
			ARGS(arg_int(d->call_id), arg_int(d->disposition_id)), &result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	f->campaign_id = row_int(&row);
	f->contact_id = row_int(&row);
	row_text(&row, f->number, sizeof(f->number));
	f->ended = row_bool(&row);
	f->answered = row_bool(&row);
	f->said_id = row_int(&row);
	f->here = row_bool(&row);
	PQclear(result);
	return 0;
}

static enum db_dispose_result judge(const struct db_dispose *d, const struct facts *f)
{
	if (f->said_id == d->disposition_id)
		return DB_DISPOSE_SAME;
	if (f->said_id != 0 && !d->staff)
		return DB_DISPOSE_OTHER;
	if (!f->answered)
		return DB_DISPOSE_TOO_EARLY;
	if (!f->here)
		return DB_DISPOSE_NOT_HERE;
	if (f->what.notes_required && text_blank(d->notes))
		return DB_DISPOSE_NO_NOTES;
	if (f->what.callback_required && d->callback_ms == 0)
		return DB_DISPOSE_NO_TIME;
	if (d->callback_ms != 0 && f->contact_id == 0)
		return DB_DISPOSE_NO_CONTACT;
	return DB_DISPOSE_DONE;
}

/* What was promised in this call before, or what the contact's last word makes void. */
static int drop_callbacks(
	struct db *db, const struct db_dispose *d, const struct facts *f)
{
	bool all = f->what.final || f->what.dnc || d->callback_ms != 0;

	return db_run(db, "SELECT cancel_callbacks($1, $2, $3)",
		ARGS(arg_int(d->call_id), arg_id(all ? f->campaign_id : 0),
			arg_id(all ? f->contact_id : 0)),
		NULL);
}

static int write_answer(struct db *db, const struct db_dispose *d)
{
	return db_run(db,
		"INSERT INTO call_dispositions (call_id, disposition_id, notes, user_id)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (call_id) DO UPDATE SET"
		" disposition_id = EXCLUDED.disposition_id, notes = EXCLUDED.notes,"
		" user_id = EXCLUDED.user_id, at = now(), changed = true, applied_at = NULL",
		ARGS(arg_int(d->call_id), arg_int(d->disposition_id), arg_text(d->notes),
			arg_id(d->user_id)),
		NULL);
}

static int write_callback(
	struct db *db, const struct db_dispose *d, const struct facts *f)
{
	return db_run(db,
		"INSERT INTO callbacks (campaign_id, contact_id, agent_id, from_call_id, due_at,"
		" grace_s, note, created_by, untold) VALUES ($1, $2, $3, $4,"
		" to_timestamp($5::bigint / 1000.0::float8), $6, left($7, 500), $8, true)",
		ARGS(arg_int(f->campaign_id), arg_int(f->contact_id),
			arg_id(d->callback_agent), arg_int(d->call_id),
			arg_int(d->callback_ms), arg_int(d->callback_grace_s),
			arg_text(d->notes), arg_id(d->user_id)),
		NULL);
}

static int write_dnc(struct db *db, const struct db_dispose *d, const struct facts *f)
{
	struct db_dnc dnc = {.source = "agent", .added_by = d->user_id};

	memcpy(dnc.number, f->number, sizeof(dnc.number));
	(void)snprintf(dnc.reason, sizeof(dnc.reason), "%s", f->what.name);
	return db_dnc_put(db, &dnc);
}

/* Of a call that is open, its end does the same. */
static int settle(struct db *db, const struct db_dispose *d)
{
	return db_run(db,
		"SELECT settle_dispositions(ARRAY[$1::bigint]),"
		" settle_callbacks(ARRAY[$1::bigint], ARRAY[$1::bigint])",
		ARGS(arg_int(d->call_id)), NULL);
}

/* Only of the session's newest call: an agent in the next wrap-up is left alone. */
static int end_wrap_up(struct db *db, const struct db_dispose *d, int64_t *ret_session_id)
{
	int rc = db_run_number(db,
		"UPDATE agent_sessions s SET state = session_rest_state(s),"
		" pause_reason = session_rest_reason(s), state_since = now(), hold_until = NULL"
		" FROM calls c WHERE c.id = $1 AND s.id = c.agent_session_id"
		" AND s.state = 'wrap_up' AND s.ended_at IS NULL AND NOT EXISTS ("
		"  SELECT 1 FROM calls o WHERE o.agent_id = s.user_id"
		"  AND o.agent_session_id = s.id AND o.id > c.id)"
		" RETURNING s.id",
		ARGS(arg_int(d->call_id)), ret_session_id);

	return rc == -ENOENT ? 0 : rc;
}

static int write_all(struct db *db, const struct db_dispose *d, const struct facts *f,
	int64_t *ret_session_id)
{
	int rc = drop_callbacks(db, d, f);

	if (rc == 0)
		rc = write_answer(db, d);
	if (rc == 0 && d->callback_ms != 0)
		rc = write_callback(db, d, f);
	if (rc == 0 && f->what.dnc)
		rc = write_dnc(db, d, f);
	if (rc == 0)
		rc = settle(db, d);
	if (rc == 0 && d->end_wrap_up)
		rc = end_wrap_up(db, d, ret_session_id);
	return rc;
}

int db_call_dispose(struct db *db, const struct db_dispose *d,
	enum db_dispose_result *ret_result, int64_t *ret_session_id)
{
	enum db_dispose_result result = DB_DISPOSE_SAME;
	struct facts f;
	int64_t session_id = 0;
	int rc = db_begin(db);

	if (rc == 0)
		rc = read_facts(db, d, &f);
	if (rc == 0)
		result = judge(d, &f);
	if (rc == 0 && result == DB_DISPOSE_DONE)
		rc = write_all(db, d, &f, &session_id);
	/* Said in the call already: the wish to end the wrap-up is new all the same. */
	if (rc == 0 && result == DB_DISPOSE_SAME && d->end_wrap_up)
		rc = end_wrap_up(db, d, &session_id);
	if (rc == 0)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0) {
		*ret_result = result;
		*ret_session_id = session_id;
	}
	return rc;
}

static void read_answer(struct db_row *row, void *item)
{
	struct db_call_disposition *d = item;

	d->disposition_id = row_int(row);
	row_text(row, d->name, sizeof(d->name));
	row_text(row, d->notes, sizeof(d->notes));
	d->user_id = row_int(row);
	d->at_ms = row_int(row);
	d->applied = row_bool(row);
	d->callback_id = row_int(row);
}

int db_call_disposition_get(
	struct db *db, int64_t call_id, struct db_call_disposition *ret_row)
{
	static const struct db_reader reader = {
		sizeof(struct db_call_disposition), read_answer};

	return db_run_item(db,
		"SELECT d.disposition_id, s.name, d.notes, d.user_id, " MS(
			"d.at") ","
				" d.applied_at IS NOT NULL, (SELECT b.id FROM callbacks b"
				"  WHERE b.from_call_id = d.call_id ORDER BY b.id DESC LIMIT 1)"
				" FROM call_dispositions d JOIN dispositions s ON s.id = d.disposition_id"
				" WHERE d.call_id = $1",
		ARGS(arg_int(call_id)), &reader, ret_row);
}
