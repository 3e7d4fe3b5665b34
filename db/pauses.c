/* pauses.c: why agents pause, and their history. See pauses.h. */
#include "db/pauses.h"

#include "db/exec.h"

static void read_reason(struct db_row *row, void *item)
{
	struct db_pause_reason *r = item;

	row_text(row, r->type, sizeof(r->type));
	row_text(row, r->reason, sizeof(r->reason));
}

static const struct db_reader reason_reader = {
	sizeof(struct db_pause_reason), read_reason};

int db_pause_reasons(
	struct db *db, struct db_pause_reason **ret_reasons, size_t *ret_count)
{
	return db_run_rows(db, "SELECT type, reason FROM pause_reasons ORDER BY position",
		NO_ARGS, &reason_reader, (void **)ret_reasons, ret_count);
}

int db_pause_reason_find(struct db *db, const char *type, const char *reason,
	struct db_pause_reason *ret_reason)
{
	return db_run_item(db,
		"SELECT type, reason FROM pause_reasons WHERE reason = $2"
		" AND ($1::text IS NULL OR type = $1) ORDER BY position LIMIT 1",
		ARGS(arg_text(type), arg_text(reason)), &reason_reader, ret_reason);
}

/* ---- history ---- */

/* $1 user, $2 before, $3 from, $4 to, $5 limit; of a table h whose rows begin `at`. */
#define HISTORY(at)                                                          \
	" WHERE h.user_id = $1 AND ($2::bigint IS NULL OR h.id < $2)"        \
	" AND ($3::bigint IS NULL OR h." at " >= to_timestamp($3 / 1000.0))" \
	" AND ($4::bigint IS NULL OR h." at " < to_timestamp($4 / 1000.0))"  \
	" ORDER BY h.id DESC LIMIT $5"

static int page(struct db *db, const char *sql, const struct db_history *history,
	const struct db_reader *reader, void **ret_rows, size_t *ret_count)
{
	return db_run_rows(db, sql,
		ARGS(arg_int(history->user_id), arg_id(history->before),
			arg_id(history->from_ms), arg_id(history->to_ms),
			arg_int((int64_t)history->limit + 1)),
		reader, ret_rows, ret_count);
}

static void read_pause(struct db_row *row, void *item)
{
	struct db_pause *p = item;

	p->id = row_int(row);
	p->session_id = row_int(row);
	p->campaign_id = row_int(row);
	row_text(row, p->type, sizeof(p->type));
	row_text(row, p->reason, sizeof(p->reason));
	row_text(row, p->comment, sizeof(p->comment));
	p->started_ms = row_int(row);
	p->ended_ms = row_int(row);
}

int db_pause_page(struct db *db, const struct db_history *history,
	struct db_pause **ret_rows, size_t *ret_count)
{
	static const struct db_reader reader = {sizeof(struct db_pause), read_pause};

	return page(db,
		"SELECT h.id, h.session_id, h.campaign_id, h.type, h.reason, h.comment,"
		" " MS("h.started_at") ", " MS(
			"h.ended_at") " FROM pause_events h" HISTORY("started_at"),
		history, &reader, (void **)ret_rows, ret_count);
}

static void read_state(struct db_row *row, void *item)
{
	struct db_agent_state *s = item;

	s->id = row_int(row);
	s->session_id = row_int(row);
	s->campaign_id = row_int(row);
	s->call_id = row_int(row);
	row_text(row, s->state, sizeof(s->state));
	row_text(row, s->reason, sizeof(s->reason));
	s->at_ms = row_int(row);
	s->until_ms = row_int(row);
}

int db_agent_state_page(struct db *db, const struct db_history *history,
	struct db_agent_state **ret_rows, size_t *ret_count)
{
	static const struct db_reader reader = {
		sizeof(struct db_agent_state), read_state};

	return page(db,
		"SELECT h.id, h.session_id, h.campaign_id, h.call_id, h.state, h.reason,"
		" " MS("h.at") ", (SELECT " MS(
			"n.at") " FROM agent_state_log n"
				"  WHERE n.session_id = h.session_id AND n.id > h.id ORDER BY n.id LIMIT 1)"
				" FROM agent_state_log h" HISTORY("at"),
		history, &reader, (void **)ret_rows, ret_count);
}
