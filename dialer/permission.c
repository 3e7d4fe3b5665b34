/* permission.c: the table of rules that every dial must pass. See permission.h. */
#include "dialer/permission.h"

#include <assert.h>
#include <stddef.h>

#include "dialer/number.h"
#include "dialer/numbering.h"

/* Raised with every change of the table below: stored verdicts say which one they are of. */
#define RULES_VERSION 5

/* Between two looks at a contact of a list that is not active. */
#define LIST_MS (15 * 60 * INT64_C(1000))

struct question {
	const struct dial_facts *facts;
	const struct dial_rules *rules;
	enum dial_mode mode;
	int64_t now_ms;
};

/* Each returns whether it is broken; *ret_next_ms is 0 before, and stays so when nobody knows. */

static bool number_invalid(const struct question *q, int64_t *ret_next_ms)
{
	struct numbering numbering;

	(void)ret_next_ms;
	/* Plans change every month, so a range that we do not know may be dialled. */
	return q->facts->number == NULL || !number_valid(q->facts->number) ||
	       numbering_lookup(q->facts->number, &numbering) < 0 || !numbering.possible;
}

static bool dnc_everywhere(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->dnc == DIAL_DNC_ALL;
}

static bool dnc_here(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->dnc == DIAL_DNC_CAMPAIGN;
}

static bool attempts_spent(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->attempts >= q->rules->max_attempts;
}

static bool campaign_inactive(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->mode == DIAL_AUTO && !q->rules->campaign_active;
}

static bool cli_unusable(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return !q->facts->cli_usable;
}

static bool calls_of_the_day(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->facts->day_ends_ms;
	return q->rules->calls_day > 0 && q->facts->calls_today >= q->rules->calls_day;
}

static bool minutes_used(const struct question *q, unsigned open)
{
	return q->rules->minutes_day > 0 &&
	       q->facts->minutes_today + open >= q->rules->minutes_day;
}

static bool cost_used(double most, const struct question *q, unsigned minutes)
{
	return most > 0 && minutes * q->rules->cost_per_minute >= most;
}

static bool minutes_of_the_day(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->facts->day_ends_ms;
	return minutes_used(q, 0);
}

static bool cost_of_the_day(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->facts->day_ends_ms;
	return cost_used(q->rules->cost_day, q, q->facts->minutes_today);
}

static bool cost_of_all(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return cost_used(q->rules->cost, q, q->facts->minutes_ever);
}

/* A call that only rings has used nothing yet, but it may: the rest of the limit is kept for it. */

static bool open_minutes(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return minutes_used(q, q->facts->minutes_open);
}

static bool open_cost_of_the_day(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return cost_used(
		q->rules->cost_day, q, q->facts->minutes_today + q->facts->minutes_open);
}

static bool open_cost_of_all(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return cost_used(
		q->rules->cost, q, q->facts->minutes_ever + q->facts->minutes_open);
}

static bool country_stopped(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->country_stopped;
}

/* Until somebody makes it active again, which has its contacts looked at. */
static bool list_inactive(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->now_ms + LIST_MS;
	return q->mode == DIAL_AUTO && q->facts->list_inactive;
}

static bool number_busy(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->number_busy;
}

static bool contact_locked(const struct question *q, int64_t *ret_next_ms)
{
	(void)ret_next_ms;
	return q->facts->locked;
}

static bool attempts_of_24h(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->facts->attempts_free_ms;
	return q->facts->attempts_free_ms > q->now_ms;
}

/*
 * Hours to be kept, and no zone known, or so many that it is never the right time in all of them:
 * not now, and not by itself.
 */
static bool hours_zone(const struct question *q, int64_t *ret_next_ms)
{
	int64_t next_s = 0;

	(void)ret_next_ms;
	if (q->rules->hours.count == 0 || q->facts->zone_count == 1)
		return false;
	if (q->facts->zone_count > 0)
		(void)hours_open(&q->rules->hours, q->facts->zones, q->facts->zone_count,
			q->now_ms / 1000, &next_s);
	return next_s == 0;
}

