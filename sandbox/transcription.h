/*
 * transcription.h: a call's words as text, told while the call goes on. Main loop only.
 *
 * What is heard is what the call's own far end says, a simulated customer's `speech` or the words
 * of the lever; it is the inbound track, and the other one is silent. Source:
 * twilio.com/docs/voice/twiml/transcription.
 */
#ifndef OMNIVOX_SANDBOX_TRANSCRIPTION_H
#define OMNIVOX_SANDBOX_TRANSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/timers.h"
#include "sandbox/chance.h"

struct call;

enum transcription_option {
	TRANSCRIPTION_NAME,
	TRANSCRIPTION_CALLBACK,
	TRANSCRIPTION_TRACK,
	TRANSCRIPTION_INBOUND_LABEL,
	TRANSCRIPTION_OUTBOUND_LABEL,
	TRANSCRIPTION_LANGUAGE,
	TRANSCRIPTION_ENGINE,
	TRANSCRIPTION_MODEL,
	TRANSCRIPTION_HINTS,
	TRANSCRIPTION_PARTIAL,
	TRANSCRIPTION_PROFANITY,
	TRANSCRIPTION_PUNCTUATION,
	TRANSCRIPTION_PROVIDER_DATA,
	TRANSCRIPTION_OPTIONS,
};

/* As text, owned; NULL: not given, and without a default. */
struct transcription_wish {
	char *options[TRANSCRIPTION_OPTIONS];
};

struct transcription {
	struct call *call;
	struct list node; /* of struct call.transcriptions: until the call is forgotten */
	char sid[SID_SIZE];
	struct transcription_wish how;
	bool live;
	int64_t updated_ms; /* wall clock */
	unsigned sequence;  /* of the last event */
	struct buf words;   /* heard, and not told yet as a whole */
	bool part_told;
	struct timer speaking;
};

/* "languageCode", as the attribute is called; the parameter has "LanguageCode". */
const char *transcription_option_name(enum transcription_option option);

/* With the defaults. */
void transcription_wish_init(struct transcription_wish *wish);
void transcription_wish_free(struct transcription_wish *wish);

/* -EINVAL: not one of the option's words. The value is copied. */
int transcription_wish_set(struct transcription_wish *wish,
	enum transcription_option option, const char *value);

/* Starts at once; the call must be in progress. Takes the wish's texts. */
struct transcription *transcription_start(
	struct call *call, struct transcription_wish *wish);
void transcription_stop(struct transcription *transcription); /* harmless twice */

/* By SID, or the newest of that name. NULL: none. */
struct transcription *transcription_find(const struct call *call, const char *name);

/* The call's far end says it: all that listen hear it. */
void transcriptions_hear(struct call *call, const char *words);

void transcriptions_stop(struct call *call); /* all of a call, which is over */
void transcriptions_free(struct call *call); /* tells nobody */

#endif
