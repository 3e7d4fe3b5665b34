/* transcription.c: options, events, and the time that speech takes. */
#include "sandbox/transcription.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/sandbox.h"

#define FLAG "true false"
#define CONFIDENCE 0.99
#define STABILITY "0.9"

static const struct {
	const char *name, *otherwise;
	const char *words; /* NULL: any text */
} options[] = {
	[TRANSCRIPTION_NAME] = {"name", NULL, NULL},
	[TRANSCRIPTION_CALLBACK] = {"statusCallbackUrl", NULL, NULL},
	[TRANSCRIPTION_TRACK] = {"track", "both_tracks",
		"inbound_track outbound_track both_tracks"},
	[TRANSCRIPTION_INBOUND_LABEL] = {"inboundTrackLabel", NULL, NULL},
	[TRANSCRIPTION_OUTBOUND_LABEL] = {"outboundTrackLabel", NULL, NULL},
	[TRANSCRIPTION_LANGUAGE] = {"languageCode", "en-US", NULL},
	[TRANSCRIPTION_ENGINE] = {"transcriptionEngine", "google", NULL},
	[TRANSCRIPTION_MODEL] = {"speechModel", "telephony", NULL},
	[TRANSCRIPTION_HINTS] = {"hints", NULL, NULL},
	[TRANSCRIPTION_PARTIAL] = {"partialResults", "false", FLAG},
	[TRANSCRIPTION_PROFANITY] = {"profanityFilter", "true", FLAG},
	[TRANSCRIPTION_PUNCTUATION] = {"enableAutomaticPunctuation", "true", FLAG},
	[TRANSCRIPTION_PROVIDER_DATA] = {"enableProviderData", "false", FLAG},
};

const char *transcription_option_name(enum transcription_option option)
{
	return options[option].name;
}

void transcription_wish_init(struct transcription_wish *wish)
{
	size_t i;

	for (i = 0; i < TRANSCRIPTION_OPTIONS; i++)
		wish->options[i] = memory_text(options[i].otherwise);
}

void transcription_wish_free(struct transcription_wish *wish)
{
	size_t i;

	for (i = 0; i < TRANSCRIPTION_OPTIONS; i++) {
		free(wish->options[i]);
		wish->options[i] = NULL;
	}
}

static bool is_word(const char *words, const char *value)
{
	size_t len = strlen(value);
	const char *at;

	for (at = words; *at != '\0'; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && strncmp(at, value, len) == 0)
			return true;
	}
	return false;
}

int transcription_wish_set(struct transcription_wish *wish,
	enum transcription_option option, const char *value)
{
	if (options[option].words != NULL && !is_word(options[option].words, value))
		return -EINVAL;
	memory_swap(&wish->options[option], value);
	return 0;
}

static bool says(const struct transcription *t, enum transcription_option option)
{
	return strcmp(t->how.options[option], "true") == 0;
}

/* ---- events ---- */

static void add_option(const struct transcription *t, struct buf *form, const char *name,
	enum transcription_option option)
{
	if (t->how.options[option] != NULL)
		form_add(form, name, t->how.options[option]);
}

/* As a parameter of the webhook; takes the object. */
static void add_json(struct buf *form, const char *name, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text == NULL)
		abort(); /* out of memory: memory.h's law */
	form_add(form, name, text);
	free(text);
}

static void begin_event(struct transcription *t, const char *event, struct buf *form)
{
	char at[CLOCK_TEXT_SIZE];

	form_add(form, "AccountSid", t->call->sandbox->settings.account_sid);
	form_add(form, "CallSid", t->call->sid);
	form_add(form, "TranscriptionSid", t->sid);
	form_add(form, "Timestamp", clock_text(clock_wall_ms(), at));
	form_add_int(form, "SequenceId", ++t->sequence);
	form_add(form, "TranscriptionEvent", event);
}

/* Always by POST. Ends the form. */
static void send_event(struct transcription *t, struct buf *form)
{
	outbox_notify(t->call->sandbox->outbox,
		&(struct letter){.url = t->how.options[TRANSCRIPTION_CALLBACK],
			.method = "POST",
			.form = form,
			.call = t->call});
	buf_free(form);
}

static void tell_started(struct transcription *t)
{
	char **how = t->how.options;
	struct buf form = {0};

	begin_event(t, "transcription-started", &form);
	add_json(&form, "ProviderConfiguration",
		json_pack("{s:s, s:s, s:s, s:s*}", "profanityFilter",
			how[TRANSCRIPTION_PROFANITY], "speechModel",
			how[TRANSCRIPTION_MODEL], "enableAutomaticPunctuation",
			how[TRANSCRIPTION_PUNCTUATION], "hints",
			how[TRANSCRIPTION_HINTS]));
	add_option(t, &form, "TranscriptionEngine", TRANSCRIPTION_ENGINE);
	add_option(t, &form, "Name", TRANSCRIPTION_NAME);
	add_option(t, &form, "Track", TRANSCRIPTION_TRACK);
	add_option(t, &form, "InboundTrackLabel", TRANSCRIPTION_INBOUND_LABEL);
	add_option(t, &form, "OutboundTrackLabel", TRANSCRIPTION_OUTBOUND_LABEL);
	add_option(t, &form, "PartialResults", TRANSCRIPTION_PARTIAL);
	add_option(t, &form, "LanguageCode", TRANSCRIPTION_LANGUAGE);
	send_event(t, &form);
}

