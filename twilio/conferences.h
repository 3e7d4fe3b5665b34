/*
 * conferences.h: Conferences and their Participants (twilio.com/docs/voice/api/
 * conference-resource, conference-participant-resource). Rules in client.h. A conference comes
 * into being with its first participant and is named by its friendly name until then.
 */
#ifndef OMNIVOX_TWILIO_CONFERENCES_H
#define OMNIVOX_TWILIO_CONFERENCES_H

#include "twilio/client.h"

struct twilio_conference {
	char sid[TWILIO_SID_SIZE];
	char status[16]; /* init in-progress completed */
};

struct twilio_participant_row {
	char call_sid[TWILIO_SID_SIZE];
	char conference_sid[TWILIO_SID_SIZE];
	char label[TWILIO_NAME_SIZE];
	char status[16]; /* queued connecting ringing connected complete failed */
	bool muted, hold;
};

/* The live conference of that name: its sid, or OK with "" when there is none. */
int twilio_conference_find(
	struct twilio_client *client, uint64_t id, const char *friendly_name);

/* POST Conferences/{FriendlyName}/Participants: dial `to` into a conference. */
struct twilio_participant {
	const char *conference, *from, *to; /* `to`: E.164, sip:..., client:... */
	const char *label;                  /* NULL: none */
	unsigned timeout_s;                 /* 0: Twilio's 60 */
	bool early_media;
	/* Told of every event; NULL: none. The conference's counts for the first one in. */
	const char *status_callback;
	const char *conference_status_callback;
	/* "Enable" or "DetectMessageEnd", told to `amd_callback`; NULL: off */
	const char *machine_detection;
	const char *amd_callback;
};
int twilio_participant_create(struct twilio_client *client, uint64_t id,
	const struct twilio_participant *participant);

/* `participant` is a call SID or a label. */
int twilio_participant_list(
	struct twilio_client *client, uint64_t id, const char *conference_sid);
int twilio_participant_fetch(struct twilio_client *client, uint64_t id,
	const char *conference_sid, const char *participant);

/* Only what is not NULL is changed. */
struct twilio_participant_change {
	const char *muted, *hold;                   /* "true" or "false" */
	const char *announce_url, *announce_method; /* a document or a sound */
};
int twilio_participant_update(struct twilio_client *client, uint64_t id,
	const char *conference_sid, const char *participant,
	const struct twilio_participant_change *change);

#endif
