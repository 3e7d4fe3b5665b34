/*
 * gcra.h: how often? The generic cell rate algorithm (ITU-T I.371, A.1) for many keys in a table
 * of fixed size.
 *
 * A key is a hash of who asks and for what. When more keys are in use than the table holds, the
 * one closest to its full allowance is forgotten: that makes somebody's limit a little looser,
 * never anybody's stricter. Any thread.
 */
#ifndef OMNIVOX_BASE_GCRA_H
#define OMNIVOX_BASE_GCRA_H

#include <stddef.h>
#include <stdint.h>

struct gcra;

struct gcra_rule {
	int64_t every_us; /* one is given back after this */
	int64_t burst;    /* that many at once after a rest; at least 1 */
};

/* Remembers `keys` keys, rounded up to a multiple of four. -ENOMEM. */
int gcra_new(size_t keys, struct gcra **ret_gcra);
void gcra_free(struct gcra **gcra);

/* A key of any bytes. Nobody outside can find two of the same key: the hash has a secret. */
uint64_t gcra_key(const struct gcra *gcra, const void *data, size_t len);

/*
 * Takes one. 0: go on; else microseconds until it is worth asking again, and nothing was taken.
 * `now_us` never goes back.
 */
int64_t gcra_take(
	struct gcra *gcra, uint64_t key, const struct gcra_rule *rule, int64_t now_us);

#endif
