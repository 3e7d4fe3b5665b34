/*
 * outbox.h: everything that goes to the customer's web server: signed, logged, and subject to
 * the faults. Main loop only.
 */
#ifndef OMNIVOX_SANDBOX_OUTBOX_H
#define OMNIVOX_SANDBOX_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct call;
struct outbox;
struct sandbox;
struct webhook;

/* One request to be made; all borrowed. */
struct letter {
	const char *url;
	const char *method; /* "GET" or "POST" */
	const struct buf *form;
	const struct call *call; /* whom it is about; NULL: a conference only */
	bool media;              /* a GET for sound: no line in the log, no faults */
	bool large;              /* the answer may be sound */
	const char *conference;  /* its friendly name; NULL: none */
};

/* A wish for instructions: the answer comes back by call SID and ticket. */
typedef void outbox_answer_cb(struct sandbox *sandbox, const char *call_sid,
	uint64_t ticket, const struct webhook *hook);

int outbox_new(struct sandbox *sandbox, struct outbox **ret_outbox);
void outbox_free(struct outbox **outbox); /* gives up what is under way */

/* A status or conference callback; nobody reads its answer. No URL: nothing happens. */
void outbox_notify(struct outbox *outbox, const struct letter *letter);

/* A TwiML request. `answer` is called once, never from inside this call. */
void outbox_fetch(struct outbox *outbox, const struct letter *letter,
	outbox_answer_cb *answer, uint64_t ticket);

#endif
