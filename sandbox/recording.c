/* recording.c: frames into a file, and the webhooks about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/log.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/call_sound.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/recording.h"
#include "sandbox/sandbox.h"

#define FRAME_MS 20
#define QUIET 128 /* samples below it are silence */
#define PATH_SIZE 4096

struct recordings {
	struct sandbox *sandbox;
	struct list all;
	size_t count;
};

static const struct callback_word event_words[] = {
	{"in-progress", RECORDING_EVENT_IN_PROGRESS},
	{"started", RECORDING_EVENT_IN_PROGRESS},
	{"completed", RECORDING_EVENT_COMPLETED},
	{"absent", RECORDING_EVENT_ABSENT},
	{"paused", RECORDING_EVENT_PAUSED},
	{"resumed", RECORDING_EVENT_RESUMED},
	{"stopped", RECORDING_EVENT_STOPPED},
	{"failed", RECORDING_EVENT_FAILED},
};

static const char *const statuses[] = {
	[RECORDING_IN_PROGRESS] = "in-progress",
	[RECORDING_PAUSED] = "paused",
	[RECORDING_STOPPED] = "stopped",
	[RECORDING_PROCESSING] = "processing",
	[RECORDING_COMPLETED] = "completed",
	[RECORDING_ABSENT] = "absent",
	[RECORDING_DELETED] = "deleted",
};

void recording_wish_init(struct recording_wish *wish, const char *source)
{
	*wish = (struct recording_wish){.channels = 1,
		.trim = true,
		.track = "both",
		.source = source,
		.callback = {.events = RECORDING_EVENT_COMPLETED}};
}

void recording_wish_free(struct recording_wish *wish)
{
	callback_free(&wish->callback);
}

unsigned recording_events_parse(const char *words)
{
	return callback_events(
		words, event_words, sizeof(event_words) / sizeof(event_words[0]));
}

bool recording_is_live(const struct recording *recording)
{
	return recording->status <= RECORDING_PAUSED;
}

int64_t recording_duration_s(const struct recording *recording)
{
	return ((int64_t)recording->frames * FRAME_MS + 500) / 1000;
}

const char *recording_status_text(const struct recording *recording)
{
	return statuses[recording->status];
}

void recording_path(const struct recording *recording, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/sandbox/recordings/%s.wav",
		recording->sandbox->settings.data_dir, recording->sid);
}

char *recording_url(const struct recording *recording)
{
	const struct sandbox *sandbox = recording->sandbox;
	struct buf url = {0};

	buf_printf(&url, "%s/" SANDBOX_API_VERSION "/Accounts/%s/Recordings/%s",
		sandbox->base_url, sandbox->settings.account_sid, recording->sid);
	return buf_take(&url);
}

void recording_form(const struct recording *recording, struct buf *form)
{
	char *url = recording_url(recording);

	form_add(form, "RecordingUrl", url);
	form_add(form, "RecordingSid", recording->sid);
	form_add_int(form, "RecordingDuration", recording_duration_s(recording));
	free(url);
}

/* Tells the callback, where this event is asked for. */
static void report(struct recording *recording, unsigned event, const char *word)
{
	const struct recording_wish *how = &recording->how;
	const struct sandbox *sandbox = recording->sandbox;
	char date[DATE_SIZE];
	struct buf form = {0};

	recording->updated_ms = clock_wall_ms();
	if (how->callback.url == NULL || (how->callback.events & event) == 0)
		return;
	form_add(&form, "AccountSid", sandbox->settings.account_sid);
	if (*recording->call_sid != '\0')
		form_add(&form, "CallSid", recording->call_sid);
	if (*recording->conference_sid != '\0')
		form_add(&form, "ConferenceSid", recording->conference_sid);
	recording_form(recording, &form);
	form_add(&form, "RecordingStatus", word);
	form_add_int(&form, "RecordingChannels", how->channels);
	form_add(&form, "RecordingStartTime", date_text(recording->started_ms, date));
	form_add(&form, "RecordingSource", how->source);
	form_add(&form, "RecordingTrack", how->track);
	if (recording->error_code != 0)
		form_add_int(&form, "ErrorCode", recording->error_code);
	outbox_notify(sandbox->outbox,
		&(struct letter){.url = how->callback.url,
			.method = how->callback.method,
			.form = &form,
			.call = calls_find(sandbox->calls, recording->call_sid)});
	buf_free(&form);
}

