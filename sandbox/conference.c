/* conference.c: the conferences' life and what they report. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/call_sound.h"
#include "sandbox/calllog.h"
#include "sandbox/announcer.h"
#include "sandbox/conference.h"
#include "sandbox/conference_report.h"
#include "sandbox/memory.h"
#include "sandbox/sandbox.h"

#define LOOKS 100 /* at old ones that go on, each time */

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
	free(conference->region);
	announcer_free(&conference->announcer);
	free(conference->announce_url);
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

/* Oldest first; those that go on are passed over. */
static void forget_some(struct conferences *conferences)
{
	size_t keep = (size_t)conferences->sandbox->settings.keep;
	struct list *node = conferences->all.next;
	unsigned looks;

	for (looks = 0;
		looks < LOOKS && conferences->count > keep && node != &conferences->all;
		looks++) {
		struct conference *old = list_entry(node, struct conference, node);

		node = node->next;
		if (old->status == CONFERENCE_COMPLETED)
			forget(conferences, old);
	}
}

struct conference *conferences_open(struct conferences *conferences, const char *name)
{
	struct conference *conference = conferences_find(conferences, name);

	if (conference != NULL)
		return conference;
	conference = memory_zero(sizeof(*conference));
	conference->sandbox = conferences->sandbox;
	conference->name = memory_text(name);
	conference->region = memory_text("us1");
	conference->created_ms = conference->updated_ms = clock_wall_ms();
	list_init(&conference->participants);
	sandbox_sid(conferences->sandbox, "CF", conference->sid);
	list_add_tail(&conferences->all, &conference->node);
	conferences->count++;
	forget_some(conferences);
	return conference;
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
	participant->wait_url = memory_text(settings->wait_url);
	participant->wait_method = memory_text(settings->wait_method);
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
	memory_swap(
		&conference->region, settings->region != NULL ? settings->region : "us1");
	if (settings->record == NULL || !settings->record->wanted)
		return;
	conference->record = *settings->record;
	callback_copy(&conference->record.callback, &settings->record->callback);
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
	conference_report(conference, &(struct happening){.event = CONFERENCE_EVENT_START,
					      .name = "conference-start"});
	list_for_each(&conference->participants, node, tmp)
	{
		struct participant *p = list_entry(node, struct participant, node);

		announcer_free(&p->announcer); /* the waiting is over */
		participant_place(p);
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
	conference_report(conference, &(struct happening){.event = CONFERENCE_EVENT_JOIN,
					      .name = "participant-join",
					      .participant = participant});
	start_if_ready(conference);
	if (conference->status == CONFERENCE_INIT)
		participant_wait(participant);
	participant_place(participant);
}

/* One participant out; whether the conference goes on is not asked here. */
static void remove_participant(struct participant *participant, const char *reason)
{
	struct conference *conference;
	struct call *call = participant->call;
	struct list *node, *tmp;
	struct mixer_port *port = call_port(call);

	port->muted = port->held = false;
	port->only = NULL;
	if (participant->joined)
		call_log(call, "leave");
	conference_report(participant->conference,
		&(struct happening){.event = CONFERENCE_EVENT_LEAVE,
			.name = "participant-leave",
			.participant = participant,
			.left = reason});
	conference = participant->conference;
	participant_free(&call->participant);
	call_settle_sound(call);
	list_for_each(&conference->participants, node, tmp)
	{
		participant_place(list_entry(node, struct participant, node));
	}
}

static void end(struct conference *conference, const char *reason, const char *left)
{
	struct participant *participant;
	struct call *call;

	conference->status = CONFERENCE_COMPLETED;
	conference->reason = reason;
	stop_recording(conference);
	announcer_free(&conference->announcer);
	while (!list_empty(&conference->participants)) {
		participant = list_entry(
			conference->participants.next, struct participant, node);
		call = participant->call;
		remove_participant(participant, left);
		call_left_conference(call);
	}
	if (conference->was_joined)
		conference_report(
			conference, &(struct happening){.event = CONFERENCE_EVENT_END,
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
