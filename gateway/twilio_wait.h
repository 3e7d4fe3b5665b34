/*
 * twilio_wait.h: one question to Twilio after the other, for commands that have nothing else to
 * do meanwhile. One thread.
 */
#ifndef OMNIVOX_GATEWAY_TWILIO_WAIT_H
#define OMNIVOX_GATEWAY_TWILIO_WAIT_H

#include "base/config.h"
#include "base/err.h"
#include "base/post.h"
#include "twilio/client.h"

/* Start with all zero; close also after a failed open. */
struct twilio_wait {
	struct post_queue *answers;
	struct twilio_client *client;
	struct twilio_answer *answer; /* the newest one; the wait's */
};

int twilio_wait_open(
	const struct config *config, struct twilio_wait *wait, struct err *err);
void twilio_wait_close(struct twilio_wait *wait);

/*
 * `asked` is what a request of twilio/ returned. Waits for its answer: 0 with wait->answer, which
 * is TWILIO_OK; else a sentence that says what was asked (`what`), what happened and what to do:
 * -EACCES refused for good, -EAGAIN to be tried later.
 */
int twilio_wait_for(
	struct twilio_wait *wait, int asked, const char *what, struct err *err);

/* The next page of the list that wait->answer is of: 0, or -ENOENT when there is none. */
int twilio_wait_next(struct twilio_wait *wait, const char *what, struct err *err);

#endif
