/* test_db_claim.c: the claim: who may call whom, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/exec.h"
#include "unit/db_cluster.h"
#include "unit/db_world.h"

static struct db *db;

static int setup(void **state)
{
	return world_open(state, &db);
}

static int teardown(void **state)
{
	return world_close(state, &db);
}

static enum db_claim_result claim_result(struct db_claim claim)
{
	struct db_claimed claimed;

	assert_int_equal(db_call_claim(db, &claim, &claimed), 0);
	return claimed.result;
}

static void a_claim_writes_the_whole_call_and_holds_everybody(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claimed c = world_call(db, campaign);
	struct db_call call;
	char expected[64];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "ovx-test-%lld", (long long)c.leg_id);
	assert_string_equal(c.label, expected);
	(void)snprintf(
		expected, sizeof(expected), "ovx-test-%lld-1", (long long)c.session_id);
	assert_string_equal(c.conference, expected);
	assert_int_equal(db_call_get(db, c.call_id, &call), 0);
	assert_string_equal(call.state, "placing");
	assert_string_equal(call.number, c.number);
	assert_string_equal(call.verdict_rule, "ok");
	assert_int_equal(call.attempt, 1);
	assert_string_equal(
		world_text("SELECT state || dials || attempts FROM queue_entries"
			   " WHERE id = %lld",
			(long long)c.entry_id),
		"dialing11");
	assert_string_equal(
		world_text("SELECT state FROM agent_sessions WHERE call_id = %lld"
			   " AND hold_until = now()"
			   "  + interval '90 seconds' - (now() - state_since)",
			(long long)c.call_id),
		"reserved");
	assert_string_equal(
		world_text("SELECT attempts FROM contacts WHERE locked_by = %lld",
			(long long)c.call_id),
		"1");
	assert_int_equal(claim_result(world_claim(campaign)), DB_CLAIM_NO_AGENT);
}

static void the_longest_waiting_agent_gets_the_most_urgent_entry(void **state)
{
	int64_t campaign = world_campaign(3, 3);
	struct db_claimed c;

	(void)state;
	(void)world_text(
		"UPDATE agent_sessions SET state_since = now() - interval '1 hour'"
		" WHERE id = (SELECT max(id) FROM agent_sessions)");
	(void)world_text("UPDATE queue_entries SET priority = 1"
			 " WHERE id = (SELECT max(id) FROM queue_entries)");
	c = world_call(db, campaign);
	assert_string_equal(world_text("SELECT max(id) = %lld FROM agent_sessions",
				    (long long)c.session_id),
		"t");
	assert_string_equal(world_text("SELECT max(id) = %lld FROM queue_entries",
				    (long long)c.entry_id),
		"t");
}

static void nothing_due_tells_when_something_will_be(void **state)
{
	int64_t campaign = world_campaign(1, 2);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	(void)world_text("UPDATE queue_entries SET run_at = now() + interval '1 hour',"
			 " priority = 1 + id %% 2 WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_NO_ENTRY);
	assert_in_range(c.next_ms, clock_wall_ms() + 3500000, clock_wall_ms() + 3600000);
	(void)world_text("DELETE FROM queue_entries WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_NO_ENTRY);
	assert_int_equal(c.next_ms, 0);
}

static void only_the_node_with_the_lease_dials_by_itself(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);

	(void)state;
	(void)world_text("UPDATE campaigns SET lease_node = '" OTHER_NODE "',"
			 " lease_until = now() + interval '10 s' WHERE id = %lld",
		(long long)campaign);
	assert_int_equal(claim_result(claim), DB_CLAIM_STOPPED);
	(void)world_text("UPDATE campaigns SET lease_until = now() WHERE id = %lld",
		(long long)campaign);
	claim.node = OTHER_NODE; /* no agents there */
	assert_int_equal(claim_result(claim), DB_CLAIM_NO_AGENT);
	claim.node = NODE;
	assert_int_equal(claim_result(claim), DB_CLAIM_CALL);
}

static void call_now_takes_the_paused_agent_it_names_of_a_paused_campaign(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	(void)world_text(
		"UPDATE agent_sessions SET state = 'paused' WHERE campaign_id = %lld",
		(long long)campaign);
	assert_int_equal(claim_result(claim), DB_CLAIM_NO_AGENT);
	(void)world_text("UPDATE campaigns SET state = 'paused' WHERE id = %lld",
		(long long)campaign);
	assert_int_equal(claim_result(claim), DB_CLAIM_STOPPED);
	claim.manual = true;
	claim.entry_id = strtoll(
		world_text("SELECT id FROM queue_entries WHERE campaign_id = %lld",
			(long long)campaign),
		NULL, 10);
	assert_int_equal(claim_result(claim), DB_CLAIM_NO_AGENT); /* it may be at lunch */
	claim.session_id = strtoll(
		world_text("SELECT id FROM agent_sessions WHERE campaign_id = %lld",
			(long long)campaign),
		NULL, 10);
	assert_int_equal(claim_result(claim), DB_CLAIM_CALL);
	assert_int_equal(db_call_claim(db, &claim, &c), -EALREADY); /* a double click */
	claim.entry_id++;
	assert_int_equal(db_call_claim(db, &claim, &c), -ENOENT);
	claim.campaign_id = -1;
	assert_int_equal(db_call_claim(db, &claim, &c), -ENOENT);
	claim.campaign_id = campaign;
	(void)world_text("UPDATE campaigns SET state = 'completed' WHERE id = %lld",
		(long long)campaign);
	claim.entry_id = 0;
	assert_int_equal(claim_result(claim), DB_CLAIM_STOPPED);
}

