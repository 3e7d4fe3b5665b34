/* test_db_claim_races.c: what others do between the claim's look and its write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/callbacks.h"
#include "db/calls.h"
#include "db/campaigns.h"
#include "db/exec.h"
#include "db/nodes.h"
#include "db/queue.h"
#include "db/sessions.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

#define WAIT_MS 20000

static struct db *db, *other;

static int setup(void **state)
{
	int rc = world_open(state, &db);

	if (rc == 0)
		other = db_connect();
	return rc;
}

static int teardown(void **state)
{
	db_close(&other);
	return world_close(state, &db);
}

/* Until a statement like `sql` waits for a lock. */
static void wait_for_lock(const char *sql)
{
	int64_t until = clock_wall_ms() + WAIT_MS;

	while (strcmp(world_text("SELECT count(*) FROM pg_stat_activity WHERE"
				 " wait_event_type = 'Lock' AND query LIKE '%s'",
			      sql),
		       "0") == 0)
		assert_true(clock_wall_ms() < until);
}

/* ---- the day's limit ---- */

struct limit {
	int64_t campaign;
	bool raced; /* the other claim has been made */
};

/* As dialer/permission.c says it; the other claim comes after this one has read its facts. */
static struct db_claim_verdict as_the_limit_says(
	void *arg, const struct db_claim_facts *facts)
{
	struct limit *limit = arg;
	bool full = facts->calls_today >= facts->limits.calls_day;

	if (!limit->raced) {
		struct db_claim claim = world_claim(limit->campaign);
		struct db_claimed claimed;

		limit->raced = true;
		claim.verdict = as_the_limit_says;
		claim.arg = limit;
		assert_int_equal(db_call_claim(other, &claim, &claimed), 0);
		assert_int_equal(claimed.result, DB_CLAIM_CALL);
	}
	return (struct db_claim_verdict){.allowed = !full,
		.later = full,
		.whole = full,
		.rule = full ? "limit.calls_day" : "ok",
		.next_ms = full ? facts->day_ends_ms : 0};
}

static void two_claims_at_once_do_not_pass_the_calls_of_a_day(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		int most = 1 + i / 2; /* the day's first calls, and one that follows */
		struct limit limit = {.campaign = world_campaign(3, 3)};
		struct db_claim claim = world_claim(limit.campaign);
		struct db_claimed c;

		if (most == 2)
			(void)world_call(db, limit.campaign);
		(void)world_text(
			"UPDATE campaigns SET max_calls_day = %d WHERE id = %lld", most,
			(long long)limit.campaign);
		claim.verdict = as_the_limit_says;
		claim.arg = &limit;
		claim.manual = i % 2 == 1;
		if (claim.manual)
			claim.entry_id =
				atoll(world_text("SELECT max(id) FROM queue_entries"
						 " WHERE campaign_id = %lld",
					(long long)limit.campaign));
		assert_int_equal(db_call_claim(db, &claim, &c), 0);
		assert_int_equal(c.result, DB_CLAIM_REFUSED);
		assert_string_equal(c.rule, "limit.calls_day");
		assert_true(c.whole && c.next_ms > clock_wall_ms());
		/* Nothing of the call is there, and its contact waits as before. */
		assert_string_equal(
			world_text("SELECT concat_ws(' ', d.calls, (SELECT count(*)"
				   "  FROM calls c WHERE c.campaign_id = k.id),"
				   " (SELECT count(*) FROM queue_entries q"
				   "  WHERE q.campaign_id = k.id AND q.state = 'pending'"
				   "  AND q.run_at <= now() AND q.dials = 0),"
				   " (SELECT count(*) FROM agent_sessions s"
				   "  WHERE s.campaign_id = k.id AND s.state = 'ready'))"
				   " FROM campaigns k JOIN campaign_days d"
				   " ON d.campaign_id = k.id WHERE k.id = %lld",
				(long long)limit.campaign),
			most == 1 ? "1 1 2 2" : "2 2 1 1");
	}
}

/* ---- an agent whom somebody else writes about ---- */

static struct db_claim_verdict unless_locked(
	void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	return (struct db_claim_verdict){.allowed = !facts->locked,
		.later = facts->locked,
		.rule = facts->locked ? "contact.locked" : "ok"};
}

struct asking {
	int64_t campaign, entry, session;
	struct db_dial *dial;
	struct db_claimed claimed;
	int rc;
	atomic_bool done;
};

static void *call_now(void *arg)
{
	struct asking *asking = arg;
	struct db_claim claim = world_claim(asking->campaign);

	claim.manual = true;
	claim.entry_id = asking->entry;
	claim.session_id = asking->session;
	claim.dial = asking->dial;
	claim.verdict = unless_locked;
	asking->rc = db_call_claim(other, &claim, &asking->claimed);
	atomic_store(&asking->done, true);
	return NULL;
}

