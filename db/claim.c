/*
 * claim.c: the claim: one transaction from "somebody is free" to a call that may be placed.
 *
 * Order of locks: session, entry (both skip what others hold), number, then, at the end, the
 * account's rate. A process that dies in between leaves nothing behind.
 */
#include "db/calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "db/exec.h"
#include "db/next_entry.h"
#include "db/rate.h"

/* An agent rings for half a minute, and the leg's news may be late. */
#define RING_FIRST_MS 60000

#define OWNER_RULE "callback.owner" /* the contact is kept for another agent */

/* What the first statement found. Ids are 0 when there is none. */
struct pick {
	bool runs;
	int calls_day; /* the campaign's limit; 0: none */
	int64_t session_id, agent_id;
	int turn;
	bool ring_first; /* the agent is not there yet */
	int64_t entry_id, contact_id;
	char entry_state[DB_WORD_SIZE];
	int dials;
	bool kept;        /* for an agent who is not this one */
	bool held;        /* the account or the caller id, by what Twilio said */
	bool number_ours; /* we hold the number's lock */
};

/*
 * Whoever stops the campaign waits for this lock, so that after the answer to a stop no call is
 * claimed any more.
 * $1 campaign, $2 node, $3 session or null, $4 manual, $5 entry or null, $6 own leg
 */
#define PICK_CAMPAIGN                                                                 \
	"WITH k AS (SELECT k.*, CASE WHEN $4 THEN k.state <> 'completed'"             \
	"  ELSE k.state = 'active' AND k.auto_dial AND k.dial_method = 'progressive'" \
	"   AND (k.lease_node IS NULL OR k.lease_node = $2::uuid"                     \
	"    OR k.lease_until < now()) END AS runs"                                   \
	"  FROM campaigns k WHERE k.id = $1 FOR SHARE)"
/*
 * Signed in for this campaign, or for all that the agent is assigned to.
 * Who has a callback that is due comes first; an entry that is kept for an agent gets no other.
 * Who is rung for each call has a conference for each: the turn goes up, unless the agent has
 * made this call's leg itself. While the leg of the last call is still there it is not free. Who has
 * paused, writes down the last call or is kept for somebody's call is had only by name. Nobody whose
 * node is being drained gets another call, whoever claims it.
 */
#define PICK_SESSION                                                                    \
	", s AS (SELECT a.id, a.user_id, NOT a.nailed OR $6 AS ring_first,"             \
	"  a.turn + (NOT a.nailed AND NOT $6)::int AS turn FROM agent_sessions a"       \
	"  WHERE a.id IN (SELECT i.id FROM agent_sessions i"                            \
	"    WHERE i.campaign_id = $1 AND i.ended_at IS NULL"                           \
	"   UNION ALL SELECT i.id FROM campaign_agents m JOIN agent_sessions i"         \
	"    ON i.user_id = m.user_id AND i.ended_at IS NULL AND i.campaign_id IS NULL" \
	"    WHERE m.campaign_id = $1) AND a.ended_at IS NULL"                          \
	"  AND (session_reachable(a.nailed, a.phone_up, a.twilio_up) OR $6)"            \
	"  AND (a.nailed OR $6 OR NOT EXISTS (SELECT 1 FROM call_legs l"                \
	"   WHERE l.id = a.leg_id AND l.left_at IS NULL))"                              \
	"  AND (a.state = 'ready'"                                                      \
	"   OR ($4 AND a.id = $3 AND a.state IN ('paused', 'wrap_up')))"                \
	"  AND (a.kept_until IS NULL OR a.kept_until <= now() OR ($4 AND a.id = $3))"   \
	"  AND CASE WHEN $3::bigint IS NULL THEN a.node_id = $2::uuid OR EXISTS ("      \
	"    SELECT 1 FROM nodes n WHERE n.id = a.node_id"                              \
	"    AND n.seen_at > now() - interval '10 seconds')"                            \
	"   ELSE a.id = $3 AND ($4 OR a.node_id = $2::uuid) END"                        \
	"  AND a.node_id NOT IN (SELECT n.id FROM nodes n WHERE n.draining)"            \
	"  AND (SELECT runs FROM k)"                                                    \
	"  AND COALESCE((SELECT q.agent_id FROM queue_entries q WHERE q.id = $5"        \
	"   AND q.agent_until > now()), a.user_id) = a.user_id"                         \
	"  ORDER BY EXISTS (SELECT 1 FROM queue_entries q WHERE q.campaign_id = $1"     \
	"   AND q.state = 'pending' AND q.agent_id = a.user_id AND q.run_at <= now()"   \
	"   AND $5::bigint IS NULL) DESC, a.state_since, a.id LIMIT 1"                  \
	"  FOR UPDATE SKIP LOCKED)"
