/* verdict.c: asks dialer's may_dial() with what the claim has read. See verdict.h. */
#include "gateway/verdict.h"

#include <string.h>

#include "dialer/numbering.h"
#include "dialer/permission.h"
#include "gateway/zones.h"

static size_t one_zone(
	const struct gateway *gw, const char *name, const struct zone **ret_zones)
{
	ret_zones[0] = name[0] == '\0' ? NULL : zones_find(gw->zones, name);
	return ret_zones[0] != NULL;
}

/* All of the number's zones; one that the system's tables do not have makes it unknown. */
static size_t number_zones(const struct gateway *gw, const struct numbering *numbering,
	const struct zone **ret_zones)
{
	size_t count = numbering->zone_count;

	if (count > VERDICT_ZONES_MAX)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (one_zone(gw, numbering->zones[i], &ret_zones[i]) == 0)
			return 0;
	return count;
}

/* Whether it is the right time in all of them at some moment soon. */
static bool agree(
	const struct db_claim_facts *facts, const struct zone *const *zones, size_t count)
{
	int64_t next_s = 0;
	struct hours hours;

	if (count < 2 || hours_parse(facts->hours, &hours) < 0)
		return true;
	(void)hours_open(&hours, zones, count, facts->now_ms / 1000, &next_s);
	return next_s != 0;
}

size_t verdict_zones(const struct gateway *gw, const struct db_claim_facts *facts,
	const struct zone *ret_zones[VERDICT_ZONES_MAX])
{
	struct numbering numbering = {.zone_count = 0};
	const struct zone *fallback;
	size_t count;

	if (strcmp(facts->hours_zone, "campaign") == 0)
		return one_zone(gw, facts->time_zone, ret_zones);
	count = one_zone(gw, facts->contact_zone, ret_zones);
	if (count > 0)
		return count;
	if (numbering_lookup(facts->number, &numbering) == 0)
		count = number_zones(gw, &numbering, ret_zones);
	if (count > 0 && numbering.valid && agree(facts, ret_zones, count))
		return count;
	if (one_zone(gw, facts->fallback_zone, &fallback) == 0)
		return count;
	ret_zones[0] = fallback;
	return 1;
}

static void rules_of(const struct db_claim_facts *facts, struct dial_rules *rules)
{
	*rules = (struct dial_rules){
		.campaign_active = facts->campaign_active,
		.max_attempts = (unsigned)facts->max_attempts,
		.calls_day = (unsigned)facts->limits.calls_day,
		.minutes_day = (unsigned)facts->limits.minutes_day,
		.cost_day = facts->limits.cost_day,
		.cost = facts->limits.cost,
		.cost_per_minute = facts->limits.cost_per_minute,
	};
	/* What cannot be read is no permission: no minute of the week is open. */
	if (hours_parse(facts->hours, &rules->hours) < 0)
		rules->hours = (struct hours){.count = 1};
}

static bool country_stopped(const struct db_claim_facts *facts)
{
	struct numbering numbering;

	return facts->stopped_countries[0] != '\0' &&
	       numbering_lookup(facts->number, &numbering) == 0 &&
	       numbering.country[0] != '\0' &&
	       strstr(facts->stopped_countries, numbering.country) != NULL;
}

static struct db_claim_verdict ask(
	const struct gateway *gw, const struct db_claim_facts *facts, enum dial_mode mode)
{
	const struct zone *zones[VERDICT_ZONES_MAX];
	struct dial_facts known = {
		.number = facts->number,
		.attempts = (unsigned)facts->attempts,
		.number_busy = facts->number_busy,
		.locked = facts->locked,
		.list_inactive = !facts->list_active,
		.dnc = (enum dial_dnc)facts->dnc,
		.run_at_ms = facts->run_at_ms,
		.country_stopped = country_stopped(facts),
		.attempts_free_ms = facts->attempts_free_ms,
		.zones = zones,
		.calls_today = (unsigned)facts->calls_today,
		.minutes_today = (unsigned)facts->minutes_today,
		.minutes_ever = (unsigned)facts->minutes_ever,
		.minutes_open = (unsigned)facts->minutes_open,
		.day_ends_ms = facts->day_ends_ms,
		.cli_usable = facts->cli_usable,
	};
	struct dial_verdict verdict;
	struct dial_rules rules;

	rules_of(facts, &rules);
	if (rules.hours.count > 0)
		known.zone_count = verdict_zones(gw, facts, zones);
	verdict = may_dial(&known, &rules, mode, facts->now_ms);
	return (struct db_claim_verdict){
		.allowed = verdict.allowed,
		.later = verdict.later,
		.whole = verdict.whole,
		.next_ms = verdict.next_ms,
		.rule = verdict.rule,
		.code = verdict.code,
		.reason = verdict.reason,
		.version = verdict.version,
	};
}

struct db_claim_verdict verdict_auto(void *gateway, const struct db_claim_facts *facts)
{
	return ask(gateway, facts, DIAL_AUTO);
}

struct db_claim_verdict verdict_manual(void *gateway, const struct db_claim_facts *facts)
{
	return ask(gateway, facts, DIAL_MANUAL);
}
