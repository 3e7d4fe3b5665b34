/* verdict.c: asks dialer's may_dial() with what the claim has read. See verdict.h. */
#include "gateway/verdict.h"

#include "dialer/permission.h"

static struct db_claim_verdict ask(
	const struct db_claim_facts *facts, enum dial_mode mode)
{
	struct dial_facts known = {
		.number = facts->number,
		.attempts = (unsigned)facts->attempts,
		.number_busy = facts->number_busy,
		.locked = facts->locked,
		.run_at_ms = facts->run_at_ms,
	};
	struct dial_rules rules = {
		.campaign_active = facts->campaign_active,
		.max_attempts = (unsigned)facts->max_attempts,
	};
	struct dial_verdict verdict = may_dial(&known, &rules, mode, facts->now_ms);

	return (struct db_claim_verdict){
		.allowed = verdict.allowed,
		.later = verdict.later,
		.rule = verdict.rule,
		.version = verdict.version,
	};
}

struct db_claim_verdict verdict_auto(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	return ask(facts, DIAL_AUTO);
}

struct db_claim_verdict verdict_manual(void *arg, const struct db_claim_facts *facts)
{
	(void)arg;
	return ask(facts, DIAL_MANUAL);
}
