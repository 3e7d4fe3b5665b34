/*
 * digest.h: HTTP digest as SIP uses it, both sides: what a phone proves to us and what we prove
 * to a trunk. Pure, any thread. Source: RFC 7616, RFC 8760, RFC 3261 22.
 */
#ifndef OMNIVOX_SIP_DIGEST_H
#define OMNIVOX_SIP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_SIZE 256
#define DIGEST_HEX_SIZE 65 /* SHA-256; MD5 needs 33 */

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256 };

/* Credentials or a challenge. Strings are without their quotes; "" when absent. */
struct digest {
	enum digest_algorithm algorithm; /* absent: MD5 */
	char username[DIGEST_TEXT_SIZE], realm[DIGEST_TEXT_SIZE];
	char nonce[DIGEST_TEXT_SIZE], opaque[DIGEST_TEXT_SIZE];
	char uri[DIGEST_TEXT_SIZE], cnonce[DIGEST_TEXT_SIZE];
	char response[DIGEST_HEX_SIZE];
	char nc_text[9];
	uint32_t nc;
	bool qop; /* "auth" is meant, or among what is offered */
	bool stale;
};

/*
 * Reads "name=value" items, ended by NULL, as a SIP parser leaves them; names that nobody here
 * needs are passed over. -EINVAL for broken or repeated items, -ENOTSUP for another algorithm,
 * -ENAMETOOLONG.
 */
int digest_parse(const char *const *params, struct digest *ret_digest);

/* Hex of H(user:realm:password). */
int digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char ret_ha1[DIGEST_HEX_SIZE]);

/* Whether `credentials` prove that their sender knows ha1. Constant time in the comparison. */
bool digest_verify(const struct digest *credentials, const char *method, const char *ha1);

/*
 * The header value that answers `challenge`, beginning with "Digest ". -EMSGSIZE, -EINVAL when
 * a text cannot be quoted.
 */
int digest_answer(const struct digest *challenge, const char *method, const char *uri,
	const char *user, const char *password, char *buf, size_t size);

#endif