static struct db_claim_verdict never(void *arg, const struct db_claim_facts *facts)
{
	*(struct db_claim_facts *)arg = *facts;
	return (struct db_claim_verdict){.rule = "test.never", .version = 7};
}

static struct db_claim_verdict later(void *arg, const struct db_claim_facts *facts)
{
	(void)never(arg, facts);
	return (struct db_claim_verdict){.later = true, .rule = "test.later"};
}

static void a_verdict_of_no_skips_and_of_later_postpones(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	struct db_claim_facts facts;
	struct db_claimed c;

	(void)state;
	claim.verdict = later;
	claim.arg = &facts;
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(c.rule, "test.later");
	assert_int_equal(facts.attempts, 0);
	assert_int_equal(facts.max_attempts, 3);
	assert_true(facts.campaign_active && !facts.number_busy && !facts.locked);
	assert_true(facts.run_at_ms <= facts.now_ms);
	assert_string_equal(world_text("SELECT run_at > now() + interval '55 s'"
				       " FROM queue_entries WHERE id = %lld",
				    (long long)c.entry_id),
		"t");
	(void)world_text("UPDATE queue_entries SET run_at = now() WHERE id = %lld",
		(long long)c.entry_id);
	claim.verdict = never;
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(
		world_text(
			"SELECT state FROM queue_entries WHERE id = %lld AND outcome IS NULL",
			(long long)c.entry_id),
		"skipped");
	assert_string_equal(world_text("SELECT count(*) FROM agent_sessions WHERE state ="
				       " 'ready' AND campaign_id = %lld",
				    (long long)campaign),
		"1");
}

static void a_number_in_a_call_is_busy_in_every_campaign(void **state)
{
	int64_t first = world_campaign(1, 1), second = world_campaign(1, 1);
	struct db_claimed c = world_call(db, first);
	struct db_claim claim = world_claim(second);

	(void)state;
	(void)world_text("UPDATE contacts SET phone = '%s' WHERE id = (SELECT contact_id"
			 " FROM queue_entries WHERE campaign_id = %lld)",
		c.number, (long long)second);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(c.rule, "number.busy");
}

static struct db_claim_verdict sneak(void *arg, const struct db_claim_facts *facts)
{
	/* Somebody who does not ask for the number's lock calls it just now. */
	(void)world_text(
		"INSERT INTO calls (campaign_id, attempt, mode, number, caller_id,"
		" conference, node_id, state, verdict_rule, verdict_version,"
		" ring_timeout_s) SELECT id, 1, 'auto', '%s', '', '', '" NODE "',"
		" 'placing', '', 0, 30 FROM campaigns WHERE id = %lld"
		" AND NOT EXISTS (SELECT 1 FROM calls WHERE number = '%s')",
		facts->number, (long long)*(int64_t *)arg, facts->number);
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void the_index_refuses_what_the_verdict_could_not_see(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	claim.verdict = sneak;
	claim.arg = &campaign;
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_REFUSED);
	assert_string_equal(c.rule, "number.busy");
	assert_string_equal(world_text("SELECT state FROM queue_entries WHERE id = %lld"
				       " AND run_at > now()",
				    (long long)c.entry_id),
		"pending");
}

static void calls_per_second_are_counted_over_all_campaigns(void **state)
{
	int64_t campaign = world_campaign(4, 4);
	struct db_claim claim = world_claim(campaign);
	struct db_claimed c;

	(void)state;
	world_tables(db, 0.5);
	(void)world_text(
		"UPDATE account_rate SET tokens = 1, filled_at = clock_timestamp()");
	assert_int_equal(claim_result(claim), DB_CLAIM_CALL);
	assert_int_equal(db_call_claim(db, &claim, &c), 0);
	assert_int_equal(c.result, DB_CLAIM_RATE);
	assert_in_range(c.wait_ms, 1, 2000);
	assert_string_equal(
		world_text("SELECT count(*) FROM calls WHERE campaign_id = %lld",
			(long long)campaign),
		"1");
	(void)world_text(
		"UPDATE account_rate SET filled_at = filled_at - interval '1 hour'");
	assert_int_equal(
		claim_result(claim), DB_CLAIM_CALL); /* and no more than one of them */
	assert_int_equal(claim_result(claim), DB_CLAIM_RATE);
	world_tables(db, 1000000);
	(void)world_text("UPDATE account_rate SET tokens = 1000000");
}

