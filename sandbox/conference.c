/* conference.c: the conferences' life and what they report. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/text.h"
#include "sandbox/call_sound.h"
#include "sandbox/calllog.h"
#include "sandbox/conference.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/outbox.h"
#include "sandbox/sandbox.h"

#define CONFERENCES_MAX 10000 /* ended ones beyond it are forgotten, oldest first */

struct conferences {
	struct sandbox *sandbox;
	struct list all;
	size_t count;
};

int conferences_new(struct sandbox *sandbox, struct conferences **ret_conferences)
{
	struct conferences *conferences = memory_zero(sizeof(*conferences));

	conferences->sandbox = sandbox;
	list_init(&conferences->all);
	*ret_conferences = conferences;
	return 0;
}

static void forget(struct conferences *conferences, struct conference *conference)
{
	list_remove(&conference->node);
	conferences->count--;
	callback_free(&conference->callback);
	recording_wish_free(&conference->record);
	free(conference->name);
	free(conference->ending_label);
	free(conference);
}

void conferences_free(struct conferences **conferences)
{
	struct list *node, *tmp;

	if (*conferences == NULL)
		return;
	list_for_each(&(*conferences)->all, node, tmp)
	{
		forget(*conferences, list_entry(node, struct conference, node));
	}
	free(*conferences);
	*conferences = NULL;
}

struct list *conferences_list(struct conferences *conferences)
{
	return &conferences->all;
}

struct conference *conferences_find(struct conferences *conferences, const char *name)
{
	struct list *node;

	/* Newest first: it is nearly always one of the last. */
	for (node = conferences->all.prev; node != &conferences->all; node = node->prev) {
		struct conference *c = list_entry(node, struct conference, node);

		if (strcmp(c->sid, name) == 0 ||
			(c->status != CONFERENCE_COMPLETED && strcmp(c->name, name) == 0))
			return c;
	}
	return NULL;
}

struct conference *conferences_open(struct conferences *conferences, const char *name)
{
	struct conference *conference = conferences_find(conferences, name);
	struct conference *oldest;

	if (conference != NULL)
		return conference;
	conference = memory_zero(sizeof(*conference));
	conference->sandbox = conferences->sandbox;
	conference->name = memory_text(name);
	conference->created_ms = conference->updated_ms = clock_wall_ms();
	list_init(&conference->participants);
	sandbox_sid(conferences->sandbox, "CF", conference->sid);
	list_add_tail(&conferences->all, &conference->node);
	if (++conferences->count > CONFERENCES_MAX) {
		oldest = list_entry(conferences->all.next, struct conference, node);
		if (oldest->status == CONFERENCE_COMPLETED)
			forget(conferences, oldest);
	}
	return conference;
}

static void add_flag(struct buf *form, const char *name, bool yes)
{
	form_add(form, name, yes ? "true" : "false");
}

static void add_participant(struct buf *form, const struct participant *participant)
{
	form_add(form, "CallSid", participant->call->sid);
	add_flag(form, "Muted", participant->muted);
	add_flag(form, "Hold", participant->hold);
	add_flag(form, "Coaching", participant->coaching);
	add_flag(form, "EndConferenceOnExit", participant->end_on_exit);
	add_flag(form, "StartConferenceOnEnter", participant->start_on_enter);
	if (participant->label != NULL)
		form_add(form, "ParticipantLabel", participant->label);
	if (participant->coaching)
		form_add(form, "CallSidToCoach", participant->coached_call);
}

struct happening {
	unsigned event;                        /* enum conference_event */
	const char *name;                      /* StatusCallbackEvent */
	const struct participant *participant; /* NULL: the conference itself */
	const char *left;                      /* ReasonParticipantLeft */
};

static void add_leaving(struct buf *form, const struct happening *happening)
{
	const struct call *call = happening->participant->call;

	form_add(form, "ParticipantCallStatus",
		call_is_over(call) ? call_status_text(call) : "in-progress");
	form_add(form, "ReasonParticipantLeft", happening->left);
}

static void add_ending(struct buf *form, const struct conference *conference)
{
	form_add(form, "CallSidEndingConference", conference->ending_call);
	if (conference->ending_label != NULL)
		form_add(form, "ParticipantLabelEndingConference",
			conference->ending_label);
	form_add(form, "ReasonConferenceEnded", conference->reason);
	form_add(form, "Reason", conference->reason);
}