static bool hours_closed(const struct question *q, int64_t *ret_next_ms)
{
	int64_t next_s = 0;
	bool open;

	if (q->rules->hours.count == 0)
		return false;
	open = hours_open(&q->rules->hours, q->facts->zones, q->facts->zone_count,
		q->now_ms / 1000, &next_s);
	*ret_next_ms = next_s * 1000;
	return !open;
}

static bool entry_early(const struct question *q, int64_t *ret_next_ms)
{
	*ret_next_ms = q->facts->run_at_ms;
	return q->mode == DIAL_AUTO && q->now_ms < q->facts->run_at_ms;
}

#define NEVER false, false
#define WHOLE true, true
#define LATER true, false

static const struct {
	const char *rule;
	bool (*broken)(const struct question *q, int64_t *ret_next_ms);
	bool later, whole;
	const char *code, *reason;
} table[] = {
	{"number.invalid", number_invalid, NEVER, "invalid",
		"The number is not one that its country's numbering plan could have."},
	{"dnc.installation", dnc_everywhere, NEVER, "dnc",
		"The number is on the list of those that must not be called."},
	{"dnc.campaign", dnc_here, NEVER, "dnc",
		"The number must not be called by this campaign."},
	{"attempts.spent", attempts_spent, NEVER, "attempts",
		"All attempts that the campaign allows have been made."},
	{"campaign.inactive", campaign_inactive, WHOLE, "paused",
		"The campaign is not active."},
	{"cli.unusable", cli_unusable, WHOLE, "cli",
		"The Twilio account does not have the campaign's caller id any more."},
	{"limit.calls_day", calls_of_the_day, WHOLE, "limit",
		"The campaign has made all the calls that it may make in a day."},
	{"limit.minutes_day", minutes_of_the_day, WHOLE, "limit",
		"The campaign has used all the minutes that it may use in a day."},
	{"limit.cost_day", cost_of_the_day, WHOLE, "limit",
		"The campaign has spent what it may spend in a day."},
	{"limit.cost", cost_of_all, WHOLE, "limit",
		"The campaign has spent all that it may spend."},
	{"open.minutes_day", open_minutes, WHOLE, "under_way",
		"Calls under way may use the rest of the minutes of the day."},
	{"open.cost_day", open_cost_of_the_day, WHOLE, "under_way",
		"Calls under way may cost the rest of what may be spent in a day."},
	{"open.cost", open_cost_of_all, WHOLE, "under_way",
		"Calls under way may cost the rest of what may be spent."},
	{"list.inactive", list_inactive, LATER, "list",
		"The list that the contact is on is not active, or another campaign's by now."},
	{"twilio.country", country_stopped, LATER, "twilio",
		"Twilio does not let the account call this country."},
	{"number.busy", number_busy, LATER, "busy", "A call to this number is open."},
	{"contact.locked", contact_locked, LATER, "locked",
		"Somebody else is working on the contact."},
	{"attempts.24h", attempts_of_24h, LATER, "attempts_24h",
		"The number was called as often in 24 hours as the campaign allows."},
	{"hours.zone", hours_zone, LATER, "time_zone",
		"The number does not tell its time zone. Give the contact one, or the campaign a "
		"fallbackTimeZone."},
	{"hours.closed", hours_closed, LATER, "hours",
		"It is outside the calling hours where the number may be."},
	{"entry.early", entry_early, LATER, "retry", "The next attempt is not due yet."},
};

struct dial_verdict may_dial(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, int64_t now_ms)
{
	const struct question q = {facts, rules, mode, now_ms};

	assert(mode < DIAL_MODES);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t next_ms = 0;

		if (table[i].broken(&q, &next_ms))
			return (struct dial_verdict){
				.later = table[i].later,
				.whole = table[i].whole,
				.next_ms = next_ms,
				.rule = table[i].rule,
				.code = table[i].code,
				.reason = table[i].reason,
				.version = RULES_VERSION,
			};
	}
	return (struct dial_verdict){
		.allowed = true,
		.rule = "allowed",
		.code = "next",
		.reason = "Nothing speaks against the call.",
		.version = RULES_VERSION,
	};
}
