/* campaign_run.h: what campaign.c and campaign_claim.c share: the campaigns that run on this node. */
#ifndef OMNIVOX_GATEWAY_CAMPAIGN_RUN_H
#define OMNIVOX_GATEWAY_CAMPAIGN_RUN_H

#include "base/list.h"
#include "base/timers.h"
#include "db/campaigns.h"
#include "dialer/fair.h"
#include "dialer/pacing.h"
#include "gateway/gateway.h"

/* A campaign that this node runs. On the loop. */
struct run {
	struct list node;
	struct db_campaign row;
	struct pacing_state pacing;
	struct fair_member turn;
	int64_t wait_until_ms; /* no claim before; monotonic */
	int64_t could_ms; /* since when it could dial, were it its turn; monotonic; 0: cannot */
	int64_t generated_ms; /* when its lists were last looked through; monotonic; 0: do */
	int64_t rest_until_ms; /* ... and when they may be again at the earliest */
	bool leased;           /* seen in the newest answer to the lease */
	char code[DB_WORD_SIZE], reason[256];
	int64_t next_ms; /* until when, as far as it knows; by the wall; else 0 */
};

struct campaigns {
	struct gateway *gw;
	struct list runs;
	struct fair fair;
	struct timer lease_timer; /* the next look at the leases */
	struct timer turn_timer;  /* the next turn */
	bool leasing;             /* a lease job is under way */
	bool again;               /* somebody asked for another meanwhile */
	bool away;                /* the newest one got no answer: nothing is claimed */
	int64_t said;             /* the newest run_say(); see db_campaign_note() */
	int64_t claiming;         /* the campaign whose claim is under way; 0: none */
	int64_t rate_until_ms;    /* no call per second is left before; monotonic */
};

struct pacing_rules run_pacing(const struct db_campaign *row);
struct run *run_find(struct campaigns *campaigns, int64_t campaign_id);

/* Says why it does what it does, once: to listeners and in the row, for every node to read. */
void run_say(struct gateway *gw, struct run *run, const char *code, const char *reason);
/* ... and when it may be otherwise, by the wall; 0: nobody knows. */
void run_say_until(struct gateway *gw, struct run *run, const char *code,
	const char *reason, int64_t next_ms);

/* One claim at a time: whoever is next of those that can, or a timer for the next moment. */
void campaigns_turn(struct campaigns *campaigns);

#endif