static void report(struct conference *conference, const struct happening *happening)
{
	const struct participant *participant = happening->participant;
	char date[DATE_SIZE];
	struct buf form = {0};

	conference->updated_ms = clock_wall_ms();
	if (conference->callback.url == NULL ||
		(conference->callback.events & happening->event) == 0)
		return;
	form_add(&form, "ConferenceSid", conference->sid);
	form_add(&form, "FriendlyName", conference->name);
	form_add(&form, "AccountSid", conference->sandbox->settings.account_sid);
	form_add_int(&form, "SequenceNumber", ++conference->sequence);
	form_add(&form, "Timestamp", date_text(conference->updated_ms, date));
	form_add(&form, "StatusCallbackEvent", happening->name);
	if (participant != NULL)
		add_participant(&form, participant);
	if (happening->left != NULL)
		add_leaving(&form, happening);
	if (happening->event == CONFERENCE_EVENT_END)
		add_ending(&form, conference);
	outbox_notify(conference->sandbox->outbox,
		&(struct letter){.url = conference->callback.url,
			.method = conference->callback.method,
			.form = &form,
			.call = participant != NULL ? participant->call : NULL,
			.conference = conference->name});
	buf_free(&form);
}

struct participant *conference_participant(
	struct conference *conference, const char *call_or_label)
{
	struct list *node, *tmp;

	list_for_each(&conference->participants, node, tmp)
	{
		struct participant *p = list_entry(node, struct participant, node);

		if (strcmp(p->call->sid, call_or_label) == 0 ||
			(p->label != NULL && strcmp(p->label, call_or_label) == 0))
			return p;
	}
	return NULL;
}

unsigned conference_size(const struct conference *conference)
{
	const struct list *node;
	unsigned size = 0;

	for (node = conference->participants.next; node != &conference->participants;
		node = node->next)
		size++;
	return size;
}

void conference_add(struct conference *conference, struct call *call,
	const struct participant_settings *settings)
{
	struct participant *participant = memory_zero(sizeof(*participant));

	participant->conference = conference;
	participant->call = call;
	participant->label = memory_text(settings->label);
	participant->by_api = settings->by_api;
	participant->muted = settings->muted;
	participant->start_on_enter = settings->start_on_enter;
	participant->end_on_exit = settings->end_on_exit;
	participant->created_ms = participant->updated_ms = clock_wall_ms();
	list_add_tail(&conference->participants, &participant->node);
	call->participant = participant;
	if (conference->settled)
		return;
	conference->settled = true;
	conference->callback.url = memory_text(settings->callback_url);
	conference->callback.method = memory_text(settings->callback_method);
	conference->callback.events = settings->callback_events;
	conference->max_participants = settings->max_participants;
	if (settings->record == NULL || !settings->record->wanted)
		return;
	conference->record = *settings->record;
	callback_copy(&conference->record.callback, &settings->record->callback);
}

/* How the participant's place in the mix is, after any change. */
static void place(struct participant *participant)
{
	struct mixer_port *port = call_port(participant->call);

	/* A coach is kept out of the others' ears; whispering to one only is not mixed. */
	port->muted = participant->muted || participant->coaching;
	port->held = participant->hold;
	call_settle_sound(participant->call);
}

/* It starts with two participants of whom one has startConferenceOnEnter. */
static void start_if_ready(struct conference *conference)
{
	struct list *node, *tmp;
	unsigned joined = 0, starters = 0;

	if (conference->status != CONFERENCE_INIT)
		return;
	list_for_each(&conference->participants, node, tmp)
	{
		struct participant *p = list_entry(node, struct participant, node);

		joined += p->joined;
		starters += p->joined && p->start_on_enter;
	}
	if (joined < 2 || starters == 0)
		return;
	conference->status = CONFERENCE_IN_PROGRESS;
	report(conference, &(struct happening){.event = CONFERENCE_EVENT_START,
				   .name = "conference-start"});
	list_for_each(&conference->participants, node, tmp)
	{
		place(list_entry(node, struct participant, node));
	}
	if (conference->record.wanted)
		(void)text_copy(conference->recording_sid, SID_SIZE,
			recording_start_conference(conference, &conference->record)->sid);
}

