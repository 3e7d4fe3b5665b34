/* sip_rig.h: an edge on its loop, and peers that are plain UDP sockets with scripted texts. */
#ifndef OMNIVOX_TESTS_SIP_RIG_H
#define OMNIVOX_TESTS_SIP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/dialog.h"
#include "sip/edge.h"
#include "sip/loop.h"

#define RIG_REALM "ovx.test"
#define RIG_USER "agent1"
#define RIG_PASSWORD "secret"
#define RIG_INBOX 64

struct peer {
	struct rig *rig;
	int fd, watch;
	uint16_t port;
	char *inbox[RIG_INBOX]; /* oldest first */
	size_t waiting;
	char taken[70000]; /* the message that peer_expect returned */
};

struct rig {
	struct post_queue *queue;
	struct timers *timers;
	struct sip_loop *loop;
	struct sip_edge *edge;
	uint16_t port;
	unsigned pending_max;
	/* what the callbacks do and saw */
	bool answer_later;
	int bind_result;
	unsigned account_asked, bind_asked;
	uint64_t query;
	struct sip_binding bound;
};

void rig_start(struct rig *rig, uint16_t port); /* 0: any */
void rig_stop(struct rig *rig);

/* Runs the loop until `done` says so; false after `ms`. */
bool rig_run(struct rig *rig, bool (*done)(void *arg), void *arg, int64_t ms);
void rig_account(struct rig *rig, uint64_t query, const char *user);

void peer_open(struct peer *peer, struct rig *rig);
void peer_close(struct peer *peer);
void peer_rewatch(struct peer *peer); /* on the rig's new loop */
void peer_send(struct peer *peer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void peer_send_raw(struct peer *peer, const void *data, size_t len);

/*
 * The next message that begins with `start`, within 5 s; others before it are thrown away.
 * Fails the test when none comes. Valid until the next call.
 */
const char *peer_expect(struct peer *peer, const char *start);
/* True when nothing that begins with `start` comes within `ms`. */
bool peer_hears_no(struct peer *peer, const char *start, int64_t ms);

/* The first header line of that name without name and line end; "" when absent. */
const char *header_of(const char *message, const char *name, char *buf, size_t size);
/* "tag=" of To or From. */
const char *tag_of(const char *message, const char *name, char *buf, size_t size);
/* After the blank line. */
const char *body_of(const char *message);

/* What a response must repeat of a request: Via, From, To (with `tag` when not NULL), Call-ID, CSeq. */
void peer_reply(struct peer *peer, const char *request, const char *status,
	const char *tag, const char *more, const char *body);

/* A REGISTER; `authorization` NULL: none. */
struct rig_register {
	const char *call_id;
	unsigned cseq;
	const char *to_user;
	const char *contact; /* header lines */
	const char *authorization;
	const char *branch;
};
void peer_register(struct peer *peer, const struct rig_register *reg);
/* Answers the challenge in `unauthorized` for a REGISTER; algorithm MD5 or SHA-256. */
const char *rig_credentials(const char *unauthorized, const char *user,
	const char *password, unsigned nc, const char *algorithm, char *buf, size_t size);

#endif
