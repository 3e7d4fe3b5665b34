/*
 * rest_participants.c: the Participants resource:
 * twilio.com/docs/voice/api/conference-participant-resource.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sandbox/conference.h"
#include "sandbox/memory.h"
#include "sandbox/rest.h"

#define LABEL_MAX 128
#define PARTICIPANTS_MAX 250

static const char *status_text(const struct participant *participant)
{
	switch (participant->call->status) {
	case CALL_QUEUED:
		return "queued";
	case CALL_INITIATED:
		return "connecting";
	case CALL_RINGING:
		return "ringing";
	case CALL_IN_PROGRESS:
		return "connected";
	case CALL_COMPLETED:
		return "complete";
	case CALL_BUSY:
	case CALL_FAILED:
	case CALL_NO_ANSWER:
	case CALL_CANCELED:
		break;
	}
	return "failed";
}

/* `queue_time` is only in the answer to a create: pass null elsewhere; taken. */
static json_t *participant_json(const struct participant *participant, json_t *queue_time)
{
	const struct conference *conference = participant->conference;
	const char *account = conference->sandbox->settings.account_sid;

	return json_pack(
		"{s:s, s:s, s:s?, s:o, s:b, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:s,"
		" s:o, s:o}",
		"account_sid", account, "call_sid", participant->call->sid, "label",
		participant->label, "call_sid_to_coach",
		rest_text(participant->coached_call), "coaching", participant->coaching,
		"conference_sid", conference->sid, "date_created",
		rest_date(participant->created_ms), "date_updated",
		rest_date(participant->updated_ms), "end_conference_on_exit",
		participant->end_on_exit, "muted", participant->muted, "hold",
		participant->hold, "start_conference_on_enter",
		participant->start_on_enter, "status", status_text(participant),
		"queue_time", queue_time, "uri",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/Conferences/%s/Participants/%s.json",
			account, conference->sid, participant->call->sid));
}

static bool is_sid(const char *text, const char *prefix)
{
	return strlen(text) == SID_SIZE - 1 && strncmp(text, prefix, 2) == 0 &&
	       strspn(text + 2, "0123456789abcdefABCDEF") == SID_SIZE - 3;
}

/* The conference of the path, if it is there and not over; the name is in params[1]. */
static struct conference *active_conference(const struct rest *rest)
{
	struct conference *conference =
		conferences_find(rest->sandbox->conferences, rest->request->params[1]);

	return conference != NULL && conference->status != CONFERENCE_COMPLETED
		       ? conference
		       : NULL;
}

/* `words`: each between blanks. An absent parameter fits. */
static bool word_fits(struct rest *rest, const char *name, const char *words)
{
	const char *value = rest_form(rest, name);
	char word[32];

	if (value == NULL)
		return true;
	(void)snprintf(word, sizeof(word), " %.28s ", value);
	return strchr(value, ' ') == NULL && strstr(words, word) != NULL;
}

