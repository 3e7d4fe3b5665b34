/*
 * uas_digest.h: challenges an INVITE and checks the answer (RFC 3261 section 22, RFC 2617).
 *
 * Main loop only. Not the gateway's digest code, on purpose.
 */
#ifndef OMNIVOX_SANDBOX_UAS_DIGEST_H
#define OMNIVOX_SANDBOX_UAS_DIGEST_H

#include "sandbox/libre.h"

/* Embedded in its owner. The strings are the owner's and outlive it. */
struct uas_digest {
	const char *realm;
	const char *user, *password;
	const char *(*password_of)(void *arg, const char *user); /* NULL: those two */
	void *arg;
	uint8_t secret[16]; /* makes the nonces ours */
};

void uas_digest_init(struct uas_digest *digest);

/* 0: believed. 407 with `ret_stale`: to be challenged. 403: wrong user or password. */
int uas_digest_check(
	const struct uas_digest *digest, const struct sip_msg *msg, bool *ret_stale);

/* Sends 407 with a new nonce. */
void uas_digest_challenge(const struct uas_digest *digest, struct sip *sip,
	const struct sip_msg *msg, bool stale);

/* The user name that was believed; points into the message. */
struct pl uas_digest_user(const struct uas_digest *digest, const struct sip_msg *msg);

#endif