/* What is kept for this agent, else what is anybody's. */
#define PICK_ANYBODYS                                                              \
	NEXT_ENTRY("q.*", " AND EXISTS (SELECT 1 FROM s) AND NOT EXISTS (SELECT 1" \
			  " FROM o) AND $5::bigint IS NULL")
#define PICK_NEXT_ENTRY                                                            \
	", o AS (SELECT q.* FROM queue_entries q"                                  \
	"  WHERE q.campaign_id = $1 AND q.state = 'pending' AND q.run_at <= now()" \
	"  AND q.agent_id = (SELECT user_id FROM s) AND $5::bigint IS NULL"        \
	"  ORDER BY q.run_at LIMIT 1 FOR UPDATE SKIP LOCKED)"                      \
	", n AS (" PICK_ANYBODYS ")"                                               \
	", e AS (SELECT * FROM o UNION ALL SELECT * FROM n)"
/* Waits: a second click must see what the first one did. */
#define PICK_THIS_ENTRY                                                                  \
	", e AS (SELECT q.* FROM queue_entries q WHERE q.campaign_id = $1 AND q.id = $5" \
	"  FOR UPDATE)"
#define PICK_RESULT                                                                      \
	" SELECT k.runs, k.max_calls_day, k.caller_id, k.ring_timeout_s, k.amd,"         \
	"  s.id, s.user_id, s.turn, s.ring_first, e.id, e.contact_id, e.state, e.dials," \
	"  e.agent_until > now() AND e.agent_id IS DISTINCT FROM s.user_id, c.phone,"    \
	"  pg_try_advisory_xact_lock(hashtextextended(c.phone, 7251664932)),"            \
	"  h.id IS NOT NULL, 'twilio.' || h.scope, h.reason"                             \
	" FROM k LEFT JOIN s ON true LEFT JOIN e ON true"                                \
	" LEFT JOIN contacts c ON c.id = e.contact_id"                                   \
	" LEFT JOIN LATERAL (SELECT t.* FROM twilio_stops t"                             \
	"  WHERE t.ended_at IS NULL AND ((t.scope = 'account' AND t.key = '')"           \
	"   OR (t.scope = 'caller' AND t.key = k.caller_id))"                            \
	"  ORDER BY t.scope LIMIT 1) h ON true"

static const char pick_next_sql[] =
	PICK_CAMPAIGN PICK_SESSION PICK_NEXT_ENTRY PICK_RESULT;
static const char pick_this_sql[] =
	PICK_CAMPAIGN PICK_SESSION PICK_THIS_ENTRY PICK_RESULT;

static int pick(struct db *db, const struct db_claim *claim, struct pick *p,
	struct db_claimed *claimed)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc;

	rc = db_run_one(db, claim->entry_id ? pick_this_sql : pick_next_sql,
		ARGS(arg_int(claim->campaign_id), arg_text(claim->node),
			arg_id(claim->session_id), arg_bool(claim->manual),
			arg_id(claim->entry_id), arg_bool(claim->own_leg)),
		&result);
	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	p->runs = row_bool(&row);
	p->calls_day = (int)row_int(&row);
	row_text(&row, claimed->caller_id, sizeof(claimed->caller_id));
	claimed->ring_timeout_s = (int)row_int(&row);
	row_text(&row, claimed->amd, sizeof(claimed->amd));
	p->session_id = row_int(&row);
	p->agent_id = row_int(&row);
	p->turn = (int)row_int(&row);
	p->ring_first = row_bool(&row);
	p->entry_id = row_int(&row);
	p->contact_id = row_int(&row);
	row_text(&row, p->entry_state, sizeof(p->entry_state));
	p->dials = (int)row_int(&row);
	p->kept = row_bool(&row);
	row_text(&row, claimed->number, sizeof(claimed->number));
	p->number_ours = row_bool(&row);
	p->held = row_bool(&row);
	row_text(&row, claimed->rule, sizeof(claimed->rule));
	row_text(&row, claimed->reason, sizeof(claimed->reason));
	PQclear(result);
	claimed->campaign_id = claim->campaign_id;
	claimed->entry_id = p->entry_id;
	claimed->contact_id = p->contact_id;
	return 0;
}

