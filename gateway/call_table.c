/* call_table.c: the state table of calls. See call_table.h. */
#include "gateway/call_table.h"

#include <string.h>

#include "dialer/retry.h"

/*
 * Events: from our POST: accepted, refused (4xx), unsent (surely not processed), lost (nobody
 * knows). From Twilio: initiated, ringing, answered, joined, left, the five endings, and what its
 * answering machine detection heard: machine, fax. From us: hangup (somebody wants it over), slow
 * (Twilio queues it and does not dial), expired (looked for, not found); abandoned (no agent for
 * somebody who is on the line); agent_joined and agent_missing, of the agent who is rung before the
 * customer; of one who is lost in mid-call: agent_away, who could not be rung again, and agent_lost,
 * who was waited for in vain: nothing but notes.
 *
 * A pair that is not here changes nothing: that is what makes late and repeated events harmless.
 */

/* The endings that Twilio tells, the same from every open state. */
#define ENDINGS(state)                                               \
	{state, "completed", "ended", "completed", NULL, 0},         \
		{state, "busy", "ended", "busy", NULL, 0},           \
		{state, "no_answer", "ended", "no_answer", NULL, 0}, \
		{state, "failed", "ended", "failed", NULL, 0},       \
		{state, "canceled", "ended", "canceled", NULL, 0},   \
	{                                                            \
		state, "hangup", state, NULL, "hangup", 0            \
	}

/* The answering machine detection has heard a machine: only where the campaign wants it gone. */
#define MACHINE(state)                                 \
	{state, "machine", state, NULL, "hangup", 0},  \
	{                                              \
		state, "fax", state, NULL, "hangup", 0 \
	}

/* How far a call can get, told by any later news as well. */
#define NEWS(state)                                             \
	{state, "ringing", "ringing", NULL, NULL, 0},           \
		{state, "answered", "answered", NULL, NULL, 0}, \
	{                                                       \
		state, "joined", "bridged", NULL, NULL, 0       \
	}

/* Somebody is on the line, and nobody is there for them. */
#define NOBODY(state)                                             \
	{                                                         \
		state, "abandoned", "ended", "abandoned", NULL, 0 \
	}

static const struct db_transition transitions[] = {
	/* The customer is not dialled yet: the agent is rung first. */
	{"claimed", "agent_joined", "placing", NULL, NULL, 0},
	{"claimed", "agent_missing", "ended", "canceled", NULL, 0},
	{"claimed", "unsent", "ended", "failed", NULL, 0},
	{"claimed", "hangup", "ended", "canceled", NULL, 0},

	{"placing", "accepted", "queued", NULL, NULL, 0},
	{"placing", "refused", "ended", "failed", NULL, 0},
	{"placing", "unsent", "ended", "failed", NULL, 0},
	{"placing", "lost", "ambiguous", NULL, NULL, 0},
	{"placing", "initiated", "queued", NULL, NULL, CALL_DIALLED_S},
	NEWS("placing"),
	NOBODY("placing"),
	MACHINE("placing"),
	ENDINGS("placing"),

	{"ambiguous", "accepted", "queued", NULL, NULL, 0},
	{"ambiguous", "initiated", "queued", NULL, NULL, CALL_DIALLED_S},
	{"ambiguous", "expired", "ended", "unknown", NULL, 0},
	NEWS("ambiguous"),
	NOBODY("ambiguous"),
	MACHINE("ambiguous"),
	ENDINGS("ambiguous"),

	{"queued", "initiated", "queued", NULL, NULL, CALL_DIALLED_S},
	{"queued", "slow", "queued", NULL, "cancel", 0},
	NEWS("queued"),
	NOBODY("queued"),
	MACHINE("queued"),
	ENDINGS("queued"),

	{"ringing", "answered", "answered", NULL, NULL, 0},
	{"ringing", "joined", "bridged", NULL, NULL, 0},
	NOBODY("ringing"),
	MACHINE("ringing"),
	ENDINGS("ringing"),

	{"answered", "joined", "bridged", NULL, NULL, 0},
	NOBODY("answered"),
	{"answered", "left", "answered", NULL, NULL, 1},
	MACHINE("answered"),
	ENDINGS("answered"),

	{"bridged", "left", "bridged", NULL, NULL, 1},
	MACHINE("bridged"),
	ENDINGS("bridged"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void call_table(const struct call_table_times *times, struct db_tables *ret_tables)
{
	static struct db_deadline deadlines[7];
	static struct db_retry retries[RETRY_KINDS];

	/* Twilio adds up to 5 s to a ring time-out. */
	deadlines[0] = (struct db_deadline){"placing", 20, false};
	deadlines[1] = (struct db_deadline){"ambiguous", times->ambiguous_s, false};
	deadlines[2] = (struct db_deadline){"queued", CALL_QUEUED_S, false};
	deadlines[3] = (struct db_deadline){"ringing", 7, true};
	deadlines[4] = (struct db_deadline){"answered",
		times->reconcile_s < CALL_JOIN_S ? times->reconcile_s : CALL_JOIN_S,
		false};
	deadlines[5] = (struct db_deadline){"bridged", times->reconcile_s, false};
	deadlines[6] = (struct db_deadline){"claimed", 60, false};
	for (int i = 0; i < RETRY_KINDS; i++)
		retries[i] = (struct db_retry){retry_rules[i].outcome, i + 1,
			retry_rules[i].after_s, retry_rules[i].max};
	*ret_tables = (struct db_tables){
		.transitions = transitions,
		.transition_count = COUNT(transitions),
		.deadlines = deadlines,
		.deadline_count = COUNT(deadlines),
		.retries = retries,
		.retry_count = COUNT(retries),
	};
}

const char *call_table_event(const char *call_status)
{
	static const struct {
		const char *status, *event;
	} words[] = {
		{"initiated", "initiated"},
		{"ringing", "ringing"},
		{"in-progress", "answered"},
		{"completed", "completed"},
		{"busy", "busy"},
		{"no-answer", "no_answer"},
		{"failed", "failed"},
		{"canceled", "canceled"},
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i].status, call_status) == 0)
			return words[i].event;
	return NULL;
}
