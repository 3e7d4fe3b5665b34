/*
 * registrar.c: REGISTER from challenge to 200 OK, without a single sofia transaction.
 *
 * A request that waits for an answer of the gateway is held here by a query id, at most
 * pending_max of them and 10 s each. Nobody learns which users exist: unknown user and wrong
 * password take the same way to the same 401. Source: RFC 3261 10.3, RFC 7616.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sip/room.h"

#include "base/log.h"
#include "base/text.h"
#include "sip/binding.h"
#include "sip/digest.h"
#include "sip/nonce.h"

#define NONCE_GRACE_S 60 /* a nonce outlives the registration that it was used for */
#define NONCES 32768u    /* used ones that are remembered: 1.5 MB */
#define WAIT_MS 10000
#define ORDERS 8192u /* Call-IDs whose last CSeq is remembered: 128 kB */
#define PRINT_KEY_BYTES 16
#define REALM_MAX 127

/* A REGISTER that waits; a free slot when msg is NULL. */
struct pending {
	struct registrar *registrar;
	struct timer timer;
	struct pending *next; /* free list, or bucket of those that wait */
	msg_t *msg;
	uint32_t turn; /* how often the slot was used: part of the query id */
	bool binding;  /* false: waits for the account */
	bool repeat;   /* a retransmission of what was accepted */
	struct digest digest;
	struct sip_binding wanted;
};

struct order {
	uint64_t key;
	uint32_t cseq;
};

struct registrar {
	struct sip_edge *edge;
	struct nonces *nonces;
	char print_key[2 * PRINT_KEY_BYTES + 1];
	char dummy_md5[DIGEST_HEX_SIZE], dummy_sha256[DIGEST_HEX_SIZE];
	struct pending *slots, *free_slots;
	struct pending **buckets; /* those that wait, by Call-ID */
	unsigned slot_count;
	struct order *orders; /* the last CSeq of a Call-ID; collisions just forget */
};

static void on_wait_over(struct timer *timer);

int registrar_new(struct sip_edge *edge, struct registrar **ret_registrar)
{
	struct registrar *r = calloc(1, sizeof(*r));
	unsigned i;
	int rc = -ENOMEM;

	if (r == NULL)
		return -ENOMEM;
	if (strlen(edge->realm) > REALM_MAX) {
		rc = -ENAMETOOLONG;
		goto out;
	}
	r->edge = edge;
	r->slot_count = edge->config.pending_max > 0 ? edge->config.pending_max : 1;
	r->slots = calloc(r->slot_count, sizeof(*r->slots));
	r->buckets = calloc(r->slot_count, sizeof(struct pending *));
	r->orders = calloc(ORDERS, sizeof(*r->orders));
	if (r->slots == NULL || r->buckets == NULL || r->orders == NULL)
		goto out;
	for (i = 0; i < r->slot_count; i++) {
		r->slots[i].registrar = r;
		r->slots[i].timer.fire = on_wait_over;
		r->slots[i].next = r->free_slots;
		r->free_slots = &r->slots[i];
	}
	(void)text_random(r->print_key, PRINT_KEY_BYTES);
	(void)text_random(r->dummy_md5, 16);
	(void)text_random(r->dummy_sha256, 32);
	rc = nonces_new(edge->realm,
		1000LL * (edge->config.expires_max_s + NONCE_GRACE_S), NONCES,
		&r->nonces);
	if (rc < 0)
		goto out;
	*ret_registrar = r;
	return 0;
out:
	registrar_free(&r);
	return rc;
}

void registrar_free(struct registrar **registrar)
{
	struct registrar *r = *registrar;
	unsigned i;

	if (r == NULL)
		return;
	for (i = 0; r->slots != NULL && i < r->slot_count; i++) {
		timer_stop(&r->slots[i].timer);
		if (r->slots[i].msg != NULL)
			msg_destroy(r->slots[i].msg);
	}
	nonces_free(&r->nonces);
	free(r->slots);
	free(r->buckets);
	free(r->orders);
	free(r);
	*registrar = NULL;
}

/* --- answers; each takes over msg --- */

static void answer(struct registrar *r, msg_t *msg, int status)
{
	(void)nta_msg_treply(r->edge->agent, msg, status, sip_status_phrase(status),
		SIPTAG_SERVER_STR(r->edge->user_agent),
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
}

static void challenge(struct registrar *r, msg_t *msg, bool stale)
{
	char nonce[NONCE_SIZE], text[REALM_MAX + NONCE_SIZE + 80];

	(void)nonce_make(r->nonces, timers_now(r->edge->config.timers), nonce);
	(void)snprintf(text, sizeof(text),
		"Digest realm=\"%s\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s",
		r->edge->realm, nonce, stale ? ", stale=true" : "");
	(void)nta_msg_treply(r->edge->agent, msg, SIP_401_UNAUTHORIZED,
		SIPTAG_SERVER_STR(r->edge->user_agent), SIPTAG_WWW_AUTHENTICATE_STR(text),
		TAG_END());
}

static void answer_too_brief(struct registrar *r, msg_t *msg)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u", r->edge->config.expires_min_s);
	(void)nta_msg_treply(r->edge->agent, msg, SIP_423_INTERVAL_TOO_BRIEF,
		SIPTAG_SERVER_STR(r->edge->user_agent), SIPTAG_MIN_EXPIRES_STR(seconds),
		TAG_END());
}