static void stop_recording(struct conference *conference)
{
	struct recording *recording = recordings_find(
		conference->sandbox->recordings, conference->recording_sid);

	if (recording != NULL)
		recording_stop(recording, false);
}

void conference_join(struct participant *participant)
{
	struct conference *conference = participant->conference;

	participant->joined = true;
	participant->updated_ms = clock_wall_ms();
	conference->was_joined = true;
	call_log(participant->call, "join");
	report(conference, &(struct happening){.event = CONFERENCE_EVENT_JOIN,
				   .name = "participant-join",
				   .participant = participant});
	place(participant);
	start_if_ready(conference);
}

void participant_free(struct participant **participant)
{
	if (*participant == NULL)
		return;
	list_remove(&(*participant)->node);
	free((*participant)->label);
	free(*participant);
	*participant = NULL;
}

/* One participant out; whether the conference goes on is not asked here. */
static void remove_participant(struct participant *participant, const char *reason)
{
	struct call *call = participant->call;
	struct mixer_port *port = call_port(call);

	port->muted = port->held = false;
	if (participant->joined)
		call_log(call, "leave");
	report(participant->conference,
		&(struct happening){.event = CONFERENCE_EVENT_LEAVE,
			.name = "participant-leave",
			.participant = participant,
			.left = reason});
	participant_free(&call->participant);
	call_settle_sound(call);
}

static void end(struct conference *conference, const char *reason, const char *left)
{
	struct participant *participant;
	struct call *call;

	conference->status = CONFERENCE_COMPLETED;
	conference->reason = reason;
	stop_recording(conference);
	while (!list_empty(&conference->participants)) {
		participant = list_entry(
			conference->participants.next, struct participant, node);
		call = participant->call;
		remove_participant(participant, left);
		call_left_conference(call);
	}
	if (conference->was_joined)
		report(conference, &(struct happening){.event = CONFERENCE_EVENT_END,
					   .name = "conference-end"});
}

void conference_leave(struct participant *participant, const char *reason)
{
	struct conference *conference = participant->conference;
	bool kicked = strcmp(reason, "participant_updated_via_api") == 0;
	bool ends = participant->joined && participant->end_on_exit;

	if (conference->status != CONFERENCE_COMPLETED) {
		memory_swap(&conference->ending_label, participant->label);
		(void)text_copy(
			conference->ending_call, SID_SIZE, participant->call->sid);
	}
	remove_participant(participant, reason);
	if (conference->status == CONFERENCE_COMPLETED)
		return;
	if (ends)
		end(conference,
			kicked ? "participant-with-end-conference-on-exit-kicked"
			       : "participant-with-end-conference-on-exit-left",
			"moderator_ended_conference");
	else if (list_empty(&conference->participants))
		end(conference,
			kicked ? "last-participant-kicked" : "last-participant-left",
			NULL);
}

void conference_end_by_api(struct conference *conference)
{
	*conference->ending_call = '\0';
	memory_swap(&conference->ending_label, NULL);
	end(conference, "conference-ended-via-api", "conference_ended_via_api");
}

static void changed(struct participant *participant, unsigned event, const char *name)
{
	participant->updated_ms = clock_wall_ms();
	place(participant);
	report(participant->conference,
		&(struct happening){
			.event = event, .name = name, .participant = participant});
}

void participant_set_muted(struct participant *participant, bool muted)
{
	if (participant->muted == muted)
		return;
	participant->muted = muted;
	changed(participant, CONFERENCE_EVENT_MUTE,
		muted ? "participant-mute" : "participant-unmute");
}

void participant_set_hold(struct participant *participant, bool hold)
{
	if (participant->hold == hold)
		return;
	participant->hold = hold;
	changed(participant, CONFERENCE_EVENT_HOLD,
		hold ? "participant-hold" : "participant-unhold");
}

void participant_set_coaching(
	struct participant *participant, bool coaching, const char *coached_call)
{
	participant->coaching = coaching;
	(void)text_copy(participant->coached_call, SID_SIZE, coached_call);
	changed(participant, CONFERENCE_EVENT_MODIFY, "participant-modify");
}

void participant_set_end_on_exit(struct participant *participant, bool end_on_exit)
{
	if (participant->end_on_exit == end_on_exit)
		return;
	participant->end_on_exit = end_on_exit;
	changed(participant, CONFERENCE_EVENT_MODIFY, "participant-modify");
}
