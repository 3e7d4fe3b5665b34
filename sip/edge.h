/*
 * edge.h: the SIP edge: transports, registrar with digest, and the dialogs we start.
 *
 * Runs on the loop. Knows no database: it asks for credentials and for storing through
 * callbacks, and is answered by id, now or later. What needs no transaction is answered
 * statelessly. Source: RFC 3261, RFC 8760, RFC 7616.
 */
#ifndef OMNIVOX_SIP_EDGE_H
#define OMNIVOX_SIP_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct sip_edge;
struct sip_loop;
struct timers;

#define SIP_USER_SIZE 64
#define SIP_URI_SIZE 256
#define SIP_HA1_MD5_SIZE 33
#define SIP_HA1_SHA256_SIZE 65

/* What a phone must prove that it knows. Empty strings: no such account. */
struct sip_account {
	char user[SIP_USER_SIZE];
	char ha1_md5[SIP_HA1_MD5_SIZE];       /* hex MD5(user:realm:password) */
	char ha1_sha256[SIP_HA1_SHA256_SIZE]; /* hex SHA-256 of the same */
};

/* One REGISTER that passed digest: bind, refresh or (expires_s 0) remove. */
struct sip_binding {
	char user[SIP_USER_SIZE];
	char contact[SIP_URI_SIZE]; /* URI; "*" removes all */
	char source
		[ADDR_TEXT_SIZE]; /* where the request came from: requests go back there */
	char call_id[128];
	char user_agent[128];
	uint32_t cseq;
	unsigned expires_s; /* granted */
};

struct sip_edge_config {
	struct sip_loop *loop;
	struct timers *timers;
	const char *listen; /* "0.0.0.0:5060"; port 0 picks one */
	const char *
		advertise; /* host in Contact and SDP; NULL: the listen host, or 127.0.0.1 */
	const char *realm;
	const char *user_agent;
	unsigned expires_min_s, expires_max_s;
	unsigned
		pending_max; /* REGISTERs that wait for an answer of ours; more get 503 */
	/* Answer with sip_edge_account(). */
	void (*account)(void *arg, uint64_t query, const char *user);
	/* Answer with sip_edge_bound(). */
	void (*bind)(void *arg, uint64_t query, const struct sip_binding *binding);
	void *arg;
};

/* Binds the port; -EADDRINUSE and friends with a sentence in err. */
struct err;
int sip_edge_new(const struct sip_edge_config *config, struct sip_edge **ret_edge,
	struct err *err);
void sip_edge_free(struct sip_edge **edge); /* sends no BYE: calls are resumed later */

const struct addr *sip_edge_addr(const struct sip_edge *edge); /* the real one */
const char *sip_edge_host(const struct sip_edge *edge);        /* advertised */

/* Answers; loop thread. `account` NULL: unknown user (the phone gets the same 401/403). */
void sip_edge_account(
	struct sip_edge *edge, uint64_t query, const struct sip_account *account);
/* `result` 0: 200 OK; -ENOSPC, -EIO: 503; -EPERM: 403. */
void sip_edge_bound(struct sip_edge *edge, uint64_t query, int result);

#endif