/* The words so far, or their first half. */
static void tell_content(struct transcription *t, bool whole)
{
	size_t len = whole ? t->words.len : t->words.len / 2;
	struct buf form = {0};
	json_t *data;

	/* Not in the middle of a character. */
	while (!whole && len > 0 && (t->words.data[len] & 0xc0) == 0x80)
		len--;
	data = json_pack("{s:s%}", "transcript", t->words.data, len);
	if (whole)
		(void)json_object_set_new(data, "confidence", json_real(CONFIDENCE));
	begin_event(t, "transcription-content", &form);
	add_option(t, &form, "LanguageCode", TRANSCRIPTION_LANGUAGE);
	form_add(&form, "Track", "inbound_track");
	add_json(&form, "TranscriptionData", data);
	form_add(&form, "Final", whole ? "true" : "false");
	if (says(t, TRANSCRIPTION_PARTIAL))
		form_add(&form, "Stability", STABILITY);
	if (says(t, TRANSCRIPTION_PROVIDER_DATA))
		form_add(&form, "TranscriptionProviderData", "{}");
	send_event(t, &form);
}

/* ---- speech ---- */

/* What was heard so far is all there is of it. */
static void finish_words(struct transcription *t)
{
	timer_stop(&t->speaking);
	if (t->words.len > 0)
		tell_content(t, true);
	buf_free(&t->words);
	t->part_told = false;
}

static void wait_for_words(struct transcription *t)
{
	const struct sandbox *sandbox = t->call->sandbox;
	int64_t ms = (int64_t)t->words.len * sandbox->facts.say_ms_per_char;

	loop_timer(sandbox->loop, &t->speaking,
		sandbox_scaled(sandbox, says(t, TRANSCRIPTION_PARTIAL) ? ms / 2 : ms));
}

static void on_spoken(struct timer *timer)
{
	struct transcription *t = list_entry(timer, struct transcription, speaking);

	if (!says(t, TRANSCRIPTION_PARTIAL) || t->part_told) {
		finish_words(t);
		return;
	}
	tell_content(t, false);
	t->part_told = true;
	wait_for_words(t);
}

static void hear(struct transcription *t, const char *words)
{
	if (!t->live ||
		strcmp(t->how.options[TRANSCRIPTION_TRACK], "outbound_track") == 0)
		return;
	finish_words(t);
	buf_add_str(&t->words, words);
	if (t->words.len > 0)
		wait_for_words(t);
}

void transcriptions_hear(struct call *call, const char *words)
{
	struct list *node, *tmp;

	list_for_each(&call->transcriptions, node, tmp)
	{
		hear(list_entry(node, struct transcription, node), words);
	}
}

/* ---- life ---- */

struct transcription *transcription_start(
	struct call *call, struct transcription_wish *wish)
{
	struct transcription *t = memory_zero(sizeof(*t));

	t->call = call;
	t->how = *wish;
	memset(wish, 0, sizeof(*wish));
	sandbox_sid(call->sandbox, "GT", t->sid);
	t->live = true;
	t->updated_ms = clock_wall_ms();
	t->speaking.fire = on_spoken;
	list_add_tail(&call->transcriptions, &t->node);
	tell_started(t);
	if (call->customer != NULL && call->customer->speech != NULL)
		hear(t, call->customer->speech);
	return t;
}

void transcription_stop(struct transcription *t)
{
	struct buf form = {0};

	if (!t->live)
		return;
	finish_words(t);
	t->live = false;
	t->updated_ms = clock_wall_ms();
	begin_event(t, "transcription-stopped", &form);
	send_event(t, &form);
}

struct transcription *transcription_find(const struct call *call, const char *name)
{
	struct list *node;

	for (node = call->transcriptions.prev; node != &call->transcriptions;
		node = node->prev) {
		struct transcription *t = list_entry(node, struct transcription, node);
		const char *own = t->how.options[TRANSCRIPTION_NAME];

		if (strcmp(t->sid, name) == 0 || (own != NULL && strcmp(own, name) == 0))
			return t;
	}
	return NULL;
}

void transcriptions_stop(struct call *call)
{
	struct list *node, *tmp;

	list_for_each(&call->transcriptions, node, tmp)
	{
		transcription_stop(list_entry(node, struct transcription, node));
	}
}

void transcriptions_free(struct call *call)
{
	struct list *node, *tmp;

	list_for_each(&call->transcriptions, node, tmp)
	{
		struct transcription *t = list_entry(node, struct transcription, node);

		timer_stop(&t->speaking);
		list_remove(&t->node);
		transcription_wish_free(&t->how);
		buf_free(&t->words);
		free(t);
	}
}
