/* faults.c: deterministic bad luck. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sandbox/chance.h"
#include "sandbox/faults.h"

static const char *const words[FAULT_KINDS] = {
	[FAULT_DUP] = "dup",
	[FAULT_DELAY] = "delay",
	[FAULT_REORDER] = "reorder",
	[FAULT_DROP] = "drop",
	[FAULT_HTTP429] = "http429",
	[FAULT_HTTP500] = "http500",
	[FAULT_HTTP500_AFTER_ACCEPT] = "http500_after_accept",
	[FAULT_SILENT_BEFORE_ACCEPT] = "silent_before_accept",
	[FAULT_SILENT_AFTER_ACCEPT] = "silent_after_accept",
	[FAULT_SLOW] = "slow",
	[FAULT_UNREACHABLE] = "unreachable",
};

const char *fault_text(enum fault_kind kind)
{
	assert(kind < FAULT_KINDS);
	return words[kind];
}

int fault_parse(const char *word, enum fault_kind *ret_kind)
{
	unsigned i;

	for (i = 0; i < FAULT_KINDS; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_kind = (enum fault_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

void faults_set(struct faults *faults, enum fault_kind kind, double rate,
	int64_t delay_ms, uint64_t seed)
{
	struct fault *fault = &faults->kinds[kind];

	fault->rate = rate;
	fault->delay_ms = delay_ms;
	fault->seed = seed;
	fault->chances = 0;
}

bool faults_fire(struct faults *faults, enum fault_kind kind)
{
	struct fault *fault = &faults->kinds[kind];
	struct chance chance = {
		.state = chance_hash(fault->seed, words[kind], fault->chances++)};

	if (chance_unit(&chance) >= fault->rate)
		return false;
	fault->fired++;
	return true;
}