/* Everything that can be wrong before a call is made; false: replied. */
static bool check_create(struct rest *rest, struct participant_settings *settings)
{
	struct conference *conference = active_conference(rest);
	int64_t most = PARTICIPANTS_MAX;
	const char *max = rest_form(rest, "MaxParticipants");
	const char *label = rest_form(rest, "Label");

	if (label != NULL && *label == '\0')
		label = NULL;
	if (conference == NULL && is_sid(rest->request->params[1], "CF"))
		rest_error(rest, 400, 16022, "Conference does not exist or is completed");
	else if (strlen(rest->request->params[1]) > LABEL_MAX)
		rest_error(rest, 400, 16003, "The conference name is too long");
	else if (label != NULL && (strlen(label) > LABEL_MAX || is_sid(label, "CA") ||
					  strchr(label, '/') != NULL))
		rest_error(rest, 400, 16024, "Invalid participant label");
	else if (label != NULL && conference != NULL &&
		 conference_participant(conference, label) != NULL)
		rest_error(rest, 400, 16026,
			"Participant label %s is in use by another participant", label);
	else if (max != NULL && text_int(max, 2, PARTICIPANTS_MAX, &most) < 0)
		rest_error(rest, 400, 16002, "MaxParticipants is 2 to 250");
	else if (conference != NULL && conference->settled &&
		 conference_size(conference) >= conference->max_participants)
		rest_error(rest, 400, 16020, "Conference is full");
	else if (rest_form_bool(rest, "Coaching", false) &&
		 rest_form(rest, "CallSidToCoach") == NULL)
		rest_error(rest, 400, 16000, "Coaching needs CallSidToCoach");
	else if (!word_fits(rest, "Beep", " true false onEnter onExit ") ||
		 !word_fits(rest, "JitterBufferSize", " off small medium large ") ||
		 !word_fits(rest, "Region", " us1 us2 ie1 de1 sg1 br1 au1 jp1 "))
		rest_error(rest, 400, 16002, "Beep, JitterBufferSize or Region is wrong");
	else if (rest_form(rest, "WaitUrl") != NULL &&
		 *rest_form(rest, "WaitUrl") != '\0' &&
		 !rest_url_valid(rest_form(rest, "WaitUrl")))
		rest_error(rest, 400, 13233, "WaitUrl is not a valid URL");
	else if (rest_form(rest, "AsyncAmd") != NULL ||
		 rest_form(rest, "AsyncAmdStatusCallback") != NULL)
		rest_error(rest, 400, 21263,
			"AsyncAmd parameters are not for participants: AmdStatusCallback");
	else {
		settings->label = label;
		settings->max_participants = (unsigned)most;
		return true;
	}
	return false;
}

static bool amd_callback(struct rest *rest, struct amd *amd)
{
	amd->asynchronous = true;
	if (!rest_form_callback(
		    rest, "AmdStatusCallback", &amd->callback_url, &amd->callback_method))
		return false;
	if (amd->on && amd->callback_url == NULL) {
		rest_error(rest, 400, 21262, "No AmdStatusCallback URL provided");
		return false;
	}
	return true;
}

static void enter(
	struct rest *rest, struct call *call, struct participant_settings *settings)
{
	struct conference *conference;
	char *words = rest_form_words(rest, "ConferenceStatusCallbackEvent");

	settings->by_api = true;
	settings->muted = rest_form_bool(rest, "Muted", false);
	settings->region = rest_form(rest, "Region");
	settings->wait_url = rest_form(rest, "WaitUrl");
	settings->wait_method = rest_form(rest, "WaitMethod");
	settings->start_on_enter = rest_form_bool(rest, "StartConferenceOnEnter", true);
	settings->end_on_exit = rest_form_bool(rest, "EndConferenceOnExit", false);
	settings->callback_events =
		conference_events_parse(words != NULL ? words : "start end");
	free(words);
	conference =
		conferences_open(rest->sandbox->conferences, rest->request->params[1]);
	conference_add(conference, call, settings);
	if (rest_form_bool(rest, "Coaching", false))
		participant_set_coaching(
			call->participant, true, rest_form(rest, "CallSidToCoach"));
	rest_accept(rest, call);
	rest_reply(rest, 201,
		participant_json(call->participant,
			json_sprintf("%lld", (long long)call->queue_ms)));
}

void rest_participant_create(struct rest *rest)
{
	struct participant_settings settings = {0};
	struct recording_wish record = {0};
	char *url = NULL, *method = NULL;
	struct call *call = NULL;

	if (check_create(rest, &settings))
		call = rest_dial(rest);
	if (call == NULL)
		return;
	if (amd_callback(rest, &call->amd) &&
		rest_conference_recording_wish(rest, &record) &&
		rest_form_callback(rest, "ConferenceStatusCallback", &url, &method)) {
		settings.callback_url = url;
		settings.callback_method = method;
		settings.record = &record;
		enter(rest, call, &settings);
	} else {
		call_free(&call);
	}
	recording_wish_free(&record);
	free(url);
	free(method);
}

static bool flag_passes(const struct rest *rest, const char *name, bool value)
{
	const char *wanted = form_get(&rest->request->query, name);

	return wanted == NULL || *wanted == '\0' ||
	       (strcasecmp(wanted, "true") == 0) == value;
}

static bool passes(const struct rest *rest, const struct participant *p)
{
	return flag_passes(rest, "Muted", p->muted) &&
	       flag_passes(rest, "Hold", p->hold) &&
	       flag_passes(rest, "Coaching", p->coaching);
}

