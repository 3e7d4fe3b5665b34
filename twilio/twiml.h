/*
 * twiml.h: writes TwiML (twilio.com/docs/voice/twiml). Every text and attribute is escaped here
 * and nowhere else; what XML cannot carry (control characters, broken UTF-8) is left out, so
 * the document always parses. Pure functions, any thread; `buf.failed` tells of lost memory.
 */
#ifndef OMNIVOX_TWILIO_TWIML_H
#define OMNIVOX_TWILIO_TWIML_H

#include "base/buf.h"

/* XML declaration and <Response>. */
void twiml_begin(struct buf *b);
void twiml_end(struct buf *b);

void twiml_hangup(struct buf *b);
void twiml_say(struct buf *b, const char *text);

/*
 * <Gather> of one key while `text` is said and for `seconds` after it: the key is posted to
 * `action` as Digits. Without one the document goes on.
 */
void twiml_gather_key(
	struct buf *b, const char *action, unsigned seconds, const char *text);

/* <Dial><Conference>: ends for nobody, silent while waiting, no beep. */
struct twiml_conference {
	const char *name;
	const char *participant_label; /* NULL: none */
	const char *status_callback;   /* NULL: none; else every event */
};
void twiml_conference(struct buf *b, const struct twiml_conference *conference);

#endif
