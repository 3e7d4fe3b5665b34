/*
 * test_campaign_runner.c: gateway/campaign.c and campaign_claim.c: whose turn it is, what holds a
 * campaign up and for how long, with a database, agents and a clock that do as they are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/post.h"
#include "base/timers.h"
#include "db/calls.h"
#include "gateway/campaign.h"
#include "gateway/campaign_run.h"
#include "gateway/reason.h"

#define DEADLINE_MS 20000
#define START_MS 1000000
#define CLAIMS_MAX 64
#define LOOK_MS 2000 /* as in campaign.c */
#define IDLE_MS 1000 /* these as in campaign_claim.c */
#define WHOLE_MS 10000
#define GENERATE_MS 60000

static struct gateway gw;
static int64_t now;

/* What the database and the others say, and how often they were asked. */
static struct db_campaign rows[3];
static size_t row_count;
static int lease_err, claim_err;
static struct db_claimed script[CLAIMS_MAX]; /* then: no agent */
static size_t script_count, script_at;
static int64_t claimed_for[CLAIMS_MAX], made;
static unsigned ready;
static bool drained;
static _Atomic unsigned claims, leases, leased_ms, recovers, postponed, generated, placed;
static unsigned told;
static char last_told[4][256]; /* by campaign */
static atomic_bool gated;
static sem_t gate, at_gate;

static void wait_at_gate(void)
{
	if (!gated)
		return;
	(void)sem_post(&at_gate);
	(void)sem_wait(&gate);
}

int __wrap_db_rate_recover(struct db *db);
int __wrap_db_rate_recover(struct db *db)
{
	(void)db;
	recovers++;
	return 0;
}

int __wrap_db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count);
int __wrap_db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count)
{
	(void)db;
	leases += node == gw.node;
	leased_ms = lease_ms;
	wait_at_gate();
	if (lease_err < 0)
		return lease_err;
	*ret_campaigns = calloc(row_count + 1, sizeof(rows[0]));
	memcpy(*ret_campaigns, rows, row_count * sizeof(rows[0]));
	*ret_count = row_count;
	return 0;
}

int __wrap_db_campaign_note(
	struct db *db, int64_t id, const char *code, const char *reason, int64_t said);
int __wrap_db_campaign_note(
	struct db *db, int64_t id, const char *code, const char *reason, int64_t said)
{
	(void)db, (void)id, (void)code, (void)reason, (void)said;
	return 0;
}

int __wrap_db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed);
int __wrap_db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	(void)db;
	claimed_for[claims++ % CLAIMS_MAX] = claim->campaign_id;
	wait_at_gate();
	if (claim_err < 0)
		return claim_err;
	*ret_claimed = script_at < script_count
			       ? script[script_at++]
			       : (struct db_claimed){.result = DB_CLAIM_NO_AGENT};
	return 0;
}

int __wrap_db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused);
int __wrap_db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused)
{
	(void)db, (void)campaign_id, (void)limit, (void)verdict, (void)arg;
	postponed++;
	*ret_refused = 0;
	return 0;
}

int __wrap_db_queue_generate(
	struct db *db, int64_t campaign_id, struct db_generate *generate);
int __wrap_db_queue_generate(
	struct db *db, int64_t campaign_id, struct db_generate *generate)
{
	(void)db, (void)campaign_id;
	generated++;
	generate->added = made;
	return 0;
}

const char *__wrap_db_error(const struct db *db);
const char *__wrap_db_error(const struct db *db)
{
	(void)db;
	return "away";
}

void __wrap_call_place(
	struct gateway *gateway, const struct db_claimed *claimed, uint64_t waiter);
void __wrap_call_place(
	struct gateway *gateway, const struct db_claimed *claimed, uint64_t waiter)
{
	(void)gateway, (void)claimed;
	placed += waiter == 0;
}

unsigned __wrap_agents_ready(struct gateway *gateway, int64_t campaign_id);
unsigned __wrap_agents_ready(struct gateway *gateway, int64_t campaign_id)
{
	(void)gateway, (void)campaign_id;
	return ready;
}

void __wrap_events_campaign(
	struct gateway *gateway, int64_t campaign_id, const char *reason);
void __wrap_events_campaign(
	struct gateway *gateway, int64_t campaign_id, const char *reason)
{
	(void)gateway;
	told++;
	(void)snprintf(last_told[campaign_id % 4], sizeof(last_told[0]), "%s", reason);
}