int recordings_new(struct sandbox *sandbox, struct recordings **ret_recordings)
{
	struct recordings *recordings = memory_zero(sizeof(*recordings));

	recordings->sandbox = sandbox;
	list_init(&recordings->all);
	*ret_recordings = recordings;
	return 0;
}

static void forget(struct recordings *recordings, struct recording *recording)
{
	if (recording->call != NULL)
		mixer_untap(call_port(recording->call), &recording->tap);
	mixer_leave(&recording->ear);
	timer_stop(&recording->ready);
	sound_sink_free(&recording->sink);
	recording_wish_free(&recording->how);
	list_remove(&recording->call_node);
	list_remove(&recording->node);
	recordings->count--;
	free(recording);
}

void recordings_free(struct recordings **recordings)
{
	struct list *node, *tmp;

	if (*recordings == NULL)
		return;
	list_for_each(&(*recordings)->all, node, tmp)
	{
		forget(*recordings, list_entry(node, struct recording, node));
	}
	free(*recordings);
	*recordings = NULL;
}

struct list *recordings_list(struct recordings *recordings)
{
	return &recordings->all;
}

struct recording *recordings_find(struct recordings *recordings, const char *sid)
{
	struct list *node;

	for (node = recordings->all.prev; node != &recordings->all; node = node->prev) {
		struct recording *r = list_entry(node, struct recording, node);

		if (strcmp(r->sid, sid) == 0)
			return r;
	}
	return NULL;
}

static bool is_loud(const int16_t frame[SOUND_FRAME])
{
	size_t i;

	for (i = 0; i < SOUND_FRAME; i++)
		if (frame[i] > QUIET || frame[i] < -QUIET)
			return true;
	return false;
}

static void mix(const int16_t a[SOUND_FRAME], const int16_t b[SOUND_FRAME],
	int16_t sum[SOUND_FRAME])
{
	size_t i;

	for (i = 0; i < SOUND_FRAME; i++) {
		int both = a[i] + b[i];

		sum[i] = (int16_t)(both > INT16_MAX   ? INT16_MAX
				   : both < INT16_MIN ? INT16_MIN
						      : both);
	}
}

/* 20 ms of both sides; what the track leaves out is silence. */
static void take(struct recording *recording, const int16_t said[SOUND_FRAME],
	const int16_t heard[SOUND_FRAME])
{
	static const int16_t silence[SOUND_FRAME];
	int16_t both[SOUND_FRAME];
	bool loud;

	if (recording->sink == NULL ||
		(recording->status == RECORDING_PAUSED && recording->skip))
		return;
	if (recording->status == RECORDING_PAUSED)
		said = heard = silence;
	if (strcmp(recording->how.track, "outbound") == 0)
		said = silence;
	if (strcmp(recording->how.track, "inbound") == 0)
		heard = silence;
	loud = is_loud(said) || is_loud(heard);
	recording->quiet_frames = loud ? 0 : recording->quiet_frames + 1;
	if (recording->how.trim && recording->frames == 0 && !loud)
		return;
	if (recording->how.channels == 2) {
		sound_sink_write_pair(recording->sink, said, heard);
	} else {
		mix(said, heard, both);
		sound_sink_write(recording->sink, both);
	}
	recording->frames++;
	if (loud)
		recording->loud_frames = recording->frames;
}

static void on_call_frame(struct mixer_tap *tap, const int16_t said[SOUND_FRAME],
	const int16_t heard[SOUND_FRAME])
{
	take(list_entry(tap, struct recording, tap), said, heard);
}

static void on_conference_frame(struct mixer_port *port, const int16_t heard[SOUND_FRAME])
{
	static const int16_t silence[SOUND_FRAME];

	take(list_entry(port, struct recording, ear), silence, heard);
}

/* Oldest first, but never one that still records or is in the making. */
static void make_room(struct recordings *recordings)
{
	struct list *node, *tmp;
	char path[PATH_SIZE];

	list_for_each(&recordings->all, node, tmp)
	{
		struct recording *r = list_entry(node, struct recording, node);

		if ((int64_t)recordings->count < recordings->sandbox->settings.keep)
			return;
		if (r->status < RECORDING_COMPLETED)
			continue;
		recording_path(r, path, sizeof(path));
		(void)unlink(path);
		forget(recordings, r);
	}
}

