/* uas_digest.c: a nonce is its own birth time, sealed; nothing has to be remembered. */
#include "config.h"

#include "sandbox/uas_digest.h"

#include <string.h>

#include "base/clock.h"

#define NONCE_LIFE_MS (5 * 60 * 1000)
#define USER_SIZE 128
#define NONCE_SIZE (16 + 2 * MD5_SIZE + 1)

void uas_digest_init(struct uas_digest *digest)
{
	rand_bytes(digest->secret, sizeof(digest->secret));
}

static void nonce_print(
	const struct uas_digest *digest, int64_t born_ms, char nonce[NONCE_SIZE])
{
	uint8_t seal[MD5_SIZE];

	(void)md5_printf(seal, "%016llx:%w", (unsigned long long)born_ms, digest->secret,
		sizeof(digest->secret));
	(void)re_snprintf(nonce, NONCE_SIZE, "%016llx%w", (unsigned long long)born_ms,
		seal, sizeof(seal));
}

static bool nonce_is_fresh(const struct uas_digest *digest, const struct pl *nonce)
{
	char expected[NONCE_SIZE];
	struct pl born = {.p = nonce->p, .l = 16};
	int64_t born_ms;

	if (nonce->l != NONCE_SIZE - 1)
		return false;
	born_ms = (int64_t)pl_x64(&born);
	nonce_print(digest, born_ms, expected);
	if (memcmp(nonce->p, expected, nonce->l) != 0)
		return false;
	return clock_mono_ms() - born_ms <= NONCE_LIFE_MS;
}

struct answer {
	const struct uas_digest *digest;
	struct httpauth_digest_resp resp;
};

/* True stops libre's walk over the headers. */
static bool answers_our_realm(
	const struct sip_hdr *header, const struct sip_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	return httpauth_digest_response_decode(&answer->resp, &header->val) == 0 &&
	       pl_strcmp(&answer->resp.realm, answer->digest->realm) == 0;
}

static bool answer_find(const struct uas_digest *digest, const struct sip_msg *msg,
	struct httpauth_digest_resp *ret_resp)
{
	struct answer answer = {.digest = digest};

	if (sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHORIZATION, answers_our_realm,
		    &answer) == NULL)
		return false;
	*ret_resp = answer.resp;
	return true;
}

/* NULL: no such user. */
static const char *password_of(const struct uas_digest *digest, const struct pl *user)
{
	char name[USER_SIZE];

	if (pl_strcmp(user, digest->user) == 0)
		return digest->password;
	if (digest->password_of == NULL || pl_strcpy(user, name, sizeof(name)) != 0)
		return NULL;
	return digest->password_of(digest->arg, name);
}

int uas_digest_check(
	const struct uas_digest *digest, const struct sip_msg *msg, bool *ret_stale)
{
	struct httpauth_digest_resp resp;
	uint8_t ha1[MD5_SIZE];
	const char *password;

	*ret_stale = false;
	if (!answer_find(digest, msg, &resp))
		return 407;
	password = password_of(digest, &resp.username);
	(void)md5_printf(ha1, "%r:%s:%s", &resp.username, digest->realm,
		password != NULL ? password : "");
	if (password == NULL || httpauth_digest_response_auth(&resp, &msg->met, ha1) != 0)
		return 403;
	if (!nonce_is_fresh(digest, &resp.nonce)) {
		*ret_stale = true;
		return 407;
	}
	return 0;
}

void uas_digest_challenge(const struct uas_digest *digest, struct sip *sip,
	const struct sip_msg *msg, bool stale)
{
	char nonce[NONCE_SIZE];

	nonce_print(digest, clock_mono_ms(), nonce);
	(void)sip_treplyf(NULL, NULL, sip, msg, false, 407,
		"Proxy Authentication Required",
		"Proxy-Authenticate: Digest realm=\"%s\",qop=\"auth\",nonce=\"%s\","
		"opaque=\"%s\"%s\r\n"
		"Content-Length: 0\r\n\r\n",
		digest->realm, nonce, nonce + 16, stale ? ",stale=true" : "");
}

struct pl uas_digest_user(const struct uas_digest *digest, const struct sip_msg *msg)
{
	struct httpauth_digest_resp resp = {.username = {NULL, 0}};

	(void)answer_find(digest, msg, &resp);
	return resp.username;
}