/* Reads with a fresh snapshot what the verdict may know: after the number was locked. */
static int read_facts(struct db *db, const struct db_claim *claim, const struct pick *p,
	struct db_claim_facts *facts)
{
	int rc = db_facts_read(db, claim->campaign_id, p->entry_id, facts);

	if (rc == 0 && !p->number_ours)
		facts->number_busy = true;
	return rc;
}

/*
 * Refused: the entry waits, or is skipped. 1: commit; 0: nothing was written. What is the
 * campaign's matter leaves the entry alone, and so does a person's click at a wrong moment.
 */
static int refuse(struct db *db, const struct db_claim *claim, const struct pick *p,
	const struct db_claim_verdict *verdict, struct db_claimed *claimed)
{
	int rc;

	claimed->result = DB_CLAIM_REFUSED;
	claimed->whole = verdict->whole;
	claimed->next_ms = verdict->next_ms;
	(void)snprintf(claimed->rule, sizeof(claimed->rule), "%s", verdict->rule);
	(void)snprintf(claimed->code, sizeof(claimed->code), "%s",
		verdict->code ? verdict->code : "");
	(void)snprintf(claimed->reason, sizeof(claimed->reason), "%s",
		verdict->reason ? verdict->reason : "");
	if (verdict->whole || (claim->manual && verdict->later))
		return 0;
	rc = db_entry_refuse(db, p->entry_id, verdict);
	return rc < 0 ? rc : 1;
}

/*
 * Everything that a call is, in one statement; nothing of it without a rate token, nor when others
 * have made the day's last call since the facts were read. Ids are drawn before the rest because
 * the label carries the leg's.
 */
#define WRITE_CALL                                                                         \
	"WITH rate AS (UPDATE account_rate r SET " RATE_TAKE " RETURNING 1),"              \
	" d AS (INSERT INTO campaign_days (campaign_id, day, calls)"                       \
	"  SELECT k.id, (now() AT TIME ZONE k.time_zone)::date, 1"                         \
	"  FROM rate JOIN campaigns k ON k.id = $1::bigint"                                \
	"  ON CONFLICT (campaign_id, day) DO UPDATE SET calls = campaign_days.calls + 1"   \
	"   WHERE $19::int = 0 OR campaign_days.calls < $19 RETURNING day),"               \
	" ids AS MATERIALIZED (SELECT nextval('calls_id_seq') AS call,"                    \
	"  nextval('call_legs_id_seq') AS leg, d.day FROM d),"                             \
	" c AS (INSERT INTO calls (id, campaign_id, contact_id, entry_id, attempt,"        \
	"  agent_session_id, agent_id, mode, number, caller_id, conference, node_id,"      \
	"  state, ring_first, verdict_rule, verdict_version, ring_timeout_s, deadline_at," \
	"  day)"                                                                           \
	"  OVERRIDING SYSTEM VALUE SELECT ids.call, $1::bigint, $2::bigint, $3::bigint,"   \
	"  $4::int, $5::bigint, $6::bigint, $7, $8, $9, $10, $11::uuid,"                   \
	"  CASE WHEN $18 THEN 'claimed' ELSE 'placing' END, $18, $12,"                     \
	"  $13::int, $14::int, now() + $15::int * interval '1 millisecond', ids.day"       \
	"  FROM ids),"                                                                     \
	" l AS (INSERT INTO call_legs (id, kind, call_id, turn, label, conference)"        \
	"  OVERRIDING SYSTEM VALUE SELECT ids.leg, 'customer', ids.call, $16::int,"        \
	"  'ovx-' || $17::text || '-' || ids.leg, $10 FROM ids RETURNING label),"          \
	" e AS (UPDATE queue_entries q SET state = 'dialing', reason = '',"                \
	"  dials = $4::int, attempts = q.attempts + 1, dialed_at = now()"                  \
	"  FROM ids WHERE q.id = $3::bigint),"                                             \
	" x AS (UPDATE contacts t SET locked_by = ids.call, attempts = t.attempts + 1,"    \
	"  last_attempt_at = now() FROM ids WHERE t.id = $2::bigint),"                     \
	" s AS (UPDATE agent_sessions a SET state = 'reserved', state_since = now(),"      \
	"  call_id = ids.call, turn = $16::int, kept_until = NULL,"                        \
	"  hold_until = now() + ($14::int + CASE WHEN $18 THEN 120 ELSE 60 END)"           \
	"   * interval '1 second'"                                                         \
	"  FROM ids WHERE a.id = $5::bigint)"                                              \
	" SELECT ids.call, ids.leg, l.label FROM rate"                                     \
	"  LEFT JOIN ids ON true LEFT JOIN l ON true"

