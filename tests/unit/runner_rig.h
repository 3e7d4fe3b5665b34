/*
 * runner_rig.h: the runner of campaigns (gateway/campaign.c, campaign_claim.c) with a database,
 * agents and a clock that do as they are told.
 */
#ifndef OMNIVOX_TESTS_RUNNER_RIG_H
#define OMNIVOX_TESTS_RUNNER_RIG_H

#include <semaphore.h>
#include <stdatomic.h>

#include "db/calls.h"
#include "gateway/gateway.h"

#define LOOK_MS 2000 /* as in campaign.c */
#define IDLE_MS 1000 /* these as in campaign_claim.c */
#define WHOLE_MS 10000
#define GENERATE_MS 60000

#define CLAIMS_MAX 64

/* What the database and the others say, and how often they were asked. */
struct runner_rig {
	struct gateway gw;
	int64_t now;
	struct db_campaign rows[3];
	size_t row_count;
	int lease_err, claim_err;
	struct db_claimed script[CLAIMS_MAX]; /* then: no agent */
	size_t script_count, script_at;
	struct db_claimed first_says; /* campaign 1 always, when it is no call */
	int64_t claimed_for[CLAIMS_MAX], made;
	unsigned ready;
	bool drained;
	_Atomic unsigned claims, leases, leased_ms, recovers, postponed, generated,
		placed;
	unsigned told;
	char last_told[4][256]; /* by campaign */
	atomic_bool gated;
	sem_t gate, at_gate;
};
extern struct runner_rig rig;

/* Of each test, for cmocka. */
int runner_set_up(void **state);
int runner_tear_down(void **state);

/* Lets everything happen that is to happen now. */
void runner_settle(void);
/* Time passes, in steps that are shorter than any wait. */
void runner_pass(int64_t ms);

/* What the next claim finds. */
void runner_will_say(struct db_claimed claimed);

/* Why the campaign does what it does; "not here". */
const char *runner_code_of(int64_t campaign);
/* How often it was claimed for. */
unsigned runner_claims_for(int64_t campaign);

/* With rig.gated the database stands still when it is asked: until it does, and on again. */
void runner_wait_gated(void);
void runner_open_gate(void);
/* Who stands there goes on and is heard; until the next one does. */
void runner_pass_gate(void);

#endif