void rest_participant_list(struct rest *rest)
{
	struct conference *conference = active_conference(rest);
	struct list *node;
	struct rest_page page;

	if (conference == NULL && conferences_find(rest->sandbox->conferences,
					  rest->request->params[1]) == NULL) {
		rest_not_found(rest);
		return;
	}
	if (rest_page_begin(rest, &page) < 0)
		return;
	/* Who is not there yet, too: the status says which. */
	for (node = conference != NULL ? conference->participants.prev : NULL;
		node != NULL && node != &conference->participants && !page.more;
		node = node->prev) {
		const struct participant *p = list_entry(node, struct participant, node);

		if (passes(rest, p) && rest_page_wants(&page, p->call->sid))
			rest_page_add(
				&page, p->call->sid, participant_json(p, json_null()));
	}
	rest_page_reply(rest, &page, "participants");
}

/* The participant of the path, by call SID or label; NULL: replied 404. */
static struct participant *named_participant(struct rest *rest)
{
	struct conference *conference = active_conference(rest);
	char *name = rest_sid(rest, 2);
	struct participant *participant = NULL;

	if (conference != NULL && name != NULL)
		participant = conference_participant(conference, name);
	free(name);
	if (participant == NULL)
		rest_not_found(rest);
	return participant;
}

void rest_participant_fetch(struct rest *rest)
{
	struct participant *participant = named_participant(rest);

	if (participant != NULL)
		rest_reply(rest, 200, participant_json(participant, json_null()));
}

/* Coaching and CallSidToCoach; false: replied. */
static bool coach(struct rest *rest, struct participant *participant)
{
	bool coaching = rest_form_bool(rest, "Coaching", participant->coaching);
	const char *sid = rest_form(rest, "CallSidToCoach");
	struct participant *coached;

	if (rest_form(rest, "Coaching") == NULL && sid == NULL)
		return true;
	if (!coaching) {
		participant_set_coaching(participant, false, "");
		return true;
	}
	if (sid == NULL)
		sid = participant->coached_call;
	coached = conference_participant(participant->conference, sid);
	if (coached == NULL || !coached->joined) {
		rest_error(
			rest, 400, 16028, "Participant to be whispered is not present");
		return false;
	}
	if (coached->hold) {
		rest_error(rest, 400, 16027, "Participant to be whispered is on hold");
		return false;
	}
	participant_set_coaching(participant, true, coached->call->sid);
	return true;
}

/* Hold with its music, and an announcement; false: replied. */
static bool hold_and_announce(struct rest *rest, struct participant *participant)
{
	char *hold_url = NULL, *hold_method = NULL, *url = NULL, *method = NULL;
	bool good = rest_form_callback(rest, "HoldUrl", &hold_url, &hold_method) &&
		    rest_form_callback(rest, "AnnounceUrl", &url, &method);

	if (good) {
		/* HoldMethod is the one method whose default is GET. */
		participant_set_hold(participant,
			rest_form_bool(rest, "Hold", participant->hold), hold_url,
			rest_form(rest, "HoldMethod") != NULL ? hold_method : "GET");
		if (url != NULL)
			participant_announce(participant, url, method);
	}
	free(hold_url);
	free(hold_method);
	free(url);
	free(method);
	return good;
}

void rest_participant_update(struct rest *rest)
{
	struct participant *participant = named_participant(rest);

	if (participant == NULL || !coach(rest, participant) ||
		!hold_and_announce(rest, participant))
		return;
	participant_set_muted(
		participant, rest_form_bool(rest, "Muted", participant->muted));
	participant_set_end_on_exit(participant,
		rest_form_bool(rest, "EndConferenceOnExit", participant->end_on_exit));
	rest_reply(rest, 200, participant_json(participant, json_null()));
}

void rest_participant_delete(struct rest *rest)
{
	struct participant *participant = named_participant(rest);
	struct call *call;

	if (participant == NULL)
		return;
	call = participant->call;
	conference_leave(participant, "participant_updated_via_api");
	call_left_conference(call);
	rest_reply(rest, 204, NULL);
}