bool __wrap_drain_active(const struct gateway *gateway);
bool __wrap_drain_active(const struct gateway *gateway)
{
	(void)gateway;
	return drained;
}

/* ---- the rig ---- */

static int set_up(void **state)
{
	(void)state;
	gw = (struct gateway){.node = "node"};
	now = START_MS;
	for (int i = 0; i < 3; i++)
		rows[i] = (struct db_campaign){
			.id = i + 1, .priority = 5, .weight = 1, .batch_size = 100};
	row_count = 1;
	lease_err = claim_err = 0;
	script_count = script_at = 0;
	claims = leases = recovers = postponed = generated = placed = told = 0;
	memset(last_told, 0, sizeof(last_told));
	made = 0;
	ready = 9;
	drained = gated = false;
	(void)sem_init(&gate, 0, 0);
	(void)sem_init(&at_gate, 0, 0);
	assert_int_equal(post_queue_new(64, &gw.queue), 0);
	assert_int_equal(timers_new(now, &gw.timers), 0);
	assert_int_equal(jobs_new(
				 &(struct jobs_config){
					 .threads = 1, .limit = 64, .answers = gw.queue},
				 &gw.db),
		0);
	assert_int_equal(campaigns_new(&gw, &gw.campaigns), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	/* A test that failed may have left a worker there. */
	gated = false;
	for (int i = 0; i < 2; i++)
		(void)sem_post(&gate);
	campaigns_free(&gw.campaigns);
	jobs_free(&gw.db);
	post_queue_free(&gw.queue);
	timers_free(&gw.timers);
	return 0;
}

/* Lets everything happen that is to happen now. */
static void settle(void)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	struct pollfd fd = {.fd = post_queue_fd(gw.queue), .events = POLLIN};

	do {
		timers_advance(gw.timers, now);
		(void)post_queue_run(gw.queue, 64);
		if (gw.campaigns->leasing || gw.campaigns->claiming != 0)
			(void)poll(&fd, 1, DEADLINE_MS);
		assert_true(clock_mono_ms() < end);
	} while (gw.campaigns->leasing || gw.campaigns->claiming != 0 ||
		 post_queue_waiting(gw.queue) > 0 || timers_next(gw.timers) == 0);
}

/* Time passes, in steps that are shorter than any wait. */
static void pass(int64_t ms)
{
	for (int64_t end = now + ms; now < end;) {
		now += end - now < 100 ? end - now : 100;
		settle();
	}
}

static void will_say(struct db_claimed claimed)
{
	script[script_count++] = claimed;
}

static const char *code_of(int64_t campaign)
{
	struct run *run = run_find(gw.campaigns, campaign);

	return run == NULL ? "not here" : run->code;
}

static unsigned claims_for(int64_t campaign)
{
	unsigned count = 0;

	for (unsigned i = 0; i < claims && i < CLAIMS_MAX; i++)
		count += claimed_for[i] == campaign;
	return count;
}

static void wait_gated(void)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_MS / 1000;
	assert_int_equal(sem_timedwait(&at_gate, &deadline), 0);
}

static void open_gate(void)
{
	gated = false;
	(void)sem_post(&gate);
}

/* ---- which of them run here ---- */

static void what_is_leased_runs_and_what_is_not_any_more_stops(void **state)
{
	(void)state;
	row_count = 2;
	settle();
	assert_string_equal(code_of(1), "no_agent");
	assert_string_equal(code_of(2), "no_agent");
	assert_int_equal(recovers, 1);
	/* One look may fail. */
	assert_in_range(leased_ms, 2 * LOOK_MS, 30000);
	rows[0] = rows[1];
	row_count = 1;
	pass(LOOK_MS - 100);
	assert_int_equal(leases, 1);
	pass(100);
	assert_int_equal(leases, 2);
	assert_int_equal(recovers, 2);
	assert_string_equal(code_of(1), "not here");
	assert_string_equal(last_told[1], reason_text("stopped"));
	assert_string_equal(code_of(2), "no_agent");
}

static void a_node_that_is_drained_leases_nothing(void **state)
{
	(void)state;
	settle();
	drained = true;
	pass(LOOK_MS);
	assert_int_equal(leases, 1);
	assert_string_equal(code_of(1), "not here");
	assert_string_equal(last_told[1], reason_text("drain"));
}

static void without_the_database_nothing_is_claimed_and_all_stay(void **state)
{
	unsigned before;

	(void)state;
	settle();
	lease_err = -EIO;
	pass(LOOK_MS);
	before = claims;
	pass(2 * LOOK_MS);
	assert_int_equal(claims, before);
	assert_string_equal(code_of(1), "database");
	lease_err = 0;
	pass(LOOK_MS + IDLE_MS);
	assert_true(claims > before);
	assert_string_equal(code_of(1), "no_agent");
}

