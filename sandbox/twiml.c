/* twiml.c: TwiML by libxml2, without entities, network or DTDs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/text.h"
#include "sandbox/callback.h"
#include "sandbox/memory.h"
#include "sandbox/twiml.h"

#define SAY_MS_PER_CHAR 66 /* 150 words a minute */
#define PLAY_MS 5000       /* the sandbox does not fetch sounds */
#define REPEATS_MAX 1000   /* loop="0" is for ever; Twilio plays 1000 times */

static const struct callback_word event_words[] = {
	{"start", CONFERENCE_EVENT_START},
	{"end", CONFERENCE_EVENT_END},
	{"join", CONFERENCE_EVENT_JOIN},
	{"leave", CONFERENCE_EVENT_LEAVE},
	{"mute", CONFERENCE_EVENT_MUTE},
	{"hold", CONFERENCE_EVENT_HOLD},
	{"modify", CONFERENCE_EVENT_MODIFY},
	{"speaker", CONFERENCE_EVENT_SPEAKER},
	{"announcement", CONFERENCE_EVENT_ANNOUNCEMENT},
};

unsigned conference_events_parse(const char *words)
{
	return callback_events(
		words, event_words, sizeof(event_words) / sizeof(event_words[0]));
}

__attribute__((format(printf, 2, 3))) static void warn(
	struct twiml *twiml, const char *fmt, ...)
{
	size_t size = (twiml->warning_count + 1) * sizeof(*twiml->warnings);
	char **grown = realloc(twiml->warnings, size);
	char text[256];
	va_list ap;

	if (grown == NULL)
		return; /* a warning less */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	twiml->warnings = grown;
	grown[twiml->warning_count++] = memory_text(text);
}

/* An attribute's value, the caller's; NULL when absent. */
static char *attr(const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	char *copy = memory_text((const char *)value);

	xmlFree(value);
	return copy;
}

static char *content(const xmlNode *node)
{
	xmlChar *raw = xmlNodeGetContent(node);
	const char *start = raw != NULL ? (const char *)raw : "";
	char *copy;
	size_t len;

	start += strspn(start, " \t\r\n");
	copy = memory_text(start);
	for (len = strlen(copy); len > 0 && strchr(" \t\r\n", copy[len - 1]); len--)
		copy[len - 1] = '\0';
	xmlFree(raw);
	return copy;
}

static bool attr_bool(
	struct twiml *twiml, const xmlNode *node, const char *name, bool otherwise)
{
	char *value = attr(node, name);
	bool yes = otherwise;

	if (value != NULL && strcmp(value, "true") == 0)
		yes = true;
	else if (value != NULL && strcmp(value, "false") == 0)
		yes = false;
	else if (value != NULL)
		warn(twiml, "12200 %s: %s=\"%.60s\" is neither true nor false",
			(const char *)node->name, name, value);
	free(value);
	return yes;
}

struct range {
	unsigned low, high, otherwise;
};

static unsigned attr_number(
	struct twiml *twiml, const xmlNode *node, const char *name, struct range range)
{
	char *value = attr(node, name);
	int64_t number = range.otherwise;

	if (value != NULL && text_int(value, range.low, range.high, &number) < 0)
		warn(twiml, "12200 %s: %s=\"%.60s\" is not between %u and %u",
			(const char *)node->name, name, value, range.low, range.high);
	free(value);
	return (unsigned)number;
}

static char *attr_method(struct twiml *twiml, const xmlNode *node, const char *name)
{
	char *value = attr(node, name);

	if (value != NULL && strcmp(value, "GET") != 0 && strcmp(value, "POST") != 0) {
		warn(twiml, "12200 %s: %s is GET or POST", (const char *)node->name,
			name);
		memory_swap(&value, NULL);
	}
	return value != NULL ? value : memory_text("POST");
}

static struct twiml_verb *add(struct twiml *twiml, enum twiml_kind kind)
{
	struct twiml_verb *verb = &twiml->verbs[twiml->count++];

	verb->kind = kind;
	verb->answers = kind == TWIML_CONFERENCE || kind == TWIML_HANGUP;
	return verb;
}

static void read_say(struct twiml *twiml, const xmlNode *node)
{
	unsigned times = attr_number(
		twiml, node, "loop", (struct range){.high = REPEATS_MAX, .otherwise = 1});
	char *words = content(node);
	struct twiml_verb *verb = add(twiml, TWIML_PAUSE);

	verb->answers = true;
	verb->pause_ms = (unsigned)strlen(words) * SAY_MS_PER_CHAR *
			 (times == 0 ? REPEATS_MAX : times);
	free(words);
}

static void read_play(struct twiml *twiml, const xmlNode *node)
{
	unsigned times = attr_number(
		twiml, node, "loop", (struct range){.high = REPEATS_MAX, .otherwise = 1});
	struct twiml_verb *verb = add(twiml, TWIML_PAUSE);

	verb->answers = true;
	verb->pause_ms = PLAY_MS * (times == 0 ? REPEATS_MAX : times);
}

