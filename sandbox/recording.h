/*
 * recording.h: what is recorded, from the first frame to the file that can be fetched. Main
 * loop only.
 *
 * Left is what the call's far end says, right what it hears. Source:
 * twilio.com/docs/voice/api/recording.
 */
#ifndef OMNIVOX_SANDBOX_RECORDING_H
#define OMNIVOX_SANDBOX_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/timers.h"
#include "sandbox/callback.h"
#include "sandbox/chance.h"
#include "sandbox/mixer.h"

struct buf;
struct call;
struct conference;
struct recordings;
struct sandbox;

/* Words of RecordingStatusCallbackEvent, as bits. */
enum recording_event {
	RECORDING_EVENT_IN_PROGRESS = 1 << 0,
	RECORDING_EVENT_COMPLETED = 1 << 1,
	RECORDING_EVENT_ABSENT = 1 << 2,
	RECORDING_EVENT_PAUSED = 1 << 3,
	RECORDING_EVENT_RESUMED = 1 << 4,
	RECORDING_EVENT_STOPPED = 1 << 5,
	RECORDING_EVENT_FAILED = 1 << 6,
};

enum recording_status {
	RECORDING_IN_PROGRESS,
	RECORDING_PAUSED,
	RECORDING_STOPPED, /* by REST; the file is being made, as in the next */
	RECORDING_PROCESSING,
	RECORDING_COMPLETED,
	RECORDING_ABSENT,
	RECORDING_DELETED,
};

/* How to record; start with recording_wish_init(). The callback's texts are owned. */
struct recording_wish {
	bool wanted;
	unsigned channels;        /* 1 or 2 */
	bool trim;                /* no silence at both ends */
	const char *track;        /* "inbound", "outbound" or "both" */
	const char *source;       /* "StartCallRecordingAPI" and so on */
	struct callback callback; /* events: enum recording_event */
};

struct recording {
	struct sandbox *sandbox;
	struct list node;      /* recordings' */
	struct list call_node; /* of struct call.recordings while it records */
	char sid[SID_SIZE], call_sid[SID_SIZE], conference_sid[SID_SIZE]; /* "": none */
	enum recording_status status;
	struct recording_wish how;
	bool skip;                                  /* a pause leaves no silence */
	int64_t created_ms, updated_ms, started_ms; /* wall clock */
	size_t frames;                              /* of 20 ms, in the file */
	size_t quiet_frames;                        /* since somebody was heard */
	size_t loud_frames; /* up to the last that was not silent */
	int error_code;     /* why it is absent; 0 */
	struct call *call;  /* NULL: over, or of a conference */
	struct mixer_tap tap;
	struct mixer_port ear; /* in a conference */
	struct sound_sink *sink;
	struct timer ready;
};

void recording_wish_init(struct recording_wish *wish, const char *source);
void recording_wish_free(struct recording_wish *wish);

/* "completed absent" to bits; words separated by blanks or commas. Unknown ones are left out. */
unsigned recording_events_parse(const char *words);

int recordings_new(struct sandbox *sandbox, struct recordings **ret_recordings);
void recordings_free(struct recordings **recordings);        /* the files stay */
struct list *recordings_list(struct recordings *recordings); /* oldest first */
struct recording *recordings_find(struct recordings *recordings, const char *sid);

/* Starts at once; the call must be in progress. Copies the wish. */
struct recording *recording_start(struct call *call, const struct recording_wish *wish);
struct recording *recording_start_conference(
	struct conference *conference, const struct recording_wish *wish);

/* Harmless in the wrong status. */
void recording_pause(struct recording *recording, bool skip);
void recording_resume(struct recording *recording);
void recording_stop(struct recording *recording, bool by_rest);
void recording_delete(struct recording *recording); /* its file too; must not be live */

bool recording_is_live(const struct recording *recording); /* in progress or paused */
int64_t recording_duration_s(const struct recording *recording);
const char *recording_status_text(const struct recording *recording);

/* Where its sound lies; there once it is completed. */
void recording_path(const struct recording *recording, char *path, size_t size);

/* The address of its media, as webhooks tell it. Caller frees. */
char *recording_url(const struct recording *recording);

/* RecordingUrl, RecordingSid and RecordingDuration. */
void recording_form(const struct recording *recording, struct buf *form);

#endif