/* 1: written; 0: no token; -EDQUOT: the day is full, and all of it is to be rolled back. */
static int write_call(struct db *db, const struct db_claim *claim, const struct pick *p,
	const struct db_claim_verdict *verdict, struct db_claimed *claimed)
{
	PGresult *result = NULL;
	int rc, written;

	rc = db_run(db, WRITE_CALL,
		ARGS(arg_int(claim->campaign_id), arg_int(p->contact_id),
			arg_int(p->entry_id), arg_int(p->dials + 1),
			arg_int(p->session_id), arg_int(p->agent_id),
			arg_text(claim->manual ? "manual" : "auto"),
			arg_text(claimed->number), arg_text(claimed->caller_id),
			arg_text(claimed->conference), arg_text(claim->node),
			arg_text(verdict->rule), arg_int(verdict->version),
			arg_int(claimed->ring_timeout_s),
			arg_int(p->ring_first ? RING_FIRST_MS : claim->deadline_ms),
			arg_int(p->turn), arg_text(claim->install),
			arg_bool(p->ring_first), arg_int(p->calls_day)),
		&result);
	if (rc < 0)
		return rc;
	written = PQntuples(result);
	if (written) {
		struct db_row row = db_row(result, 0);

		claimed->call_id = row_int(&row);
		claimed->leg_id = row_int(&row);
		row_text(&row, claimed->label, sizeof(claimed->label));
	}
	PQclear(result);
	return written && claimed->call_id == 0 ? -EDQUOT : written;
}

/*
 * What is kept for one agent is due for the others when its time is over. What was due for anybody
 * when we looked, and yet was not taken, somebody's transaction has.
 */
static int when_next(struct db *db, int64_t campaign_id, struct db_claimed *claimed)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc = db_run_one(db,
		"SELECT " MS(
			"min(n.run_at)") ", bool_or(n.anybodys AND n.run_at <= now())"
					 " FROM (SELECT w.run_at, true AS anybodys"
					 "  FROM generate_series(1, 9) AS p"
					 "  CROSS JOIN LATERAL (SELECT q.run_at FROM queue_entries q"
					 "   WHERE q.campaign_id = $1 AND q.state = 'pending'"
					 "   AND q.agent_id IS NULL AND q.priority = p"
					 "   ORDER BY q.run_at LIMIT 1) w"
					 "  UNION ALL SELECT CASE WHEN q.run_at > now() THEN q.run_at"
					 "   ELSE q.agent_until END, false FROM queue_entries q"
					 "   WHERE q.campaign_id = $1 AND q.state = 'pending'"
					 "   AND q.agent_id IS NOT NULL) n",
		ARGS(arg_int(campaign_id)), &result);

	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	claimed->next_ms = row_int(&row);
	claimed->locked = row_bool(&row);
	PQclear(result);
	return 0;
}

static int when_rate(struct db *db, int64_t *ret_wait_ms)
{
	return db_run_number(db, RATE_WAIT_SQL, NO_ARGS, ret_wait_ms);
}

/* Not this time, for a reason that is not the entry's. 1: it can go on. */
static int check_pick(struct db *db, const struct db_claim *claim, const struct pick *p,
	struct db_claimed *claimed)
{
	if (claim->entry_id && !p->entry_id)
		return -ENOENT;
	if (claim->entry_id && strcmp(p->entry_state, "pending") != 0)
		return -EALREADY;
	if (!p->runs) {
		claimed->result = DB_CLAIM_STOPPED;
	} else if (p->held) {
		claimed->result = DB_CLAIM_HELD;
		(void)snprintf(claimed->code, sizeof(claimed->code), "twilio");
	} else if (p->kept) {
		claimed->result = DB_CLAIM_REFUSED;
		(void)snprintf(claimed->rule, sizeof(claimed->rule), OWNER_RULE);
	} else if (!p->session_id) {
		claimed->result = DB_CLAIM_NO_AGENT;
	} else if (!p->entry_id) {
		claimed->result = DB_CLAIM_NO_ENTRY;
	} else {
		return 1;
	}
	if (claimed->result == DB_CLAIM_NO_ENTRY)
		return when_next(db, claim->campaign_id, claimed);
	return 0;
}

/* The number got an open call between our look and our write: the index said so. */
static int refuse_busy(struct db *db, const struct db_claim *claim, const struct pick *p,
	struct db_claim_facts *facts, struct db_claimed *claimed)
{
	struct db_claim_verdict verdict;

