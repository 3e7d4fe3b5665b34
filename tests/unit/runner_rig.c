/* runner_rig.c: see runner_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/post.h"
#include "base/timers.h"
#include "gateway/campaign.h"
#include "gateway/campaign_run.h"
#include "unit/runner_rig.h"

#define DEADLINE_MS 20000
#define START_MS 1000000

struct runner_rig rig;

static void wait_at_gate(void)
{
	if (!rig.gated)
		return;
	(void)sem_post(&rig.at_gate);
	(void)sem_wait(&rig.gate);
}

int __wrap_db_rate_recover(struct db *db);
int __wrap_db_rate_recover(struct db *db)
{
	(void)db;
	rig.recovers++;
	return 0;
}

int __wrap_db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count);
int __wrap_db_campaign_lease(struct db *db, const char *node, unsigned lease_ms,
	struct db_campaign **ret_campaigns, size_t *ret_count)
{
	(void)db;
	rig.leases += node == rig.gw.node;
	rig.leased_ms = lease_ms;
	wait_at_gate();
	if (rig.lease_err < 0)
		return rig.lease_err;
	*ret_campaigns = calloc(rig.row_count + 1, sizeof(rig.rows[0]));
	memcpy(*ret_campaigns, rig.rows, rig.row_count * sizeof(rig.rows[0]));
	*ret_count = rig.row_count;
	return 0;
}

int __wrap_db_campaign_note(struct db *db, const struct db_campaign_note *note);
int __wrap_db_campaign_note(struct db *db, const struct db_campaign_note *note)
{
	(void)db;
	for (int i = 0; i < 3; i++)
		if (rig.rows[i].id == note->id) {
			(void)snprintf(rig.rows[i].run_code, sizeof(rig.rows[i].run_code),
				"%s", note->code);
			rig.rows[i].run_next_ms = note->next_ms;
		}
	return 0;
}

int __wrap_db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed);
int __wrap_db_call_claim(
	struct db *db, const struct db_claim *claim, struct db_claimed *ret_claimed)
{
	(void)db;
	rig.claimed_for[rig.claims++ % CLAIMS_MAX] = claim->campaign_id;
	wait_at_gate();
	if (rig.claim_err < 0)
		return rig.claim_err;
	if (claim->campaign_id == 1 && rig.first_says.result != DB_CLAIM_CALL)
		*ret_claimed = rig.first_says;
	else
		*ret_claimed = rig.script_at < rig.script_count
				       ? rig.script[rig.script_at++]
				       : (struct db_claimed){.result = DB_CLAIM_NO_AGENT};
	return 0;
}

int __wrap_db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused);
int __wrap_db_queue_postpone(struct db *db, int64_t campaign_id, unsigned limit,
	db_verdict_fn *verdict, void *arg, size_t *ret_refused)
{
	(void)db, (void)campaign_id, (void)limit, (void)verdict, (void)arg;
	rig.postponed++;
	*ret_refused = 0;
	return 0;
}

int __wrap_db_queue_generate(
	struct db *db, int64_t campaign_id, struct db_generate *generate);
int __wrap_db_queue_generate(
	struct db *db, int64_t campaign_id, struct db_generate *generate)
{
	(void)db, (void)campaign_id;
	rig.generated++;
	generate->added = rig.made;
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
	rig.placed += waiter == 0;
}

unsigned __wrap_agents_ready(struct gateway *gateway, int64_t campaign_id);
unsigned __wrap_agents_ready(struct gateway *gateway, int64_t campaign_id)
{
	(void)gateway, (void)campaign_id;
	return rig.ready;
}

void __wrap_events_campaign(
	struct gateway *gateway, int64_t campaign_id, const char *reason);
void __wrap_events_campaign(
	struct gateway *gateway, int64_t campaign_id, const char *reason)
{
	(void)gateway;
	rig.told++;
	(void)snprintf(
		rig.last_told[campaign_id % 4], sizeof(rig.last_told[0]), "%s", reason);
}

bool __wrap_drain_active(const struct gateway *gateway);
bool __wrap_drain_active(const struct gateway *gateway)
{
	(void)gateway;
	return rig.drained;
}

/* ---- the rig ---- */

