/* import_seen.h: the numbers that an upload had so far: a set of 64-bit keys that only grows. */
#ifndef OMNIVOX_GATEWAY_IMPORT_SEEN_H
#define OMNIVOX_GATEWAY_IMPORT_SEEN_H

#include <stddef.h>
#include <stdint.h>

/* Starts with all zero. */
struct import_seen {
	uint64_t *keys; /* 0: free */
	size_t size;    /* a power of two, at least half of it free */
	size_t count;
};

/* `key` is not 0. 1: it is new; 0: it was there; -ENOMEM. */
int import_seen_add(struct import_seen *seen, uint64_t key);
void import_seen_free(struct import_seen *seen);

#endif