	facts->number_busy = true;
	verdict = claim->verdict(claim->arg, facts);
	verdict.later = true;
	if (verdict.allowed)
		verdict.rule = "number.busy";
	return refuse(db, claim, p, &verdict, claimed);
}

/* The day's last call was made between our look and our write. */
static int refuse_full(struct db *db, const struct db_claim *claim, const struct pick *p,
	struct db_claim_facts *facts, struct db_claimed *claimed)
{
	struct db_claim_verdict verdict;

	facts->calls_today = facts->limits.calls_day;
	verdict = claim->verdict(claim->arg, facts);
	verdict.later = verdict.whole = true;
	if (verdict.allowed)
		verdict.rule = "limit.calls_day";
	return refuse(db, claim, p, &verdict, claimed);
}

/*
 * A list that is taken in or deleted has its contacts for many minutes: nobody waits for them with
 * the account's rate in hand. Entry, then contact, is the claim's order; who takes them the other
 * way round must not be waited for either.
 */
static int lock_contact(struct db *db, const struct pick *p, bool *ret_ours)
{
	int64_t locked = 0;
	int rc = db_run_number(db,
		"SELECT count(*) FROM (SELECT 1 FROM contacts WHERE id = $1"
		" FOR NO KEY UPDATE SKIP LOCKED) x",
		ARGS(arg_int(p->contact_id)), &locked);

	*ret_ours = locked > 0;
	return rc;
}

#define HELD_MAX 1000

/* Where one contact is held, others are: a list of a million must not cost a million claims. */
static int pass_held(struct db *db, const struct db_claim *claim)
{
	int rc = db_queue_pass_held(db, claim->campaign_id, HELD_MAX);

	return rc < 0 ? rc : 1;
}

/*
 * The contact's number is the one that we hold the lock of, and that was dialled by hand. It may
 * have been written anew while our look waited.
 */
static bool same_number(const struct db_claim *claim, const struct db_claimed *claimed,
	const struct db_claim_facts *facts)
{
	return strcmp(facts->number, claimed->number) == 0 &&
	       (claim->dial == NULL || strcmp(claim->dial->number, claimed->number) == 0);
}

/* The call, or the refusal. 1: commit; 0: roll back, nothing was written. */
static int decide(struct db *db, const struct db_claim *claim, const struct pick *p,
	struct db_claimed *claimed)
{
	struct db_claim_verdict verdict;
	struct db_claim_facts facts;
	bool ours = false;
	int rc = lock_contact(db, p, &ours);

	if (rc == 0)
		rc = read_facts(db, claim, p, &facts);
	if (rc < 0)
		return rc;
	facts.locked = facts.locked || !ours || !same_number(claim, claimed, &facts);
	verdict = claim->verdict(claim->arg, &facts);
	if (!verdict.allowed) {
		rc = refuse(db, claim, p, &verdict, claimed);
		if (rc == 1 && !ours && !claim->entry_id)
			rc = pass_held(db, claim);
		return rc;
	}
	claimed->session_id = p->session_id;
	claimed->agent_id = p->agent_id;
	claimed->ring_first = p->ring_first;
	claimed->attempt = p->dials + 1;
	(void)snprintf(claimed->rule, sizeof(claimed->rule), "%s", verdict.rule);
	(void)snprintf(claimed->conference, sizeof(claimed->conference), "ovx-%s-%lld-%d",
		claim->install, (long long)p->session_id, p->turn);
	rc = write_call(db, claim, p, &verdict, claimed);
	if (rc == -EEXIST || rc == -EDQUOT) {
		db_rollback(db);
		rc = (rc == -EEXIST ? refuse_busy : refuse_full)(
			db, claim, p, &facts, claimed);
		return rc < 0 ? rc : 0;
	}
	if (rc == 0) {
		claimed->result = DB_CLAIM_RATE;
		return when_rate(db, &claimed->wait_ms);
	}
	return rc;
}

static int begin(struct db *db)
{
	int rc = db_begin(db);

	if (rc == 0)
		rc = db_script(db, DB_BY_INDEX);
	return rc;
}