static void read_pause(struct twiml *twiml, const xmlNode *node)
{
	unsigned seconds = attr_number(twiml, node, "length",
		(struct range){.low = 1, .high = 86400, .otherwise = 1});

	add(twiml, TWIML_PAUSE)->pause_ms = seconds * 1000;
}

static void read_conference(struct twiml *twiml, const xmlNode *dial, const xmlNode *node)
{
	struct twiml_conference *c;
	char *name = content(node), *events;

	if (*name == '\0') {
		warn(twiml, "12200 Conference: it has no name");
		free(name);
		return;
	}
	c = &add(twiml, TWIML_CONFERENCE)->conference;
	c->name = name;
	c->label = attr(node, "participantLabel");
	c->coach = attr(node, "coach");
	c->muted = attr_bool(twiml, node, "muted", false);
	c->start_on_enter = attr_bool(twiml, node, "startConferenceOnEnter", true);
	c->end_on_exit = attr_bool(twiml, node, "endConferenceOnExit", false);
	c->max_participants = attr_number(twiml, node, "maxParticipants",
		(struct range){.low = 2, .high = 250, .otherwise = 250});
	c->status_callback = attr(node, "statusCallback");
	c->status_callback_method = attr_method(twiml, node, "statusCallbackMethod");
	events = attr(node, "statusCallbackEvent");
	c->events = events != NULL ? conference_events_parse(events) : 0;
	free(events);
	c->action = attr(dial, "action");
	c->action_method = attr_method(twiml, dial, "method");
}

static void read_dial(struct twiml *twiml, const xmlNode *dial)
{
	const xmlNode *node;

	for (node = dial->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (strcmp((const char *)node->name, "Conference") == 0) {
			read_conference(twiml, dial, node);
			return;
		}
		warn(twiml, "12200 Dial: %.60s is not acted on here",
			(const char *)node->name);
	}
	warn(twiml, "12200 Dial: only a Conference is acted on here");
}

static void read_hangup(struct twiml *twiml, const xmlNode *node)
{
	(void)node;
	(void)add(twiml, TWIML_HANGUP);
}

static void read_redirect(struct twiml *twiml, const xmlNode *node)
{
	struct twiml_verb *verb = add(twiml, TWIML_REDIRECT);

	verb->url = content(node);
	verb->method = attr_method(twiml, node, "method");
}

static void read_reject(struct twiml *twiml, const xmlNode *node)
{
	char *reason = attr(node, "reason");

	add(twiml, TWIML_REJECT)->busy = reason != NULL && strcmp(reason, "busy") == 0;
	free(reason);
}

static const struct {
	const char *name;
	void (*read)(struct twiml *twiml, const xmlNode *node);
} verbs[] = {
	{"Dial", read_dial},
	{"Hangup", read_hangup},
	{"Pause", read_pause},
	{"Play", read_play},
	{"Redirect", read_redirect},
	{"Reject", read_reject},
	{"Say", read_say},
};

static void read_verb(struct twiml *twiml, const xmlNode *node)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp((const char *)node->name, verbs[i].name) == 0) {
			verbs[i].read(twiml, node);
			return;
		}
	}
	warn(twiml, "12200 %.60s: not acted on here", (const char *)node->name);
}

int twiml_parse(const char *text, size_t len, struct twiml **ret_twiml)
{
	struct twiml *twiml;
	xmlDoc *doc;
	xmlNode *root, *node;

	if (len > TWIML_MAX)
		return TWIML_ERROR_SIZE;
	doc = xmlReadMemory(text, (int)len, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
	if (root == NULL || strcmp((const char *)root->name, "Response") != 0) {
		xmlFreeDoc(doc);
		return root == NULL ? TWIML_ERROR_PARSE : TWIML_ERROR_ROOT;
	}
	twiml = memory_zero(sizeof(*twiml));
	/* A child element gives at most one verb. */
	twiml->verbs =
		memory_zero((xmlChildElementCount(root) + 1) * sizeof(*twiml->verbs));
	for (node = root->children; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE)
			read_verb(twiml, node);
	xmlFreeDoc(doc);
	*ret_twiml = twiml;
	return 0;
}

void twiml_free(struct twiml **twiml)
{
	struct twiml *t = *twiml;
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->count; i++) {
		struct twiml_conference *c = &t->verbs[i].conference;

		free(t->verbs[i].url);
		free(t->verbs[i].method);
		free(c->name);
		free(c->label);
		free(c->coach);
		free(c->status_callback);
		free(c->status_callback_method);
		free(c->action);
		free(c->action_method);
	}
	for (i = 0; i < t->warning_count; i++)
		free(t->warnings[i]);
	free(t->verbs);
	free(t->warnings);
	free(t);
	*twiml = NULL;
}
