/*
 * twiml.h: a TwiML document read once into a short list of typed verbs. Pure, any thread.
 *
 * Verbs that the sandbox does not act on, and values that are wrong, become warnings (Twilio's
 * 12200) and are skipped. Source: twilio.com/docs/voice/twiml.
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
	TWIML_PAUSE, /* Say and Play too: the sandbox does not speak, but time passes */
	TWIML_CONFERENCE,
	TWIML_HANGUP,
	TWIML_REDIRECT,
	TWIML_REJECT,
};

/* Words of statusCallbackEvent, as bits. */
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

struct twiml_conference {
	char *name;
	char *label;           /* NULL: none */
	char *coach;           /* call SID; NULL: none */
	char *status_callback; /* NULL: none */
	char *status_callback_method;
	unsigned events; /* enum conference_event */
	bool muted, start_on_enter, end_on_exit;
	unsigned max_participants;
	char *action; /* of the Dial; NULL: go on with the next verb */
	char *action_method;
};

struct twiml_verb {
	enum twiml_kind kind;
	bool answers;       /* picks up a ringing call */
	unsigned pause_ms;  /* TWIML_PAUSE */
	char *url, *method; /* TWIML_REDIRECT */
	bool busy;          /* TWIML_REJECT: reason="busy" */
	struct twiml_conference conference;
};

struct twiml {
	struct twiml_verb *verbs;
	size_t count;
	char **warnings; /* "12200 Gather: not acted on here" */
	size_t warning_count;
};

/* 0, or a positive enum twiml_error. On failure *ret_twiml is untouched. */
int twiml_parse(const char *text, size_t len, struct twiml **ret_twiml);
void twiml_free(struct twiml **twiml);

/* "start end join" to bits; words separated by blanks or commas. Unknown words are left out. */
unsigned conference_events_parse(const char *words);

#endif
