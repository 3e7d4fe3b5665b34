/* pacing.c: batches of calls and the rest between them. See pacing.h. */
#include "dialer/pacing.h"

enum pacing_wait pacing_next(const struct pacing_state *state, unsigned ready_agents,
	int64_t now_ms, int64_t *ret_wait_ms)
{
	*ret_wait_ms = 0;
	/* First, because while nobody is there the gap is not what holds the line. */
	if (ready_agents == 0)
		return PACING_NO_AGENT;
	if (now_ms < state->next_ms) {
		*ret_wait_ms = state->next_ms - now_ms;
		return PACING_GAP;
	}
	return PACING_DIAL;
}

static unsigned rest_of(const struct pacing_rules *rules)
{
	return rules->batch_gap_ms > rules->call_gap_ms ? rules->batch_gap_ms
							: rules->call_gap_ms;
}

static void set_next(struct pacing_state *state, const struct pacing_rules *rules)
{
	if (state->in_batch >= rules->batch)
		state->in_batch = 0;
	state->next_ms = state->dialled_ms +
			 (state->in_batch == 0 ? rest_of(rules) : rules->call_gap_ms);
}

void pacing_dialled(
	struct pacing_state *state, const struct pacing_rules *rules, int64_t now_ms)
{
	if (now_ms - state->next_ms >= rest_of(rules))
		state->in_batch = 0;
	state->in_batch++;
	state->dialled_ms = now_ms;
	set_next(state, rules);
}

void pacing_changed(struct pacing_state *state, const struct pacing_rules *rules)
{
	if (state->next_ms != 0)
		set_next(state, rules);
}