/* Only this phone's contact is told: some cannot read several (RFC 3261 10.3 lists all). */
static void answer_ok(struct registrar *r, msg_t *msg, const struct sip_binding *binding)
{
	char contact[SIP_URI_SIZE + 32];
	const sip_date_t *date = sip_date_create(msg_home(msg), 0);

	(void)snprintf(contact, sizeof(contact), "<%s>;expires=%u", binding->contact,
		binding->expires_s);
	(void)nta_msg_treply(r->edge->agent, msg, SIP_200_OK,
		SIPTAG_SERVER_STR(r->edge->user_agent), SIPTAG_DATE(date),
		TAG_IF(binding->contact[0] != '\0' && binding->expires_s > 0,
			SIPTAG_CONTACT_STR(contact)),
		TAG_END());
}

/* --- waiting --- */

static uint64_t query_of(const struct pending *p)
{
	return (uint64_t)p->turn << 32 | (uint64_t)(p - p->registrar->slots);
}

static struct pending **bucket_of(struct registrar *r, const sip_t *sip)
{
	return &r->buckets[sip->sip_call_id->i_hash % r->slot_count];
}

static struct pending *hold(struct registrar *r, msg_t *msg, const sip_t *sip)
{
	struct pending *p = r->free_slots, **bucket = bucket_of(r, sip);

	if (p == NULL)
		return NULL;
	r->free_slots = p->next;
	p->next = *bucket;
	*bucket = p;
	p->msg = msg;
	p->turn++;
	memset(&p->wanted, 0, sizeof(p->wanted));
	p->binding = false;
	p->repeat = false;
	sip_loop_start_timer(r->edge->config.loop, &p->timer, WAIT_MS);
	return p;
}

/* Frees the slot and hands back its message. */
static msg_t *release(struct pending *p)
{
	struct registrar *r = p->registrar;
	msg_t *msg = p->msg;
	struct pending **link = bucket_of(r, sip_object(msg));

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	timer_stop(&p->timer);
	p->msg = NULL;
	p->next = r->free_slots;
	r->free_slots = p;
	return msg;
}

static void on_wait_over(struct timer *timer)
{
	struct pending *p = list_entry(timer, struct pending, timer);

	answer(p->registrar, release(p), 503);
}

static struct pending *find_query(struct registrar *r, uint64_t query, bool binding)
{
	uint64_t index = query & UINT32_MAX;
	struct pending *p;

	if (index >= r->slot_count)
		return NULL;
	p = &r->slots[index];
	if (p->msg == NULL || query_of(p) != query || p->binding != binding)
		return NULL;
	return p;
}

/* Whether the same request waits already: the phone was impatient. */
static bool waits_already(struct registrar *r, const sip_t *sip)
{
	const struct pending *p;
	const sip_t *other;

	for (p = *bucket_of(r, sip); p != NULL; p = p->next) {
		other = sip_object(p->msg);
		if (other->sip_cseq->cs_seq == sip->sip_cseq->cs_seq &&
			strcmp(other->sip_call_id->i_id, sip->sip_call_id->i_id) == 0 &&
			strcmp(other->sip_via->v_branch, sip->sip_via->v_branch) == 0)
			return true;
	}
	return false;
}

/* --- judgement --- */

/* Keyed, so that nobody can make another request with the same print. */
static uint64_t keyed_hash(const struct registrar *r, const char *text)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	uint64_t hash;

	if (HMAC(EVP_sha256(), r->print_key, 2 * PRINT_KEY_BYTES,
		    (const unsigned char *)text, strlen(text), raw, &len) == NULL)
		abort(); /* only without memory or without SHA-256 */
	memcpy(&hash, raw, sizeof(hash));
	return hash;
}

/* What a retransmission has in common with its first copy and nothing else has. */
static uint64_t print_of(
	const struct registrar *r, const sip_t *sip, const struct sip_binding *b)
{
	char text[2 * SIP_URI_SIZE + 512];

	(void)snprintf(text, sizeof(text), "%s %u %s %u %s %.255s", b->call_id, b->cseq,
		b->source, b->expires_s, b->contact, sip->sip_via->v_branch);
	return keyed_hash(r, text);
}

/* RFC 3261 10.3: the CSeq of a Call-ID must rise. A retransmission may repeat it. */
static bool in_order(struct registrar *r, const struct pending *p)
{
	char text[sizeof(p->wanted.call_id) + SIP_USER_SIZE + 2];
	struct order *order;
	uint64_t key;

	(void)snprintf(text, sizeof(text), "%s %s", p->wanted.user, p->wanted.call_id);
	key = keyed_hash(r, text);
	order = &r->orders[key % ORDERS];
	if (order->key == key && p->wanted.cseq < order->cseq + (p->repeat ? 0 : 1))
		return false;
	order->key = key;
	order->cseq = p->wanted.cseq;
	return true;
}

