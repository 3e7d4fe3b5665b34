/*
 * chance.h: randomness that comes out the same for the same seed: choices, faults and SIDs.
 *
 * Source: Steele, Lea, Flood: splitmix64 (OOPSLA 2014). Not for secrets. Pure.
 */
#ifndef OMNIVOX_SANDBOX_CHANCE_H
#define OMNIVOX_SANDBOX_CHANCE_H

#include <stdint.h>

#define SID_SIZE 35 /* two letters, 32 hex digits, NUL */

struct chance {
	uint64_t state;
};

uint64_t chance_next(struct chance *chance);
double chance_unit(struct chance *chance); /* 0 <= x < 1 */

/* One number that depends on all three only; for choices that must not depend on order. */
uint64_t chance_hash(uint64_t seed, const char *text, uint64_t n);

/* "CA" + 32 hex digits into sid. */
void chance_sid(struct chance *chance, const char *prefix, char sid[SID_SIZE]);

#endif
