/* conference_report.c: what webhooks say about a conference: docs/voice/twiml/conference. */
#include "base/clock.h"
#include "base/form.h"
#include "sandbox/conference_report.h"
#include "sandbox/outbox.h"
#include "sandbox/sandbox.h"

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

void conference_report(struct conference *conference, const struct happening *happening)
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
	if (happening->announce_url != NULL)
		form_add(&form, "AnnounceUrl", happening->announce_url);
	if (happening->why != NULL)
		form_add(&form, "ReasonAnnouncementFailed", happening->why);
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