static struct recording *recording_new(
	struct sandbox *sandbox, const struct recording_wish *wish)
{
	struct recordings *recordings = sandbox->recordings;
	struct recording *recording = memory_zero(sizeof(*recording));
	char path[PATH_SIZE];
	int r;

	make_room(recordings);
	recording->sandbox = sandbox;
	recording->how = *wish;
	callback_copy(&recording->how.callback, &wish->callback);
	recording->created_ms = recording->started_ms = clock_wall_ms();
	list_init(&recording->call_node);
	sandbox_sid(sandbox, "RE", recording->sid);
	recording_path(recording, path, sizeof(path));
	r = sound_sink_new(path, wish->channels, &recording->sink);
	if (r < 0)
		log_warn("recording", 0, "%s: %s", path, strerror(-r));
	list_add_tail(&recordings->all, &recording->node);
	recordings->count++;
	return recording;
}

struct recording *recording_start(struct call *call, const struct recording_wish *wish)
{
	struct recording *recording = recording_new(call->sandbox, wish);

	recording->call = call;
	(void)text_copy(recording->call_sid, SID_SIZE, call->sid);
	recording->tap.frame = on_call_frame;
	list_add_tail(&call->recordings, &recording->call_node);
	mixer_tap(call_port(call), &recording->tap);
	call_settle_sound(call);
	report(recording, RECORDING_EVENT_IN_PROGRESS, "in-progress");
	return recording;
}

struct recording *recording_start_conference(
	struct conference *conference, const struct recording_wish *wish)
{
	struct recording *recording = recording_new(conference->sandbox, wish);

	(void)text_copy(recording->conference_sid, SID_SIZE, conference->sid);
	recording->ear.write = on_conference_frame;
	(void)mixer_join(conference->sandbox->mixer, conference->sid, &recording->ear);
	report(recording, RECORDING_EVENT_IN_PROGRESS, "in-progress");
	return recording;
}

void recording_pause(struct recording *recording, bool skip)
{
	if (recording->status != RECORDING_IN_PROGRESS)
		return;
	recording->status = RECORDING_PAUSED;
	recording->skip = skip;
	report(recording, RECORDING_EVENT_PAUSED, "paused");
}

void recording_resume(struct recording *recording)
{
	if (recording->status != RECORDING_PAUSED)
		return;
	recording->status = RECORDING_IN_PROGRESS;
	report(recording, RECORDING_EVENT_RESUMED, "resumed");
}

static void on_ready(struct timer *timer)
{
	struct recording *recording = list_entry(timer, struct recording, ready);
	char path[PATH_SIZE];

	if (recording->frames > 0) {
		recording->status = RECORDING_COMPLETED;
		report(recording, RECORDING_EVENT_COMPLETED, "completed");
		return;
	}
	recording->status = RECORDING_ABSENT;
	recording->error_code = recording->how.trim ? 16102 : 16101;
	recording_path(recording, path, sizeof(path));
	(void)unlink(path);
	report(recording, RECORDING_EVENT_ABSENT, "absent");
}

void recording_stop(struct recording *recording, bool by_rest)
{
	struct sandbox *sandbox = recording->sandbox;
	struct call *call = recording->call;

	if (!recording_is_live(recording))
		return;
	recording->status = by_rest ? RECORDING_STOPPED : RECORDING_PROCESSING;
	if (call != NULL) {
		mixer_untap(call_port(call), &recording->tap);
		list_remove(&recording->call_node);
		recording->call = NULL;
		call_settle_sound(call);
	}
	mixer_leave(&recording->ear);
	if (recording->how.trim && recording->sink != NULL) {
		sound_sink_cut(recording->sink, recording->loud_frames);
		recording->frames = recording->loud_frames;
	}
	sound_sink_free(&recording->sink);
	if (by_rest)
		report(recording, RECORDING_EVENT_STOPPED, "stopped");
	recording->updated_ms = clock_wall_ms();
	recording->ready.fire = on_ready;
	loop_timer(sandbox->loop, &recording->ready,
		sandbox_scaled(sandbox, sandbox->facts.recording_ready_ms));
}

void recording_delete(struct recording *recording)
{
	char path[PATH_SIZE];

	timer_stop(&recording->ready);
	recording->status = RECORDING_DELETED;
	recording->updated_ms = clock_wall_ms();
	recording_path(recording, path, sizeof(path));
	(void)unlink(path);
}
