/* twiml_start.c: Start and Stop: what goes on beside the document. */
#include <stdio.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/recording.h"
#include "sandbox/transcription.h"
#include "sandbox/twiml_verbs.h"

static void start_recording(struct twiml_run *run, const struct twiml_node *node)
{
	const char *channels = twiml_text(node, "channels");
	const char *track = twiml_text(node, "track");
	struct recording_wish wish;

	recording_wish_init(&wish, "StartCallRecordingAPI");
	wish.trim = false;
	run_recording_wish(run, node, &wish);
	if (channels != NULL && strcmp(channels, "dual") == 0)
		wish.channels = 2;
	if (track != NULL)
		wish.track = strcmp(track, "inbound") == 0    ? "inbound"
			     : strcmp(track, "outbound") == 0 ? "outbound"
							      : "both";
	(void)recording_start(run->call, &wish);
	recording_wish_free(&wish);
}

/* The schema has looked at the words already; an address must be absolute. */
static void start_transcription(struct twiml_run *run, const struct twiml_node *node)
{
	struct transcription_wish wish;
	unsigned i;

	transcription_wish_init(&wish);
	for (i = 0; i < TRANSCRIPTION_OPTIONS; i++) {
		enum transcription_option option = (enum transcription_option)i;
		const char *value = twiml_text(node, transcription_option_name(option));

		if (value == NULL)
			continue;
		if (option == TRANSCRIPTION_CALLBACK && strstr(value, "://") == NULL)
			run_warn(run, TWIML_WARNING_SCHEMA,
				"Transcription: statusCallbackUrl is not absolute");
		else
			(void)transcription_wish_set(&wish, option, value);
	}
	(void)transcription_start(run->call, &wish);
	transcription_wish_free(&wish);
}

static void stop_transcription(struct twiml_run *run, const struct twiml_node *node)
{
	const char *name = twiml_text(node, "name");
	struct transcription *t = transcription_find(run->call, name != NULL ? name : "");
	char text[200];

	if (t != NULL) {
		transcription_stop(t);
		return;
	}
	(void)snprintf(text, sizeof(text), "Stop: there is no transcription \"%.100s\"",
		name != NULL ? name : "");
	run_warn(run, TWIML_WARNING_SCHEMA, text);
}

void start_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	const struct twiml_node *node;

	for (node = verb->children; node != NULL; node = node->next) {
		if (twiml_kind(node) == TWIML_RECORDING)
			start_recording(run, node);
		else
			start_transcription(run, node);
	}
}

void stop_begin(struct twiml_run *run, const struct twiml_node *verb)
{
	const struct list *recordings = &run->call->recordings;
	const struct twiml_node *node;

	for (node = verb->children; node != NULL; node = node->next) {
		if (twiml_kind(node) == TWIML_TRANSCRIPTION)
			stop_transcription(run, node);
		else if (!list_empty(recordings)) /* the newest */
			recording_stop(
				list_entry(recordings->prev, struct recording, call_node),
				false);
	}
}
