/* login_limit.c: GCRA for sign-ins. See login_limit.h. */
#include "gateway/login_limit.h"

#include <stdatomic.h>
#include <stddef.h>

#define SLOTS 4096
#define EVERY_MS 6000
#define BURST_MS (9 * EVERY_MS) /* ten at once */

/*
 * The theoretical arrival time of each slot. Different pairs may share a slot: the worst that
 * comes of it is a short wait for somebody, and the table cannot be filled up.
 */
static _Atomic int64_t arrival[SLOTS];

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

int login_limit_take(const struct addr *peer, const char *username, int64_t now_ms)
{
	char host[ADDR_TEXT_SIZE];
	uint64_t hash = mix(14695981039346656037u, addr_host(peer, host));
	_Atomic int64_t *slot = &arrival[mix(hash, username) % SLOTS];
	int64_t seen = atomic_load(slot), next;

	do {
		next = seen > now_ms ? seen : now_ms;
		if (next - now_ms > BURST_MS)
			return (int)((next - now_ms - BURST_MS + 999) / 1000);
	} while (!atomic_compare_exchange_weak(slot, &seen, next + EVERY_MS));
	return 0;
}
