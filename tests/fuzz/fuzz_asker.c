/*
 * fuzz_asker.c: a line as what a request says of who asks and what they know: X-Forwarded-For, the
 * API key of Authorization, Last-Event-ID. Nobody who is not trusted is believed, no key is good
 * that was not made so, and no event was seen that was not sent.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/api_keys.h"
#include "gateway/api_key.h"
#include "http/event_id.h"
#include "http/peer.h"

#define SECRET "5ecret"
#define STRANGER "203.0.113.9"
#define PROXY "10.1.2.3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of the routes of keys: fuzz.mk says of what. */
void fuzz_never(void);
void fuzz_never(void)
{
	assert(false);
}

/* Every key is there, and all have one secret. */
int db_api_key_find(struct db *db, int64_t id, struct db_api_key *ret_key,
	struct db_user *ret_user, unsigned char ret_sha256[32])
{
	(void)db;
	assert(id > 0);
	*ret_key = (struct db_api_key){.id = id, .name = "key"};
	*ret_user = (struct db_user){.id = 1, .role = "agent"};
	(void)SHA256((const unsigned char *)SECRET, strlen(SECRET), ret_sha256);
	return 0;
}

int db_api_key_used(struct db *db, int64_t id)
{
	(void)db;
	assert(id > 0);
	return 0;
}

static void read_key(char *authorization)
{
	struct http_request request = {.authorization = authorization};
	struct api_call call = {.request = &request};
	char tail[64];
	int err;

	if (!api_key_is_given(&request))
		return;
	err = api_key_user(&call);
	assert(err == 0 || err == -EACCES);
	if (err < 0) {
		assert(call.user.id == 0 && call.key_id == 0);
		return;
	}
	(void)snprintf(tail, sizeof(tail), "%lld_" SECRET, (long long)call.key_id);
	assert(strlen(authorization) > strlen(tail));
	assert(strcmp(authorization + strlen(authorization) - strlen(tail), tail) == 0);
}

static void read_event_id(const char *line)
{
	uint64_t life, number;
	char again[EVENT_ID_SIZE];

	if (event_id_parse(line, &life, &number) < 0)
		return;
	event_id_write(life, number, again);
	assert(strcmp(line, again) == 0);
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert(addr_from_host(text, 0, &addr) == 0);
	return addr;
}

/* The line, and then what the next proxy adds: that address is found, or what comes before it. */
static struct addr behind(
	const struct peer_trust *trust, const char *line, const char *last)
{
	size_t size = strlen(line) + strlen(last) + sizeof(", ");
	char *longer = malloc(size);
	struct addr found, proxy = address(PROXY);

	assert(longer != NULL);
	(void)snprintf(longer, size, "%s, %s", line, last);
	peer_find(trust, (const struct sockaddr *)&proxy.sa, longer, &found);
	free(longer);
	return found;
}

static void read_peer(const char *line)
{
	static const char *const proxies[] = {"10.0.0.0/8", "::1", "2001:db8::/33", NULL};
	struct addr proxy = address(PROXY), stranger = address(STRANGER), found, again;
	struct peer_trust *trust = NULL;
	char text[ADDR_TEXT_SIZE];

	assert(peer_trust_new(proxies, &trust) == 0);
	peer_find(trust, (const struct sockaddr *)&stranger.sa, line, &found);
	assert(addr_same_host(&found, &stranger));
	peer_find(trust, (const struct sockaddr *)&proxy.sa, line, &found);
	assert(addr_from_host(addr_host(&found, text), 0, &again) == 0);
	assert(addr_same_host(&found, &again));
	again = behind(trust, line, STRANGER);
	assert(addr_same_host(&again, &stranger));
	again = behind(trust, line, PROXY);
	assert(addr_same_host(&again, &found));
	peer_trust_free(&trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	assert(line != NULL);
	if (size > 0)
		memcpy(line, data, size);
	line[size] = '\0';
	read_key(line);
	read_event_id(line);
	read_peer(line);
	free(line);
	return 0;
}