static void who_asks_by_hand_waits_for_what_is_written_about_the_agent(void **state)
{
	(void)state;
	/* Named or not, and of a contact that is kept for that agent. */
	for (int i = 0; i < 3; i++) {
		struct asking asking = {.campaign = world_campaign(1, 1)};
		int64_t session = atoll(world_text("SELECT id FROM agent_sessions"
						   " WHERE campaign_id = %lld",
			(long long)asking.campaign));
		pthread_t thread;

		asking.entry = atoll(world_text("SELECT id FROM queue_entries"
						" WHERE campaign_id = %lld",
			(long long)asking.campaign));
		asking.session = i > 0 ? session : 0;
		if (i == 2)
			(void)world_text(
				"UPDATE queue_entries SET agent_until = now() + interval '1 hour',"
				" agent_id = (SELECT user_id FROM agent_sessions WHERE id = %lld)"
				" WHERE id = %lld",
				(long long)session, (long long)asking.entry);
		assert_int_equal(db_begin(db), 0);
		assert_int_equal(
			db_run(db,
				"SELECT 1 FROM agent_sessions WHERE id = $1 FOR UPDATE",
				ARGS(arg_int(session)), NULL),
			0);
		assert_int_equal(pthread_create(&thread, NULL, call_now, &asking), 0);
		while (!atomic_load(&asking.done) &&
			db_number("SELECT count(*) FROM pg_stat_activity"
				  " WHERE wait_event_type = 'Lock'") == 0)
			(void)usleep(1000);
		assert_int_equal(db_commit(db), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(asking.rc, 0);
		assert_int_equal(asking.claimed.result, DB_CLAIM_CALL);
		assert_true(asking.claimed.session_id == session);
	}
}

/* ---- deletion ---- */

struct archiving {
	int64_t campaign;
	pthread_t thread;
	int rc;
};

static void *archive(void *arg)
{
	struct archiving *a = arg;

	a->rc = db_campaign_archive(other, a->campaign);
	return NULL;
}

/* Goes on when the other one waits for the claim. */
static struct db_claim_verdict while_it_is_deleted(
	void *arg, const struct db_claim_facts *facts)
{
	struct archiving *a = arg;

	(void)facts;
	assert_int_equal(pthread_create(&a->thread, NULL, archive, a), 0);
	wait_for_lock("%campaigns%");
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void a_campaign_is_not_deleted_when_a_call_of_it_was_just_claimed(void **state)
{
	struct archiving a = {.campaign = world_campaign(1, 1)};
	struct db_claim claim = world_claim(a.campaign);
	struct db_claimed c;

	(void)state;
	claim.verdict = while_it_is_deleted;
	claim.arg = &a;
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	(void)pthread_join(a.thread, NULL);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	assert_int_equal(a.rc, -EBUSY);
	assert_string_equal(world_text("SELECT state FROM campaigns WHERE id = %lld",
				    (long long)a.campaign),
		"active");
	assert_int_equal(world_event(db, c.call_id, "completed", 1), 1);
	assert_int_equal(db_campaign_archive(other, a.campaign), 0);
	assert_int_equal(db_campaign_archive(other, a.campaign), -EALREADY);
}

/* ---- the end of a node ---- */

struct leaving {
	pthread_t thread;
	size_t count;
	int rc;
};

static void *sign_out(void *arg)
{
	struct leaving *l = arg;
	int64_t *ids = NULL;

	l->rc = db_node_sign_out(other, NODE, &ids, &l->count);
	free(ids);
	return NULL;
}

/* Goes on when who signs out waits for the claim. */
static struct db_claim_verdict while_its_node_leaves(
	void *arg, const struct db_claim_facts *facts)
{
	struct leaving *l = arg;

	(void)facts;
	assert_int_equal(pthread_create(&l->thread, NULL, sign_out, l), 0);
	wait_for_lock("UPDATE agent_sessions%");
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void an_agent_is_not_signed_out_when_a_call_was_just_claimed_for_it(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	struct db_agent_session session;
	struct leaving l = {.rc = -1};
	struct db_claimed c;

	(void)state;
	claim.verdict = while_its_node_leaves;
	claim.arg = &l;
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	(void)pthread_join(l.thread, NULL);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	assert_int_equal(l.rc, 0);
	assert_int_equal(db_agent_session_get(db, c.session_id, &session), 0);
	assert_string_equal(session.state, "reserved");
	assert_true(session.call_id == c.call_id);
	assert_int_equal(world_event(db, c.call_id, "completed", 1), 1);
	(void)sign_out(&l);
	assert_int_equal(l.count, 1);
}

/* ---- a list that is being taken in ---- */

static int64_t contact_of(int64_t campaign, const char *what)
{
	return atoll(world_text("SELECT contact_id FROM queue_entries WHERE campaign_id ="
				" %lld AND state = '%s' ORDER BY id LIMIT 1",
		(long long)campaign, what));
}

/* An upload that writes over contacts has them until it commits. */
static void upload(int64_t contact)
{
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(
		db_run_one(other, "UPDATE contacts SET email = 'x' WHERE id = $1",
			ARGS(arg_int(contact)), NULL),
		0);
}

static void nobody_waits_for_a_contact_that_is_written_over(void **state)
{
	int64_t busy = world_campaign(1, 1), free_one = world_campaign(1, 1);
	struct db_claim claim = world_claim(busy);
	struct db_claimed c;
	int64_t start = clock_wall_ms();

	(void)state;
	claim.verdict = unless_locked;
	upload(contact_of(busy, "pending"));
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(c.rule, "contact.locked");
	(void)world_call(db, free_one);
	db_rollback(other);
	(void)world_text(
		"UPDATE queue_entries SET run_at = now() WHERE campaign_id = %lld",
		(long long)busy);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_CALL);
	/* It would have waited for as long as DB_STATEMENT_MS, and failed. */
	assert_true(clock_wall_ms() - start < 5000);
}

/* A list of which most is written over, and a campaign beside it. */
static void one_claim_passes_over_all_contacts_that_are_held(void **state)
{
	int64_t campaign = world_campaign(1, 40);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	claim.verdict = unless_locked;
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(db_run(other,
				 "UPDATE contacts SET email = 'x' WHERE id IN (SELECT"
				 " contact_id FROM queue_entries WHERE campaign_id = $1"
				 " ORDER BY id LIMIT 38)",
				 ARGS(arg_int(campaign)), NULL),
		0);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_string_equal(c.rule, "contact.locked");
	assert_string_equal(
		world_text("SELECT count(*) FROM queue_entries WHERE campaign_id = %lld"
			   " AND run_at BETWEEN now() + interval '30 s'"
			   "  AND now() + interval '60 s'",
			(long long)campaign),
		"38");
	/* What nobody holds is called, in its turn, while the others are still held. */
	c = world_call(db, campaign);
	assert_string_equal(
		world_text("SELECT count(*) FROM queue_entries WHERE campaign_id = %lld"
			   " AND id < %lld AND reason = 'locked'",
			(long long)campaign, (long long)c.entry_id),
		"37");
	db_rollback(other);
}

static void a_call_ends_while_its_contact_is_written_over(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed c = world_call(db, campaign), next;
	struct db_claim claim = world_claim(campaign);
	struct db_agent_session *sessions = NULL;
	const char *held =
		"SELECT concat_ws(' ', locked_by IS NOT NULL, last_outcome, attempts)"
		" FROM contacts WHERE id = %lld";
	size_t count = 0;

	(void)state;
	upload(c.contact_id);
	assert_int_equal(world_event(db, c.call_id, "busy", 1), 1);
	assert_string_equal(world_text(held, (long long)c.contact_id), "t 1");
	assert_string_equal(
		world_text("SELECT state FROM agent_sessions WHERE campaign_id = %lld",
			(long long)campaign),
		"ready");
	assert_int_equal(db_commit(other), 0);
	/* Nobody takes the contact from it before it is let go: its outcome would be lost. */
	claim.verdict = unless_locked;
	(void)world_text(
		"UPDATE queue_entries SET run_at = now() WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_call_claim(db, &claim, &next), 0);
	assert_string_equal(next.rule, "contact.locked");
	assert_int_equal(
		db_sweep(db, "00000000-0000-0000-0000-000000000001", &sessions, &count),
		0);
	free(sessions);
	assert_string_equal(world_text(held, (long long)c.contact_id), "f busy 1");
}

/* ---- what is written anew while a claim waits ---- */

static const char renumber[] = "UPDATE contacts SET phone = $2 WHERE id = $1";

/* `sql` comes after the claim's look, which waits for what `db` has locked. */
static void changes_meanwhile(struct asking *asking, const char *sql, int64_t id,
	const char *value, const char *rule)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, call_now, asking), 0);
	wait_for_lock("%");
	assert_int_equal(
		db_run_one(db, sql, ARGS(arg_int(id), arg_text(value)), NULL), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(asking->rc, 0);
	assert_int_equal(asking->claimed.result, DB_CLAIM_REFUSED);
	assert_string_equal(asking->claimed.rule, rule);
}

/* The campaign's one entry, locked by `db`. */
static int64_t hold_entry(int64_t campaign)
{
	int64_t entry;

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run_number(db,
				 "SELECT id FROM queue_entries WHERE campaign_id = $1"
				 " FOR UPDATE",
				 ARGS(arg_int(campaign)), &entry),
		0);
	return entry;
}