/* Contact and entry of a dialled number: found or made, in this transaction. */
static int dial_entry(struct db *db, struct db_claim *claim, bool *ret_own)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc = db_run_one(db, "SELECT entry, own FROM dial_entry($1, $2, $3, $4)",
		ARGS(arg_int(claim->campaign_id), arg_id(claim->dial->contact_id),
			arg_text(claim->dial->number), arg_text(claim->dial->name)),
		&result);

	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	claim->entry_id = row_int(&row);
	*ret_own = row_bool(&row);
	PQclear(result);
	return claim->entry_id == 0 ? -ENOENT : 0;
}

/* What only a call that was dialled by hand has. `own`: see dial_entry(), 0004_agents.sql. */
static int write_dial(
	struct db *db, const struct db_claim *claim, bool own, int64_t call_id)
{
	int rc;

	if (claim->dial == NULL || (claim->dial->correlation == NULL && !own))
		return 1;
	rc = db_run_one(db,
		"UPDATE calls SET correlation = $2, own_entry = $3 WHERE id = $1",
		ARGS(arg_int(call_id), arg_text(claim->dial->correlation), arg_bool(own)),
		NULL);
	return rc < 0 ? rc : 1;
}

static int claim_once(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	struct db_claimed claimed = {.result = DB_CLAIM_CALL};
	struct db_claim wish = *claim;
	struct pick p;
	bool own = false;
	int rc = begin(db);

	if (rc == 0 && wish.dial != NULL)
		rc = dial_entry(db, &wish, &own);
	if (rc == 0)
		rc = pick(db, &wish, &p, &claimed);
	if (rc == 0)
		rc = check_pick(db, &wish, &p, &claimed);
	if (rc == 1)
		rc = decide(db, &wish, &p, &claimed);
	if (rc == 1 && claimed.result == DB_CLAIM_CALL)
		rc = write_dial(db, &wish, own, claimed.call_id);
	/* What was only dialled by hand is not kept for later; of a call, its end sees to that. */
	if (rc == 1 && wish.dial != NULL && claimed.result != DB_CLAIM_CALL)
		rc = 0;
	if (rc == 1)
		rc = db_commit(db);
	db_rollback(db);
	if (rc == 0)
		*ret_claimed = claimed;
	return rc;
}

#define HELD_TRIES 4

/*
 * An agent whom somebody else writes about is passed over, so that claims do not wait for each
 * other. A person who asks for one would be told that nobody is free, or that the contact is kept
 * for an agent who is that very one: waits until it is written.
 */
static bool agent_was_held(struct db *db, const struct db_claim *claim)
{
	int64_t held = 0;

	return db_run_number(db,
		       "SELECT count(*) FROM (SELECT 1 FROM agent_sessions a"
		       " WHERE a.ended_at IS NULL AND a.state IN ('ready', 'paused', 'wrap_up')"
		       " AND CASE WHEN $2::bigint IS NOT NULL THEN a.id = $2"
		       "  ELSE a.campaign_id = $1 OR a.campaign_id IS NULL END FOR SHARE) s",
		       ARGS(arg_int(claim->campaign_id), arg_id(claim->session_id)),
		       &held) == 0 &&
	       held > 0;
}

static bool found_nobody(const struct db_claimed *claimed)
{
	return claimed->result == DB_CLAIM_NO_AGENT ||
	       (claimed->result == DB_CLAIM_REFUSED &&
		       strcmp(claimed->rule, OWNER_RULE) == 0);
}

int db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	int rc = claim_once(db, claim, ret_claimed);

	/* Around the end of a call there is more than one who writes. */
	for (int i = 0; i < HELD_TRIES && rc == 0 && claim->manual &&
			found_nobody(ret_claimed) && agent_was_held(db, claim);
		i++)
		rc = claim_once(db, claim, ret_claimed);
	return rc;
}

int db_call_by_correlation(struct db *db, const char *correlation, int64_t *ret_call_id)
{
	return db_run_number(db, "SELECT id FROM calls WHERE correlation = $1",
		ARGS(arg_text(correlation)), ret_call_id);
}

int db_call_correlation(
	struct db *db, int64_t call_id, char *ret_correlation, size_t size)
{
	PGresult *result = NULL;
	struct db_row row;
	int rc = db_run_one(db, "SELECT correlation FROM calls WHERE id = $1",
		ARGS(arg_int(call_id)), &result);

	if (rc < 0)
		return rc;
	row = db_row(result, 0);
	row_text(&row, ret_correlation, size);
	PQclear(result);
	return 0;
}

int db_call_open_with(struct db *db, const char *number, int64_t *ret_call_id)
{
	return db_run_number(db, "SELECT call_id FROM open_calls WHERE number = $1",
		ARGS(arg_text(number)), ret_call_id);
}