static void a_change_while_leases_are_asked_for_is_asked_for_again(void **state)
{
	(void)state;
	gated = true;
	timers_advance(gw.timers, now);
	wait_gated();
	campaign_changed(&gw, 1);
	(void)post_queue_run(gw.queue, 64);
	assert_int_equal(leases, 1);
	open_gate();
	settle();
	assert_int_equal(leases, 2);
}

/* ---- whose turn it is ---- */

static void priority_goes_first_and_weight_shares(void **state)
{
	(void)state;
	row_count = 3;
	rows[0].priority = 7;
	rows[2].weight = 3;
	for (int i = 0; i < 8; i++)
		will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	settle();
	assert_int_equal(placed, 8);
	claims = 8;
	assert_int_equal(claims_for(1), 0);
	assert_int_equal(claims_for(2), 2);
	assert_int_equal(claims_for(3), 6);
}

static void one_claim_is_under_way_at_a_time(void **state)
{
	(void)state;
	row_count = 2;
	settle();
	claims = 0;
	now += IDLE_MS;
	gated = true;
	timers_advance(gw.timers, now);
	wait_gated();
	campaign_wake(&gw, 2);
	(void)post_queue_run(gw.queue, 64);
	assert_int_equal(jobs_waiting(gw.db), 0);
	assert_int_equal(claims, 1);
	open_gate();
	settle();
}

static void between_two_calls_the_gap_passes(void **state)
{
	(void)state;
	rows[0].call_gap_ms = 500;
	will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	settle();
	assert_int_equal(placed, 1);
	assert_string_equal(code_of(1), "gap");
	pass(400);
	assert_int_equal(claims, 1);
	pass(100);
	assert_int_equal(claims, 2);
}

static void without_a_ready_agent_nothing_is_claimed(void **state)
{
	(void)state;
	ready = 0;
	settle();
	assert_int_equal(claims, 0);
	assert_string_equal(code_of(1), "no_agent");
}

static void an_agent_that_comes_free_wakes_all_that_wait_for_one(void **state)
{
	(void)state;
	row_count = 3;
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	settle();
	assert_int_equal(claims, 3);
	assert_string_equal(code_of(claimed_for[0]), "exhausted");
	pass(100);
	campaign_wake(&gw, claimed_for[1]);
	settle();
	assert_int_equal(claims, 5);
	assert_int_equal(claims_for(claimed_for[0]), 1);
	assert_int_equal(claims_for(claimed_for[1]), 2);
	assert_int_equal(claims_for(claimed_for[2]), 2);
}

static void who_changed_a_campaign_need_not_wait_for_it(void **state)
{
	(void)state;
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	settle();
	assert_true(claims == 1 && generated == 1);
	campaign_changed(&gw, 1);
	settle();
	assert_true(claims == 2 && generated == 2);
	assert_int_equal(leases, 2);
}

/* ---- what holds it up ---- */

static void calls_per_second_that_are_used_up_hold_all_of_them(void **state)
{
	(void)state;
	row_count = 2;
	will_say((struct db_claimed){.result = DB_CLAIM_RATE, .wait_ms = 700});
	settle();
	assert_int_equal(claims, 1);
	assert_string_equal(code_of(claimed_for[0]), "rate");
	pass(600);
	assert_int_equal(claims, 1);
	pass(100);
	assert_true(claims_for(1) > 0 && claims_for(2) > 0);
}

static void a_claim_without_an_answer_is_tried_again_in_a_second(void **state)
{
	(void)state;
	claim_err = -EIO;
	settle();
	assert_int_equal(claims, 1);
	assert_string_equal(code_of(1), "database");
	pass(IDLE_MS - 100);
	assert_int_equal(claims, 1);
	pass(100);
	assert_int_equal(claims, 2);
}

static void what_twilio_forbids_is_said_in_its_words(void **state)
{
	(void)state;
	will_say((struct db_claimed){
		.result = DB_CLAIM_HELD, .reason = "The balance is used up."});
	settle();
	assert_int_equal(claims, 1);
	assert_string_equal(code_of(1), "twilio");
	assert_string_equal(last_told[1], "The balance is used up.");
}

