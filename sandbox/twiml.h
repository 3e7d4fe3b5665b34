/*
 * twiml.h: a TwiML document as a tree of known elements with checked attributes. Pure, any
 * thread.
 *
 * What Twilio does not know, and values that are wrong, become warnings and are skipped; the
 * attribute then has its default. Source: twilio.com/docs/voice/twiml and the pages of the
 * verbs; the numbers of warnings are those of twilio.com/docs/api/errors.
 */
#ifndef OMNIVOX_SANDBOX_TWIML_H
#define OMNIVOX_SANDBOX_TWIML_H

#include <stdbool.h>
#include <stddef.h>

#define TWIML_MAX 65536 /* bytes; more is error 11750 */

enum twiml_error {
	TWIML_ERROR_PARSE = 12100,
	TWIML_ERROR_ROOT = 12102,
	TWIML_WARNING_SCHEMA = 12200,
	TWIML_ERROR_SIZE = 11750,
};

enum twiml_kind {
	TWIML_RESPONSE,
	TWIML_SAY,
	TWIML_PLAY,
	TWIML_PAUSE,
	TWIML_DIAL,
	TWIML_NUMBER,
	TWIML_SIP,
	TWIML_CLIENT,
	TWIML_CONFERENCE,
	TWIML_QUEUE,
	TWIML_IDENTITY,
	TWIML_PARAMETER,
	TWIML_GATHER,
	TWIML_RECORD,
	TWIML_HANGUP,
	TWIML_REDIRECT,
	TWIML_REJECT,
	TWIML_ENQUEUE,
	TWIML_LEAVE,
	TWIML_START,
	TWIML_STOP,
	TWIML_RECORDING,
	TWIML_TRANSCRIPTION,
	TWIML_FOREIGN, /* Twilio's, but the sandbox does not act on it; any attribute */
};

/* Words of a conference's statusCallbackEvent, as bits. */
enum conference_event {
	CONFERENCE_EVENT_START = 1 << 0,
	CONFERENCE_EVENT_END = 1 << 1,
	CONFERENCE_EVENT_JOIN = 1 << 2,
	CONFERENCE_EVENT_LEAVE = 1 << 3,
	CONFERENCE_EVENT_MUTE = 1 << 4,
	CONFERENCE_EVENT_HOLD = 1 << 5,
	CONFERENCE_EVENT_MODIFY = 1 << 6,
	CONFERENCE_EVENT_SPEAKER = 1 << 7,
	CONFERENCE_EVENT_ANNOUNCEMENT = 1 << 8,
};

enum twiml_type {
	TWIML_TEXT,
	TWIML_FLAG,   /* true or false */
	TWIML_RANGE,  /* a whole number from low to high */
	TWIML_METHOD, /* GET or POST */
	TWIML_WORD,   /* one of `words` */
	TWIML_KEYS,   /* of `words`, each a character */
};

/* The schema: twiml_schema.c. */
struct twiml_attribute {
	const char *name; /* NULL ends a table */
	enum twiml_type type;
	int code; /* of the warning about a wrong value; 0: 12200 */
	unsigned low, high;
	const char *words; /* "a b c" */
};

struct twiml_element {
	const char *name;
	enum twiml_kind kind;
	const char *parents;                      /* " Response Gather " */
	bool answers;                             /* picks up a ringing call */
	const struct twiml_attribute *attributes; /* NULL: any are taken, none kept */
};

const struct twiml_element *twiml_element_find(const char *name); /* NULL: none */

struct twiml_node {
	const struct twiml_element *element;
	char **values; /* as element->attributes; NULL: absent or wrong */
	char *text;    /* without blanks at both ends */
	struct twiml_node *parent, *children, *next;
};

struct twiml {
	struct twiml_node *root; /* <Response> */
	char **warnings;         /* "12200 Gather: ..." */
	size_t warning_count;
};

/* 0, or a positive enum twiml_error. On failure *ret_twiml is untouched. */
int twiml_parse(const char *text, size_t len, struct twiml **ret_twiml);
void twiml_free(struct twiml **twiml);

enum twiml_kind twiml_kind(const struct twiml_node *node);

/* Attributes of the schema only. NULL where absent or wrong. */
const char *twiml_text(const struct twiml_node *node, const char *name);
unsigned twiml_number(
	const struct twiml_node *node, const char *name, unsigned otherwise);
bool twiml_flag(const struct twiml_node *node, const char *name, bool otherwise);
const char *twiml_method(const struct twiml_node *node, const char *name); /* or POST */

/* The first child of that kind; NULL: none. */
const struct twiml_node *twiml_child(const struct twiml_node *node, enum twiml_kind kind);

/* "start end join" to bits; words separated by blanks or commas. Unknown words are left out. */
unsigned conference_events_parse(const char *words);

#endif
