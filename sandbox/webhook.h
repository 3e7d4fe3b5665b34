/*
 * webhook.h: requests to the customer's web server on a thread of their own, with Twilio's
 * time-outs and retries.
 *
 * Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides. The URL's fragment
 * (#ct=..&rt=..&tt=..&rc=..&rp=..) sets connect, read and total time, retries and their policy.
 */
#ifndef OMNIVOX_SANDBOX_WEBHOOK_H
#define OMNIVOX_SANDBOX_WEBHOOK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/post.h"
#include "sandbox/signature.h"

struct webhooks;

#define WEBHOOK_TYPE_SIZE 64

/* Zero it, fill the first part, send it; it comes back once through done(). */
struct webhook {
	char *url; /* with its fragment; owned */
	char *body; /* form encoded; NULL makes it a GET, whose parameters are in the URL */
	char signature[SIGNATURE_SIZE];
	char token[40]; /* I-Twilio-Idempotency-Token, the same on every retry */
	void (*done)(
		struct webhook *hook); /* main loop; owns the hook, ends it with free */
	void *arg;
	bool media;    /* the answer is sound and may be large */
	char *cookies; /* sent with it, and as they are after; NULL: none; owned */

	int status; /* 0: no answer */
	int error;  /* 0, or Twilio's code: 11200, 11205, 11206, 11750 */
	unsigned tries;
	char type[WEBHOOK_TYPE_SIZE]; /* content type of the answer, lower case */
	struct buf reply;

	struct post post; /* webhooks' from here on */
	struct webhook_try *attempt;
};

void webhook_free(struct webhook **hook);

/* What a URL's fragment asks for. Values out of range are the defaults. Pure. */
struct webhook_rules {
	long connect_ms, read_ms, total_ms;
	unsigned retries;
	bool on_connect, on_read, on_4xx, on_5xx; /* what is tried again */
};

struct webhook_rules webhook_rules(const char *url);

/* Starts the thread; answers come to `answers`, borrowed. */
int webhooks_new(struct post_queue *answers, struct webhooks **ret_webhooks);

/* Gives up what is under way; done() is not called for it. */
void webhooks_free(struct webhooks **webhooks);

/* Main loop. Takes the hook. */
void webhooks_send(struct webhooks *webhooks, struct webhook *hook);

#endif
