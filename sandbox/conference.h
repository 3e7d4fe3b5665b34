/*
 * conference.h: conferences and their participants: who is in, what they hear, what is
 * reported. Main loop only.
 *
 * Source: twilio.com/docs/voice/twiml/conference, voice/api/conference-participant-resource.
 */
#ifndef OMNIVOX_SANDBOX_CONFERENCE_H
#define OMNIVOX_SANDBOX_CONFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/call.h"
#include "sandbox/chance.h"
#include "sandbox/twiml.h"

struct announcer;
struct conferences;
struct sandbox;

enum conference_status { CONFERENCE_INIT, CONFERENCE_IN_PROGRESS, CONFERENCE_COMPLETED };

struct conference {
	struct sandbox *sandbox;
	struct list node; /* conferences' */
	char sid[SID_SIZE];
	char *name, *region;
	enum conference_status status;
	int64_t created_ms, updated_ms; /* wall clock */
	/* The first participant's settings; later ones are ignored. */
	bool settled;
	struct callback callback; /* events: enum conference_event */
	struct recording_wish record;
	char recording_sid[SID_SIZE]; /* of the running one; "": none */
	unsigned max_participants;
	unsigned sequence;        /* of the next callback */
	struct list participants; /* struct participant.node, in order of arrival */
	bool was_joined;          /* somebody has been in */
	const char *reason;       /* why it ended; NULL: it has not */
	char ending_call[SID_SIZE];
	char *ending_label;
	struct announcer *announcer; /* an announcement to all; NULL: none */
	char *announce_url;
};

struct participant {
	struct list node;
	struct conference *conference;
	struct call *call;
	char *label; /* NULL: none */
	bool by_api; /* its call was made for the conference and ends with it */
	bool joined; /* else still ringing */
	bool muted, hold, coaching, start_on_enter, end_on_exit;
	char coached_call[SID_SIZE];
	char *wait_url, *wait_method;   /* NULL: Twilio's music; "": silence */
	struct announcer *announcer;    /* while it waits or is held; NULL: none */
	struct announcer *announcement; /* to it alone; NULL: none */
	char *announce_url;
	int64_t created_ms, updated_ms;
};

/* What the first and each participant brings; texts borrowed. */
struct participant_settings {
	const char *label, *region;
	const char *wait_url, *wait_method; /* as in struct participant */
	const char *callback_url, *callback_method;
	unsigned callback_events;
	const struct recording_wish *record; /* NULL: none */
	unsigned max_participants;
	bool by_api, muted, start_on_enter, end_on_exit;
};

int conferences_new(struct sandbox *sandbox, struct conferences **ret_conferences);
void conferences_free(struct conferences **conferences);
struct list *conferences_list(struct conferences *conferences); /* oldest first */

/* By SID, or the conference of that name that has not ended. NULL: none. */
struct conference *conferences_find(struct conferences *conferences, const char *name);

/* That of the name, or a new one. */
struct conference *conferences_open(struct conferences *conferences, const char *name);

/* By call SID or label, joined or still ringing. NULL: none. */
struct participant *conference_participant(
	struct conference *conference, const char *call_or_label);
unsigned conference_size(const struct conference *conference);

/* Puts the call on the list, not yet in the room. */
void conference_add(struct conference *conference, struct call *call,
	const struct participant_settings *settings);

/* The call is there: it joins; the second one starts the conference. */
void conference_join(struct participant *participant);

/*
 * Out of the room and the list; `reason` as ReasonParticipantLeft. May end the conference. The
 * call itself goes on, or is already over.
 */
void conference_leave(struct participant *participant, const char *reason);

/* Everybody out; the calls end or go on with their TwiML. */
void conference_end_by_api(struct conference *conference);

/* Changes by REST; each that is new is reported. */
void participant_set_muted(struct participant *participant, bool muted);

/* `url` NULL or "": Twilio's music. `method` may be NULL. */
void participant_set_hold(
	struct participant *participant, bool hold, const char *url, const char *method);
void participant_set_coaching(
	struct participant *participant, bool coaching, const char *coached_call);
void participant_set_end_on_exit(struct participant *participant, bool end_on_exit);

/* Says what is at the URL to all, or to one; its end is reported. */
void conference_announce(
	struct conference *conference, const char *url, const char *method);
void participant_announce(
	struct participant *participant, const char *url, const char *method);

/* conference.c's: its room, its music. */
void participant_place(struct participant *participant);
void participant_wait(struct participant *participant);

/* For call_free(): unlinks without a word. */
void participant_free(struct participant **participant);

#endif
