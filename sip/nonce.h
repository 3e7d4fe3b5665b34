/*
 * nonce.h: the nonces that we challenge with: self-describing and signed, so that only those
 * that were used take memory. Loop thread. Source: RFC 7616 3.3, 5.4.
 */
#ifndef OMNIVOX_SIP_NONCE_H
#define OMNIVOX_SIP_NONCE_H

#include <stdint.h>

struct nonces;

#define NONCE_SIZE 65

enum nonce_verdict {
	NONCE_FRESH,  /* first use of this count */
	NONCE_REPEAT, /* the very request that was accepted last, sent again */
	NONCE_REPLAY, /* a count that was used up */
	NONCE_STALE,  /* too old, or not made by this process */
};

/*
 * `realm` is signed along. `capacity`: used nonces that are remembered; forgetting one makes
 * all that are as old stale, so that nothing forgotten can be replayed.
 */
int nonces_new(const char *realm, int64_t life_ms, unsigned capacity,
	struct nonces **ret_nonces);
void nonces_free(struct nonces **nonces);

/* Writes a new one. Returns buf. */
const char *nonce_make(struct nonces *nonces, int64_t now_ms, char buf[NONCE_SIZE]);

/*
 * Spends `count` of a nonce whose digest was proved; `print` tells a retransmission from a
 * replay: a hash of what only the same request from the same place has.
 */
enum nonce_verdict nonce_spend(struct nonces *nonces, const char *nonce, uint32_t count,
	uint64_t print, int64_t now_ms);

#endif