/* Unknown users are checked against a secret that nobody has: same work, same answer. */
static bool is_proved(const struct registrar *r, const struct digest *d,
	const struct sip_account *account)
{
	const char *dummy =
		d->algorithm == DIGEST_SHA256 ? r->dummy_sha256 : r->dummy_md5;
	const char *ha1 = dummy;

	if (account != NULL)
		ha1 = d->algorithm == DIGEST_SHA256 ? account->ha1_sha256
						    : account->ha1_md5;
	if (ha1[0] == '\0')
		ha1 = dummy;
	return digest_verify(d, "REGISTER", ha1) && ha1 != dummy;
}

/* The first Digest of our realm among the credentials. */
static int read_credentials(
	const struct registrar *r, const sip_t *sip, struct digest *ret_digest)
{
	const sip_authorization_t *au;
	struct digest digest;

	for (au = sip->sip_authorization; au != NULL; au = au->au_next) {
		if (strcasecmp(au->au_scheme, "Digest") != 0)
			continue;
		if (digest_parse((const char *const *)au->au_params, &digest) < 0)
			continue;
		if (strcmp(digest.realm, r->edge->realm) != 0 || !digest.qop ||
			digest.nc_text[0] == '\0' || digest.username[0] == '\0' ||
			strlen(digest.username) >= SIP_USER_SIZE)
			continue;
		*ret_digest = digest;
		return 0;
	}
	return -ENOENT;
}

static bool is_own_record(const sip_t *sip, const char *user)
{
	const char *to = sip->sip_to->a_url->url_user;

	return to != NULL && strcmp(to, user) == 0;
}

/* The digest was right: judge the nonce, then the request. 0, or a status; 401 sets stale. */
static int judge(struct registrar *r, struct pending *p, bool *ret_stale)
{
	const sip_t *sip = sip_object(p->msg);
	struct addr source;
	int status;

	*ret_stale = false;
	status = binding_read(r->edge, sip, &p->wanted);
	if (status != 0 && status != 403 && status != 423)
		return status;
	edge_source(p->msg, &source);
	(void)addr_text(&source, p->wanted.source);
	(void)text_copy(p->wanted.user, sizeof(p->wanted.user), p->digest.username);
	switch (nonce_spend(r->nonces, p->digest.nonce, p->digest.nc,
		print_of(r, sip, &p->wanted), timers_now(r->edge->config.timers))) {
	case NONCE_STALE:
		*ret_stale = true;
		return 401;
	case NONCE_REPLAY:
		return 401;
	case NONCE_REPEAT:
		p->repeat = true;
		break;
	case NONCE_FRESH:
		break;
	}
	if (!is_own_record(sip, p->digest.username))
		return 403;
	if (status != 0)
		return status;
	return in_order(r, p) ? 0 : 500;
}

static void refuse(struct pending *p, int status, bool stale)
{
	struct registrar *r = p->registrar;

	if (status == 401)
		challenge(r, release(p), stale);
	else if (status == 423)
		answer_too_brief(r, release(p));
	else
		answer(r, release(p), status);
}

void sip_edge_account(
	struct sip_edge *edge, uint64_t query, const struct sip_account *account)
{
	struct pending *p = find_query(edge->registrar, query, false);
	struct sip_binding wanted;
	bool stale = false;
	int status = 401;

	if (p == NULL)
		return; /* it waited too long and was told so */
	if (is_proved(edge->registrar, &p->digest, account))
		status = judge(edge->registrar, p, &stale);
	if (status != 0) {
		refuse(p, status, stale);
		return;
	}
	wanted = p->wanted;
	if (wanted.contact[0] == '\0') {
		answer_ok(edge->registrar, release(p), &wanted);
		return;
	}
	p->binding = true;
	edge->config.bind(edge->config.arg, query, &wanted);
}

void sip_edge_bound(struct sip_edge *edge, uint64_t query, int result)
{
	struct pending *p = find_query(edge->registrar, query, true);
	struct sip_binding wanted;

	if (p == NULL)
		return;
	wanted = p->wanted;
	if (result == 0)
		answer_ok(edge->registrar, release(p), &wanted);
	else
		refuse(p, result == -EPERM ? 403 : 503, false);
}

void registrar_recv(struct registrar *r, msg_t *msg, const sip_t *sip)
{
	struct digest digest;
	struct pending *p;

	if (waits_already(r, sip)) {
		nta_msg_discard(r->edge->agent, msg);
		return;
	}
	if (read_credentials(r, sip, &digest) < 0) {
		challenge(r, msg, false);
		return;
	}
	p = hold(r, msg, sip);
	if (p == NULL) {
		answer(r, msg, 503);
		return;
	}
	p->digest = digest;
	/* the answer may come before this returns, and p with it */
	r->edge->config.account(r->edge->config.arg, query_of(p), digest.username);
}