static void who_is_kept_for_another_meanwhile_is_not_called(void **state)
{
	struct asking asking = {.campaign = world_campaign(1, 1)};
	char agent[32];

	(void)state;
	asking.entry = hold_entry(asking.campaign);
	/* A copy: what waits for a lock asks often, and each answer takes one of few buffers. */
	(void)snprintf(agent, sizeof(agent), "%s",
		world_text("SELECT user_id FROM agent_sessions WHERE campaign_id = %lld",
			(long long)world_campaign(1, 1)));
	changes_meanwhile(&asking,
		"UPDATE queue_entries SET agent_id = $2::bigint, agent_until = now()"
		" + interval '1 hour' WHERE id = $1",
		asking.entry, agent, "callback.owner");
}

/* Else one number is judged, and another is called that nobody may call any more. */
static void the_number_that_was_judged_is_the_one_that_is_called(void **state)
{
	struct asking asking = {.campaign = world_campaign(1, 1)};

	(void)state;
	asking.entry = hold_entry(asking.campaign);
	changes_meanwhile(&asking, renumber, contact_of(asking.campaign, "pending"),
		"+15557770001", "contact.locked");
	(void)call_now(&asking);
	assert_int_equal(asking.claimed.result, DB_CLAIM_CALL);
	assert_string_equal(asking.claimed.number, "+15557770001");
	assert_int_equal(world_event(db, asking.claimed.call_id, "completed", 1), 1);
}

