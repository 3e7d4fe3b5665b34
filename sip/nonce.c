/* nonce.c: signing nonces and counting their uses in a bounded table. Does not log. */
#include "sip/nonce.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

#define KEY_BYTES 32
#define STAMP_HEX 16 /* time of issue */
#define ID_HEX 16
#define MAC_HEX 32
#define NONE UINT32_MAX

struct use {
	uint64_t id, print;
	int64_t issued_ms;
	uint32_t count;
	uint32_t next; /* in its bucket */
	bool used;
};

struct nonces {
	char key[2 * KEY_BYTES + 1];
	char *realm;
	int64_t life_ms;
	int64_t floor_ms; /* what was issued up to then is stale */
	unsigned capacity, oldest;
	struct use *uses; /* a ring: the oldest entry is overwritten */
	uint32_t *buckets;
};

int nonces_new(
	const char *realm, int64_t life_ms, unsigned capacity, struct nonces **ret_nonces)
{
	struct nonces *nonces = calloc(1, sizeof(*nonces));
	unsigned i;

	assert(capacity > 0);
	if (nonces == NULL)
		return -ENOMEM;
	(void)text_random(nonces->key, KEY_BYTES);
	nonces->life_ms = life_ms;
	nonces->floor_ms = INT64_MIN;
	nonces->capacity = capacity;
	nonces->realm = strdup(realm);
	nonces->uses = calloc(capacity, sizeof(*nonces->uses));
	nonces->buckets = malloc(capacity * sizeof(*nonces->buckets));
	if (nonces->realm == NULL || nonces->uses == NULL || nonces->buckets == NULL) {
		nonces_free(&nonces);
		return -ENOMEM;
	}
	for (i = 0; i < capacity; i++)
		nonces->buckets[i] = NONE;
	*ret_nonces = nonces;
	return 0;
}

void nonces_free(struct nonces **nonces)
{
	if (*nonces == NULL)
		return;
	free((*nonces)->realm);
	free((*nonces)->uses);
	free((*nonces)->buckets);
	free(*nonces);
	*nonces = NULL;
}

/* Hex of half an HMAC-SHA-256 over stamp, id and realm: 128 bits are plenty. */
static void sign(const struct nonces *nonces, const char *head, char mac[MAC_HEX + 1])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned char text[STAMP_HEX + ID_HEX + 256];
	size_t len = strnlen(nonces->realm, 256);
	unsigned raw_len = 0;

	memcpy(text, head, STAMP_HEX + ID_HEX);
	memcpy(text + STAMP_HEX + ID_HEX, nonces->realm, len);
	if (HMAC(EVP_sha256(), nonces->key, 2 * KEY_BYTES, text, STAMP_HEX + ID_HEX + len,
		    raw, &raw_len) == NULL)
		abort(); /* only without memory or without SHA-256 */
	(void)text_hex(mac, raw, MAC_HEX / 2);
}

const char *nonce_make(struct nonces *nonces, int64_t now_ms, char buf[NONCE_SIZE])
{
	char stamp[STAMP_HEX + 1];

	(void)snprintf(stamp, sizeof(stamp), "%016llx", (unsigned long long)now_ms);
	memcpy(buf, stamp, STAMP_HEX);
	(void)text_random(buf + STAMP_HEX, ID_HEX / 2);
	sign(nonces, buf, buf + STAMP_HEX + ID_HEX);
	return buf;
}

static bool read_nonce(const struct nonces *nonces, const char *text,
	int64_t *ret_issued_ms, uint64_t *ret_id)
{
	char part[STAMP_HEX + 1] = "", mac[MAC_HEX + 1];

	if (strlen(text) != NONCE_SIZE - 1)
		return false;
	sign(nonces, text, mac);
	if (text_differs(mac, text + STAMP_HEX + ID_HEX, MAC_HEX) != 0)
		return false;
	memcpy(part, text, STAMP_HEX);
	*ret_issued_ms = (int64_t)strtoull(part, NULL, 16);
	memcpy(part, text + STAMP_HEX, ID_HEX);
	*ret_id = strtoull(part, NULL, 16);
	return true;
}

static struct use *find(struct nonces *nonces, uint64_t id)
{
	uint32_t i;

	for (i = nonces->buckets[id % nonces->capacity]; i != NONE;
		i = nonces->uses[i].next)
		if (nonces->uses[i].id == id)
			return &nonces->uses[i];
	return NULL;
}

static void forget(struct nonces *nonces, uint32_t index)
{
	struct use *use = &nonces->uses[index];
	uint32_t *link = &nonces->buckets[use->id % nonces->capacity];

	while (*link != index)
		link = &nonces->uses[*link].next;
	*link = use->next;
	if (use->issued_ms > nonces->floor_ms)
		nonces->floor_ms = use->issued_ms;
}

static void remember(struct nonces *nonces, const struct use *use)
{
	uint32_t index = nonces->oldest;
	uint32_t *bucket = &nonces->buckets[use->id % nonces->capacity];

	if (nonces->uses[index].used)
		forget(nonces, index);
	nonces->oldest = (index + 1) % nonces->capacity;
	nonces->uses[index] = *use;
	nonces->uses[index].next = *bucket;
	*bucket = index;
}

enum nonce_verdict nonce_spend(struct nonces *nonces, const char *nonce, uint32_t count,
	uint64_t print, int64_t now_ms)
{
	struct use fresh = {.print = print, .count = count, .used = true};
	struct use *use;

	if (!read_nonce(nonces, nonce, &fresh.issued_ms, &fresh.id))
		return NONCE_STALE;
	if (now_ms - fresh.issued_ms > nonces->life_ms)
		return NONCE_STALE;
	use = find(nonces, fresh.id);
	if (use != NULL && use->count == count && use->print == print)
		return NONCE_REPEAT;
	if (use != NULL && count <= use->count)
		return NONCE_REPLAY;
	if (use == NULL && fresh.issued_ms <= nonces->floor_ms)
		return NONCE_STALE;
	if (use == NULL) {
		remember(nonces, &fresh);
		return NONCE_FRESH;
	}
	use->count = count;
	use->print = print;
	return NONCE_FRESH;
}
