/* chance.c: splitmix64. */
#include <inttypes.h>
#include <stdio.h>

#include "sandbox/chance.h"

uint64_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double chance_unit(struct chance *chance)
{
	return (double)(chance_next(chance) >> 11) * 0x1.0p-53;
}

uint64_t chance_hash(uint64_t seed, const char *text, uint64_t n)
{
	struct chance chance = {.state = seed ^ (n * UINT64_C(0xff51afd7ed558ccd))};
	const char *p;

	for (p = text; *p != '\0'; p++)
		chance.state = chance_next(&chance) ^ (unsigned char)*p;
	return chance_next(&chance);
}

void chance_sid(struct chance *chance, const char *prefix, char sid[SID_SIZE])
{
	uint64_t high = chance_next(chance);
	uint64_t low = chance_next(chance);

	(void)snprintf(sid, SID_SIZE, "%.2s%016" PRIx64 "%016" PRIx64, prefix, high, low);
}