static void a_refused_contact_makes_place_for_the_next_at_once(void **state)
{
	(void)state;
	will_say((struct db_claimed){.result = DB_CLAIM_REFUSED, .code = "hours"});
	settle();
	assert_true(claims == 2 && postponed == 1);
	assert_string_equal(code_of(1), "no_agent");
}

/* How long it waits after a limit that ends in `ms`; in tenths of a second. */
static int64_t wait_at_limit(int64_t ms)
{
	struct run *run = run_find(gw.campaigns, 1);

	script_count = script_at = 0;
	will_say((struct db_claimed){.result = DB_CLAIM_REFUSED,
		.whole = true,
		.next_ms = ms == 0 ? 0 : clock_wall_ms() + ms,
		.code = "limit",
		.reason = "The day is full."});
	run->wait_until_ms = 0;
	campaigns_turn(gw.campaigns);
	settle();
	assert_string_equal(run->code, "limit");
	assert_string_equal(run->reason, "The day is full.");
	return (run->wait_until_ms - now + 99) / 100;
}

static void at_a_limit_it_looks_again_when_that_ends_or_was_perhaps_raised(void **state)
{
	(void)state;
	settle();
	assert_int_equal(wait_at_limit(0), WHOLE_MS / 100);
	assert_int_equal(wait_at_limit(3600000), WHOLE_MS / 100);
	assert_in_range(wait_at_limit(5000), 30, 50);
	assert_int_equal(wait_at_limit(-5000), IDLE_MS / 100);
	assert_int_equal(postponed, 0);
}

/* ---- what is due ---- */

static void an_empty_queue_says_whether_anybody_waits(void **state)
{
	(void)state;
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	settle();
	assert_string_equal(code_of(1), "exhausted");
	will_say((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .next_ms = clock_wall_ms() + 3600000});
	pass(IDLE_MS);
	assert_string_equal(code_of(1), "waiting");
	/* What came due meanwhile is claimed at once. */
	will_say((struct db_claimed){
		.result = DB_CLAIM_NO_ENTRY, .next_ms = clock_wall_ms()});
	will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	pass(IDLE_MS);
	assert_int_equal(placed, 1);
}

static void lists_are_looked_through_once_a_minute_unless_there_was_more(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	settle();
	pass(10 * IDLE_MS);
	assert_true(claims == 11 && generated == 1);
	script_at = script_count; /* nobody is there */
	pass(GENERATE_MS - 10 * IDLE_MS);
	assert_int_equal(generated, 1);
	/* What the lists had is dialled at once, and they are looked through again after it. */
	made = 5;
	script_count = script_at = 0;
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	will_say((struct db_claimed){.result = DB_CLAIM_CALL});
	will_say((struct db_claimed){.result = DB_CLAIM_NO_ENTRY});
	pass(IDLE_MS);
	assert_int_equal(placed, 1);
	assert_int_equal(generated, 3);
}

static void the_same_reason_is_told_once(void **state)
{
	(void)state;
	ready = 0;
	settle();
	pass(5 * IDLE_MS);
	assert_int_equal(told, 1);
}

int main(void)
{
#define RUNNER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(what_is_leased_runs_and_what_is_not_any_more_stops),
		RUNNER_TEST(a_node_that_is_drained_leases_nothing),
		RUNNER_TEST(without_the_database_nothing_is_claimed_and_all_stay),
		RUNNER_TEST(a_change_while_leases_are_asked_for_is_asked_for_again),
		RUNNER_TEST(priority_goes_first_and_weight_shares),
		RUNNER_TEST(one_claim_is_under_way_at_a_time),
		RUNNER_TEST(between_two_calls_the_gap_passes),
		RUNNER_TEST(without_a_ready_agent_nothing_is_claimed),
		RUNNER_TEST(an_agent_that_comes_free_wakes_all_that_wait_for_one),
		RUNNER_TEST(who_changed_a_campaign_need_not_wait_for_it),
		RUNNER_TEST(calls_per_second_that_are_used_up_hold_all_of_them),
		RUNNER_TEST(a_claim_without_an_answer_is_tried_again_in_a_second),
		RUNNER_TEST(what_twilio_forbids_is_said_in_its_words),
		RUNNER_TEST(a_refused_contact_makes_place_for_the_next_at_once),
		RUNNER_TEST(
			at_a_limit_it_looks_again_when_that_ends_or_was_perhaps_raised),
		RUNNER_TEST(an_empty_queue_says_whether_anybody_waits),
		RUNNER_TEST(lists_are_looked_through_once_a_minute_unless_there_was_more),
		RUNNER_TEST(the_same_reason_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
