/* participant.c: one in a conference: place in the mix, hold, announcements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/text.h"
#include "sandbox/announcer.h"
#include "sandbox/call_sound.h"
#include "sandbox/conference.h"
#include "sandbox/conference_report.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/sandbox.h"

/* Coached when the coached one is not there: nobody hears it. */
static const struct mixer_port nobody;

void participant_free(struct participant **participant)
{
	struct participant *p = *participant;

	if (p == NULL)
		return;
	list_remove(&p->node);
	announcer_free(&p->announcer);
	announcer_free(&p->announcement);
	free(p->announce_url);
	free(p->wait_url);
	free(p->wait_method);
	free(p->label);
	free(p);
	*participant = NULL;
}

void participant_place(struct participant *participant)
{
	struct conference *conference = participant->conference;
	struct mixer_port *port = call_port(participant->call);
	struct participant *coached;
	const char *room = conference->status == CONFERENCE_IN_PROGRESS
				   ? conference->sid
				   : participant->call->sid;

	port->muted = participant->muted;
	port->held = participant->hold;
	port->only = NULL;
	if (participant->coaching) {
		coached = conference_participant(conference, participant->coached_call);
		port->only = coached != NULL ? call_port(coached->call) : &nobody;
	}
	call_settle_sound(participant->call);
	if (port->room == NULL)
		room = NULL; /* nobody would hear it */
	if (participant->announcer != NULL)
		announcer_place(participant->announcer, room, port);
	if (participant->announcement != NULL)
		announcer_place(participant->announcement, room, port);
}

void participant_wait(struct participant *participant)
{
	const char *url = participant->wait_url;

	if (url != NULL && *url == '\0')
		return; /* waits in silence */
	participant->announcer = announcer_new(
		participant->call->sandbox, &(struct announcer_config){.url = url,
						    .method = participant->wait_method,
						    .call = participant->call,
						    .endless = true});
}

static void told(struct conference *conference, const struct participant *participant,
	const char *url, int error)
{
	char why[32];

	(void)snprintf(why, sizeof(why), "%d", error);
	conference_report(conference,
		&(struct happening){.event = CONFERENCE_EVENT_ANNOUNCEMENT,
			.name = error == 0 ? "announcement-end" : "announcement-fail",
			.participant = participant,
			.announce_url = url,
			.why = error == 0 ? NULL : why});
}

static void on_participant_told(void *arg, int error)
{
	struct participant *participant = arg;

	told(participant->conference, participant, participant->announce_url, error);
	announcer_free(&participant->announcement);
}

void participant_announce(
	struct participant *participant, const char *url, const char *method)
{
	announcer_free(&participant->announcement);
	memory_swap(&participant->announce_url, url);
	participant->announcement = announcer_new(
		participant->call->sandbox, &(struct announcer_config){.url = url,
						    .method = method,
						    .call = participant->call,
						    .done = on_participant_told,
						    .arg = participant});
	participant_place(participant);
}

static void on_conference_told(void *arg, int error)
{
	struct conference *conference = arg;

	told(conference, NULL, conference->announce_url, error);
	announcer_free(&conference->announcer);
}

void conference_announce(
	struct conference *conference, const char *url, const char *method)
{
	struct buf form = {0};

	form_add(&form, "ConferenceSid", conference->sid);
	form_add(&form, "FriendlyName", conference->name);
	form_add(&form, "AccountSid", conference->sandbox->settings.account_sid);
	announcer_free(&conference->announcer);
	memory_swap(&conference->announce_url, url);
	conference->announcer =
		announcer_new(conference->sandbox, &(struct announcer_config){.url = url,
							   .method = method,
							   .form = &form,
							   .done = on_conference_told,
							   .arg = conference});
	if (conference->status == CONFERENCE_IN_PROGRESS)
		announcer_place(conference->announcer, conference->sid, NULL);
	buf_free(&form);
}

static void changed(struct participant *participant, unsigned event, const char *name)
{
	participant->updated_ms = clock_wall_ms();
	participant_place(participant);
	conference_report(participant->conference,
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

void participant_set_hold(
	struct participant *participant, bool hold, const char *url, const char *method)
{
	if (participant->hold == hold && (!hold || url == NULL))
		return;
	announcer_free(&participant->announcer);
	if (hold)
		participant->announcer = announcer_new(participant->call->sandbox,
			&(struct announcer_config){
				.url = url != NULL && *url != '\0' ? url : NULL,
				.method = method,
				.call = participant->call,
				.endless = true});
	if (participant->hold == hold) {
		participant_place(participant);
		return;
	}
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