static void the_number_that_was_dialled_is_the_one_that_is_called(void **state)
{
	struct db_dial dial = {.number = "+15557770002", .name = ""};
	struct asking asking = {.campaign = world_campaign(1, 1), .dial = &dial};
	int64_t contact = contact_of(asking.campaign, "pending");

	(void)state;
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = %lld", dial.number,
		(long long)contact);
	(void)world_text(
		"DELETE FROM queue_entries WHERE contact_id = %lld", (long long)contact);
	/* It has no entry: to make one waits for who holds the contact. */
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "SELECT 1 FROM contacts WHERE id = $1 FOR UPDATE",
				 ARGS(arg_int(contact)), NULL),
		0);
	changes_meanwhile(&asking, renumber, contact, "+15557770003", "contact.locked");
}

/* ---- a promise that is taken back ---- */

struct taking_back {
	int64_t callback;
	int rc;
};

static void *take_back(void *arg)
{
	struct taking_back *t = arg;

	t->rc = db_callback_cancel(other, t->callback);
	return NULL;
}

/* The end of the call gives the promise an entry; it is taken back before that is committed. */
static void a_promise_is_taken_back_while_it_gets_its_entry(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed c = world_call(db, campaign);
	struct taking_back t = {.rc = -1};
	pthread_t thread;

	(void)state;
	assert_int_equal(db_callback_create(db,
				 &(struct db_callback){.campaign_id = campaign,
					 .contact_id = c.contact_id,
					 .due_ms = clock_wall_ms() + 60000,
					 .grace_s = 600,
					 .note = ""},
				 &t.callback),
		0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(world_event(db, c.call_id, "completed", 1), 1);
	assert_int_equal(pthread_create(&thread, NULL, take_back, &t), 0);
	wait_for_lock("%");
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(t.rc, 0);
	assert_string_equal(world_text("SELECT string_agg(DISTINCT state, ' ') FROM"
				       " queue_entries WHERE campaign_id = %lld",
				    (long long)campaign),
		"completed skipped");
	assert_string_equal(
		world_text("SELECT state || COALESCE(entry_id, 0) FROM callbacks"
			   " WHERE id = %lld",
			(long long)t.callback),
		"cancelled0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_claims_at_once_do_not_pass_the_calls_of_a_day),
		cmocka_unit_test(
			who_asks_by_hand_waits_for_what_is_written_about_the_agent),
		cmocka_unit_test(
			a_campaign_is_not_deleted_when_a_call_of_it_was_just_claimed),
		cmocka_unit_test(
			an_agent_is_not_signed_out_when_a_call_was_just_claimed_for_it),
		cmocka_unit_test(nobody_waits_for_a_contact_that_is_written_over),
		cmocka_unit_test(one_claim_passes_over_all_contacts_that_are_held),
		cmocka_unit_test(a_call_ends_while_its_contact_is_written_over),
		cmocka_unit_test(who_is_kept_for_another_meanwhile_is_not_called),
		cmocka_unit_test(the_number_that_was_judged_is_the_one_that_is_called),
		cmocka_unit_test(the_number_that_was_dialled_is_the_one_that_is_called),
		cmocka_unit_test(a_promise_is_taken_back_while_it_gets_its_entry),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
