/* lists.c: queues of campaigns. See campaigns.h. */
#include <errno.h>
#include <stdlib.h>

#include "db/campaigns.h"
#include "db/contact_rows.h"
#include "db/entry_reason.h"

/* ---- queue ---- */

#define RUN_TIMES MS("q.run_at") ", " MS("q.queued_at")
#define CALL_TIMES MS("q.dialed_at") ", " MS("q.completed_at")
#define OWNED_UNTIL MS("q.agent_until")
#define ENTRY_SELECT                                                                       \
	"SELECT q.id, q.campaign_id, q.state, q.outcome, q.priority, q.attempts, q.dials," \
	" " RUN_TIMES ", " CALL_TIMES ", l.id, l.name, " CONTACT_COLUMNS ","               \
	" (SELECT k.agent_id FROM calls k WHERE k.entry_id = q.id"                         \
	"  ORDER BY k.attempt DESC LIMIT 1), " ENTRY_REASON ", q.agent_id, " OWNED_UNTIL   \
	" FROM queue_entries q JOIN contacts c ON c.id = q.contact_id"                     \
	" JOIN data_lists l ON l.id = c.list_id"

static void read_entry(struct db_row *row, void *item)
{
	struct db_entry *e = item;

	e->id = row_int(row);
	e->campaign_id = row_int(row);
	row_text(row, e->state, sizeof(e->state));
	row_text(row, e->outcome, sizeof(e->outcome));
	e->priority = (int)row_int(row);
	e->attempts = (int)row_int(row);
	e->dials = (int)row_int(row);
	e->run_at_ms = row_int(row);
	e->queued_ms = row_int(row);
	e->dialed_ms = row_int(row);
	e->completed_ms = row_int(row);
	e->list_id = row_int(row);
	row_text(row, e->list_name, sizeof(e->list_name));
	db_read_contact(row, &e->contact);
	e->agent_id = row_int(row);
	row_text(row, e->reason, sizeof(e->reason));
	e->owner_id = row_int(row);
	e->owner_until_ms = row_int(row);
}

static const struct db_reader entry_reader = {sizeof(struct db_entry), read_entry};

int db_queue_page(struct db *db, const struct db_queue_query *query,
	struct db_entry **ret_entries, size_t *ret_count)
{
	return db_run_rows(db,
		ENTRY_SELECT
		" WHERE q.campaign_id = $1 AND ($2::text IS NULL OR q.state = $2)"
		" AND q.id > $3 AND ($5::text IS NULL OR " ENTRY_REASON " = $5)"
		" AND ($6::bigint IS NULL OR c.list_id = $6)"
		" AND ($7::int = 0 OR q.priority = $7)"
		" AND (NOT $8::boolean OR q.state = 'pending' AND q.run_at <= now())"
		" AND ($9::text IS NULL OR starts_with(c.phone, $9) OR strpos("
		"  lower(c.first_name || ' ' || c.last_name), lower($9)) > 0)"
		" ORDER BY q.id LIMIT $4",
		ARGS(arg_int(query->campaign_id), arg_text(query->state),
			arg_int(query->after), arg_int((int64_t)query->limit + 1),
			arg_text(query->reason), arg_id(query->list_id),
			arg_int(query->priority), arg_bool(query->due),
			arg_text(query->search)),
		&entry_reader, (void **)ret_entries, ret_count);
}

static void read_stats(struct db_row *row, void *item)
{
	struct db_queue_stats *stats = item;

	stats->total = row_int(row);
	stats->pending = row_int(row);
	stats->dialing = row_int(row);
	stats->completed = row_int(row);
	stats->skipped = row_int(row);
}

int db_queue_stats(struct db *db, int64_t campaign_id, struct db_queue_stats *ret_stats)
{
	static const struct db_reader reader = {
		sizeof(struct db_queue_stats), read_stats};

	return db_run_item(db,
		"SELECT pending + dialing + completed + skipped, pending, dialing, completed,"
		" skipped FROM queue_totals($1)",
		ARGS(arg_int(campaign_id)), &reader, ret_stats);
}

int db_entry_get(
	struct db *db, int64_t campaign_id, int64_t entry_id, struct db_entry *ret_entry)
{
	return db_run_item(db, ENTRY_SELECT " WHERE q.campaign_id = $1 AND q.id = $2",
		ARGS(arg_int(campaign_id), arg_int(entry_id)), &entry_reader, ret_entry);
}
