/* go.c: from `claimed` to `placing`: the agent is there, the customer may be dialled. */
#include "db/calls.h"

#include <errno.h>
#include <stdio.h>

#include "db/exec.h"
#include "db/rate.h"

struct waiting {
	bool runs, automatic;
	struct db_claimed claimed;
};

static void read_waiting(struct db_row *row, void *item)
{
	struct waiting *w = item;
	struct db_claimed *c = &w->claimed;

	w->runs = row_bool(row);
	w->automatic = row_bool(row);
	c->call_id = row_int(row);
	c->entry_id = row_int(row);
	c->contact_id = row_int(row);
	c->session_id = row_int(row);
	c->agent_id = row_int(row);
	c->leg_id = row_int(row);
	c->campaign_id = row_int(row);
	c->attempt = (int)row_int(row);
	row_text(row, c->number, sizeof(c->number));
	row_text(row, c->caller_id, sizeof(c->caller_id));
	row_text(row, c->conference, sizeof(c->conference));
	row_text(row, c->label, sizeof(c->label));
	c->ring_timeout_s = (int)row_int(row);
	row_text(row, c->amd, sizeof(c->amd));
}

static int find(struct db *db, int64_t call_id, struct waiting *ret_waiting)
{
	static const struct db_reader reader = {sizeof(struct waiting), read_waiting};

	return db_run_item(db,
		"SELECT (c.mode <> 'auto' OR k.state = 'active' AND k.auto_dial) AND NOT EXISTS ("
		"  SELECT 1 FROM twilio_stops t WHERE t.ended_at IS NULL AND (t.scope = 'account'"
		"   OR t.scope = 'caller' AND t.key = c.caller_id)), c.mode = 'auto', c.id,"
		" c.entry_id, c.contact_id, c.agent_session_id, c.agent_id, l.id, c.campaign_id, c.attempt,"
		" c.number, c.caller_id, c.conference, l.label, c.ring_timeout_s,"
		" k.amd"
		" FROM calls c JOIN campaigns k ON k.id = c.campaign_id"
		" JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'"
		" WHERE c.id = $1 AND c.state = 'claimed' FOR UPDATE OF c FOR SHARE OF k",
		ARGS(arg_int(call_id)), &reader, ret_waiting);
}

/* 1: a token was taken; 0: there is none, *ret_wait_ms. */
static int take_token(struct db *db, int64_t *ret_wait_ms)
{
	int rc = db_run_one(
		db, "UPDATE account_rate r SET " RATE_TAKE " RETURNING 1", NO_ARGS, NULL);

	if (rc != -ENOENT)
		return rc < 0 ? rc : 1;
	return db_run_number(db, RATE_WAIT_SQL, NO_ARGS, ret_wait_ms);
}

/* The table says what `agent_joined` makes of it; the placing is the node's that asks. */
static int move(struct db *db, int64_t call_id, const char *node)
{
	int rc = db_run(db,
		"SELECT * FROM apply_call_events(ARRAY[$1::bigint], '{gateway}',"
		" ARRAY[$1::text], ARRAY[NULL::bigint], '{agent_joined}',"
		" ARRAY[(extract(epoch FROM now()) * 1000)::bigint], '{\"\"}',"
		" ARRAY[NULL::int], ARRAY[NULL::int], ARRAY[NULL::text])",
		ARGS(arg_int(call_id)), NULL);

	if (rc == 0)
		rc = db_run_one(db,
			"UPDATE calls SET node_id = $2::uuid, placed_at = now()"
			" WHERE id = $1 AND state = 'placing'",
			ARGS(arg_int(call_id), arg_text(node)), NULL);
	return rc;
}

/*
 * Why the entry will wait if the call does not leave; "": for no rule's sake. Who has it just now,
 * such as one who deletes its list, may wait for the call, which we have: nobody is waited for.
 */
static int note_reason(struct db *db, const struct db_claimed *claimed, const char *code)
{
	return db_run(db,
		"UPDATE queue_entries SET reason = $3 WHERE id = (SELECT q.id"
		" FROM queue_entries q WHERE q.id = $1 AND q.state = 'dialing'"
		" AND q.dials = $2 AND q.reason <> $3 FOR NO KEY UPDATE SKIP LOCKED)",
		ARGS(arg_int(claimed->entry_id), arg_int(claimed->attempt),
			arg_text(code)),
		NULL);
}

/* What may have changed while the agent was rung: the hour, a list, a limit. */
static int ask_again(struct db *db, const struct db_go *go, struct waiting *w)
{
	db_verdict_fn *verdict = w->automatic ? go->automatic : go->manual;
	struct db_claim_verdict now;
	struct db_claim_facts facts;
	int rc;

	/* The entry is gone: its list was deleted meanwhile. */
	if (w->claimed.entry_id == 0) {
		w->claimed.result = DB_CLAIM_STOPPED;
		return 0;
	}
	rc = db_facts_read(db, w->claimed.campaign_id, w->claimed.entry_id, &facts);
	if (rc < 0)
		return rc;
	facts.number_busy = facts.locked = false;
	facts.attempts_free_ms = 0;
	facts.attempts -= facts.attempts > 0;
	facts.calls_today -= facts.calls_today > 0;
	/* Nobody has answered: open, it counts as one minute. */
	facts.minutes_open -= facts.minutes_open > 0;
	facts.run_at_ms = 0;
	now = verdict(go->arg, &facts);
	if (now.allowed)
		return 1;
	w->claimed.result = DB_CLAIM_REFUSED;
	(void)snprintf(
		w->claimed.code, sizeof(w->claimed.code), "%s", now.code ? now.code : "");
	(void)snprintf(w->claimed.rule, sizeof(w->claimed.rule), "%s", now.rule);
	(void)snprintf(w->claimed.reason, sizeof(w->claimed.reason), "%s",
		now.reason ? now.reason : now.rule);
	return 0;
}

int db_call_go(struct db *db, const struct db_go *go, struct db_claimed *ret_claimed)
{
	struct waiting w = {.runs = false};
	int rc = db_begin(db);

	if (rc == 0)
		rc = find(db, go->call_id, &w);
	if (rc == 0) {
		w.claimed.result = DB_CLAIM_STOPPED;
		if (w.runs)
			rc = ask_again(db, go, &w);
	}
	if (rc == 0 && w.claimed.result == DB_CLAIM_REFUSED) {
		rc = note_reason(db, &w.claimed, w.claimed.code);
		if (rc == 0)
			rc = db_commit(db);
	}
	if (rc == 1) {
		w.claimed.result = DB_CLAIM_RATE;
		rc = take_token(db, &w.claimed.wait_ms);
	}
	if (rc == 1) {
		w.claimed.result = DB_CLAIM_CALL;
		rc = move(db, go->call_id, go->node);
		/* It may have been refused before, and we ended before that was told. */
		if (rc == 0)
			rc = note_reason(db, &w.claimed, "");
		if (rc == 0)
			rc = db_commit(db);
	}
	db_rollback(db);
	if (rc == 0)
		*ret_claimed = w.claimed;
	return rc;
}
