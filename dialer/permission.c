/* permission.c: the table of rules that every dial must pass. See permission.h. */
#include "dialer/permission.h"

#include <assert.h>
#include <stddef.h>

#include "dialer/number.h"

/* Raised with every change of the table below: stored verdicts say which one they are of. */
#define RULES_VERSION 1

struct question {
	const struct dial_facts *facts;
	const struct dial_rules *rules;
	enum dial_mode mode;
	int64_t now_ms;
};

static bool number_invalid(const struct question *q)
{
	return q->facts->number == NULL || !number_valid(q->facts->number);
}

static bool attempts_spent(const struct question *q)
{
	return q->facts->attempts >= q->rules->max_attempts;
}

static bool campaign_inactive(const struct question *q)
{
	return q->mode == DIAL_AUTO && !q->rules->campaign_active;
}

static bool number_busy(const struct question *q)
{
	return q->facts->number_busy;
}

static bool contact_locked(const struct question *q)
{
	return q->facts->locked;
}

static bool entry_early(const struct question *q)
{
	return q->mode == DIAL_AUTO && q->now_ms < q->facts->run_at_ms;
}

static const struct {
	const char *rule;
	bool (*broken)(const struct question *q);
	bool later;
	const char *reason;
} table[] = {
	{"number.invalid", number_invalid, false,
		"The number is not a valid E.164 number."},
	{"attempts.spent", attempts_spent, false,
		"All attempts that the campaign allows have been made."},
	{"campaign.inactive", campaign_inactive, true, "The campaign is not active."},
	{"number.busy", number_busy, true, "A call to this number is open."},
	{"contact.locked", contact_locked, true,
		"Somebody else is working on the contact."},
	{"entry.early", entry_early, true, "The next attempt is not due yet."},
};

struct dial_verdict may_dial(const struct dial_facts *facts,
	const struct dial_rules *rules, enum dial_mode mode, int64_t now_ms)
{
	const struct question q = {facts, rules, mode, now_ms};

	assert(mode < DIAL_MODES);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].broken(&q))
			return (struct dial_verdict){
				.later = table[i].later,
				.rule = table[i].rule,
				.reason = table[i].reason,
				.version = RULES_VERSION,
			};
	return (struct dial_verdict){
		.allowed = true,
		.rule = "allowed",
		.reason = "Nothing speaks against the call.",
		.version = RULES_VERSION,
	};
}