int runner_set_up(void **state)
{
	(void)state;
	rig.gw = (struct gateway){.node = "node"};
	rig.now = START_MS;
	for (int i = 0; i < 3; i++)
		rig.rows[i] = (struct db_campaign){
			.id = i + 1, .priority = 5, .weight = 1, .batch_size = 100};
	rig.row_count = 1;
	rig.lease_err = rig.claim_err = 0;
	rig.script_count = rig.script_at = 0;
	rig.first_says = (struct db_claimed){.result = DB_CLAIM_CALL};
	rig.claims = rig.leases = rig.recovers = rig.postponed = rig.generated =
		rig.placed = rig.told = 0;
	memset(rig.last_told, 0, sizeof(rig.last_told));
	rig.made = 0;
	rig.ready = 9;
	rig.drained = false;
	rig.gated = false;
	(void)sem_init(&rig.gate, 0, 0);
	(void)sem_init(&rig.at_gate, 0, 0);
	assert_int_equal(post_queue_new(64, &rig.gw.queue), 0);
	assert_int_equal(timers_new(rig.now, &rig.gw.timers), 0);
	assert_int_equal(jobs_new(&(struct jobs_config){.threads = 1,
					  .limit = 64,
					  .answers = rig.gw.queue},
				 &rig.gw.db),
		0);
	assert_int_equal(campaigns_new(&rig.gw, &rig.gw.campaigns), 0);
	return 0;
}

int runner_tear_down(void **state)
{
	(void)state;
	/* A test that failed may have left a worker there. */
	rig.gated = false;
	for (int i = 0; i < 2; i++)
		(void)sem_post(&rig.gate);
	campaigns_free(&rig.gw.campaigns);
	jobs_free(&rig.gw.db);
	post_queue_free(&rig.gw.queue);
	timers_free(&rig.gw.timers);
	return 0;
}

/* Lets everything happen that is to happen now. */
void runner_settle(void)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	struct pollfd fd = {.fd = post_queue_fd(rig.gw.queue), .events = POLLIN};

	do {
		timers_advance(rig.gw.timers, rig.now);
		(void)post_queue_run(rig.gw.queue, 64);
		if (rig.gw.campaigns->leasing || rig.gw.campaigns->claiming != 0)
			(void)poll(&fd, 1, DEADLINE_MS);
		assert_true(clock_mono_ms() < end);
	} while (rig.gw.campaigns->leasing || rig.gw.campaigns->claiming != 0 ||
		 post_queue_waiting(rig.gw.queue) > 0 || timers_next(rig.gw.timers) == 0);
}

/* Time passes, in steps that are shorter than any wait. */
void runner_pass(int64_t ms)
{
	for (int64_t end = rig.now + ms; rig.now < end;) {
		rig.now += end - rig.now < 100 ? end - rig.now : 100;
		runner_settle();
	}
}

void runner_will_say(struct db_claimed claimed)
{
	rig.script[rig.script_count++] = claimed;
}

const char *runner_code_of(int64_t campaign)
{
	struct run *run = run_find(rig.gw.campaigns, campaign);

	return run == NULL ? "not here" : run->code;
}

unsigned runner_claims_for(int64_t campaign)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rig.claims && i < CLAIMS_MAX; i++)
		count += rig.claimed_for[i] == campaign;
	return count;
}

void runner_wait_gated(void)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_MS / 1000;
	assert_int_equal(sem_timedwait(&rig.at_gate, &deadline), 0);
}

void runner_open_gate(void)
{
	rig.gated = false;
	(void)sem_post(&rig.gate);
}

void runner_pass_gate(void)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	struct pollfd fd = {.fd = post_queue_fd(rig.gw.queue), .events = POLLIN};

	(void)sem_post(&rig.gate);
	while (sem_trywait(&rig.at_gate) < 0) {
		(void)poll(&fd, 1, 10);
		(void)post_queue_run(rig.gw.queue, 64);
		assert_true(clock_mono_ms() < end);
	}
}