/* ---- many at once ---- */

static atomic_int placed;

static void *dial_all(void *arg)
{
	struct db *own = NULL;
	struct db_claim claim = world_claim(*(int64_t *)arg);
	int64_t end = clock_mono_ms() + 60000;

	if (db_open(db_cluster_url, 10000, &own) < 0)
		return NULL;
	while (atomic_load(&placed) < 200 && clock_mono_ms() < end) {
		struct db_claimed c;

		if (db_call_claim(own, &claim, &c) < 0 || c.result != DB_CLAIM_CALL)
			continue;
		atomic_fetch_add(&placed, 1);
		/* Busy: the agent is free again at once. */
		(void)db_run(own,
			"SELECT apply_call_events(ARRAY[$1::bigint], '{gateway}', ARRAY[$2],"
			" '{NULL}', '{busy}', '{1}', '{\"\"}', '{NULL}', '{NULL}', '{NULL}')",
			ARGS(arg_int(c.call_id), arg_text(c.label)), NULL);
	}
	db_close(&own);
	return NULL;
}

static void many_claims_at_once_never_share_an_entry_a_number_or_an_agent(void **state)
{
	int64_t campaign = world_campaign(3, 200);
	pthread_t threads[3];

	(void)state;
	/* An agent in two open calls at once would break this index. */
	(void)world_text(
		"CREATE UNIQUE INDEX one_call_an_agent ON calls (agent_session_id)"
		" WHERE state <> 'ended'");
	atomic_store(&placed, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, dial_all, &campaign), 0);
	for (int i = 0; i < 3; i++)
		(void)pthread_join(threads[i], NULL);
	(void)world_text("DROP INDEX one_call_an_agent");
	assert_int_equal(atomic_load(&placed), 200);
	assert_string_equal(
		world_text("SELECT count(*) || ' ' || count(DISTINCT entry_id) || ' '"
			   " || count(DISTINCT number) || ' ' || max(attempt)"
			   " FROM calls WHERE campaign_id = %lld",
			(long long)campaign),
		"200 200 200 1");
	assert_string_equal(world_text("SELECT count(*) FROM agent_sessions WHERE state ="
				       " 'ready' AND campaign_id = %lld",
				    (long long)campaign),
		"3");
	assert_string_equal(
		world_text(
			"SELECT count(*) FROM contacts WHERE locked_by IS NOT NULL"
			" AND phone IN (SELECT number FROM calls WHERE campaign_id = %lld)",
			(long long)campaign),
		"0");
}

static struct db_claim_verdict die(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	(void)facts;
	(void)kill(getpid(), SIGKILL);
	return (struct db_claim_verdict){.allowed = true, .rule = "ok"};
}

static void a_process_killed_inside_its_claim_holds_nothing(void **state)
{
	int64_t campaign = world_campaign(1, 1);
	struct db_claim claim = world_claim(campaign);
	int64_t end = clock_mono_ms() + 10000;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct db *own = NULL;
		struct db_claimed c;

		claim.verdict = die;
		(void)db_open(db_cluster_url, 10000, &own);
		(void)db_call_claim(own, &claim, &c);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	/* Until the server has noticed, its locks are skipped, not waited for. */
	while (claim_result(claim) != DB_CLAIM_CALL)
		assert_true(clock_mono_ms() < end);
	assert_string_equal(
		world_text("SELECT count(*) FROM calls WHERE campaign_id = %lld",
			(long long)campaign),
		"1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_writes_the_whole_call_and_holds_everybody),
		cmocka_unit_test(the_longest_waiting_agent_gets_the_most_urgent_entry),
		cmocka_unit_test(nothing_due_tells_when_something_will_be),
		cmocka_unit_test(only_the_node_with_the_lease_dials_by_itself),
		cmocka_unit_test(
			call_now_takes_the_paused_agent_it_names_of_a_paused_campaign),
		cmocka_unit_test(a_verdict_of_no_skips_and_of_later_postpones),
		cmocka_unit_test(a_number_in_a_call_is_busy_in_every_campaign),
		cmocka_unit_test(the_index_refuses_what_the_verdict_could_not_see),
		cmocka_unit_test(calls_per_second_are_counted_over_all_campaigns),
		cmocka_unit_test(
			many_claims_at_once_never_share_an_entry_a_number_or_an_agent),
		cmocka_unit_test(a_process_killed_inside_its_claim_holds_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
