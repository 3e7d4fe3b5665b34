/* requests.c: each typed request as the path and the form that Twilio wants for it. */
#include "config.h"
#include "twilio/ask.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/form.h"
#include "twilio/reply.h"

/* Hands over and frees; `form` NULL: GET. */
static int ask(struct twilio_client *client, enum twilio_op op, uint64_t id,
	struct buf *path, struct buf *form)
{
	int err = -ENOMEM;

	if (!path->failed && (form == NULL || !form->failed))
		err = twilio_client_ask(
			client, op, id, path->data, form != NULL ? form->data : NULL);
	buf_free(path);
	if (form != NULL)
		buf_free(form);
	return err;
}

/* An array is its key repeated (twilio.com/docs/usage/api, "array" parameters). */
static void add_events(struct buf *form, const char *name, const char *const events[])
{
	for (size_t i = 0; events[i] != NULL; i++)
		form_add(form, name, events[i]);
}

static void add_callbacks(struct buf *form, const struct twilio_participant *p)
{
	static const char *const leg[] = {
		"initiated", "ringing", "answered", "completed", NULL};
	static const char *const conference[] = {
		"start", "end", "join", "leave", "mute", "hold", "modify", NULL};

	if (p->status_callback != NULL) {
		form_add(form, "StatusCallback", p->status_callback);
		form_add(form, "StatusCallbackMethod", "POST");
		add_events(form, "StatusCallbackEvent", leg);
	}
	if (p->conference_status_callback != NULL) {
		form_add(form, "ConferenceStatusCallback", p->conference_status_callback);
		form_add(form, "ConferenceStatusCallbackMethod", "POST");
		add_events(form, "ConferenceStatusCallbackEvent", conference);
	}
}

int twilio_participant_create(
	struct twilio_client *client, uint64_t id, const struct twilio_participant *p)
{
	struct buf path = {0}, form = {0};

	if (p->conference == NULL || p->from == NULL || p->to == NULL)
		return -EINVAL;
	buf_add_str(&path, "/Conferences/");
	form_escape(&path, p->conference);
	buf_add_str(&path, "/Participants.json");
	form_add(&form, "From", p->from);
	form_add(&form, "To", p->to);
	if (p->label != NULL)
		form_add(&form, "Label", p->label);
	if (p->timeout_s > 0)
		form_add_int(&form, "Timeout", p->timeout_s);
	form_add(&form, "EarlyMedia", p->early_media ? "true" : "false");
	form_add(&form, "Beep", "false");
	form_add(&form, "StartConferenceOnEnter", "true");
	form_add(&form, "EndConferenceOnExit", "false");
	form_add(&form, "WaitUrl", "");
	add_callbacks(&form, p);
	return ask(client, TWILIO_PARTICIPANT_CREATE, id, &path, &form);
}

static void add_call_path(struct buf *path, const char *sid)
{
	buf_add_str(path, "/Calls/");
	buf_add_str(path, sid);
	buf_add_str(path, ".json");
}

int twilio_call_update(
	struct twilio_client *client, uint64_t id, const char *sid, const char *status)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(sid, "CA") != 0)
		return -EINVAL;
	if (strcmp(status, "completed") != 0 && strcmp(status, "canceled") != 0)
		return -EINVAL;
	add_call_path(&path, sid);
	form_add(&form, "Status", status);
	return ask(client, TWILIO_CALL_UPDATE, id, &path, &form);
}

int twilio_call_fetch(struct twilio_client *client, uint64_t id, const char *sid)
{
	struct buf path = {0};

	if (twilio_sid_check(sid, "CA") != 0)
		return -EINVAL;
	add_call_path(&path, sid);
	return ask(client, TWILIO_CALL_FETCH, id, &path, NULL);
}

int twilio_call_list(
	struct twilio_client *client, uint64_t id, const char *to, const char *from)
{
	struct buf path = {0};

	buf_printf(&path, "/Calls.json?PageSize=%d&To=", TWILIO_LIST_MAX);
	form_escape(&path, to);
	buf_add_str(&path, "&From=");
	form_escape(&path, from);
	return ask(client, TWILIO_CALL_LIST, id, &path, NULL);
}

/* Without a Status filter: a conference with one in it may be `init` or `in-progress`. */
int twilio_conference_find(
	struct twilio_client *client, uint64_t id, const char *friendly_name)
{
	struct buf path = {0};

	buf_printf(&path, "/Conferences.json?PageSize=%d&FriendlyName=", TWILIO_LIST_MAX);
	form_escape(&path, friendly_name);
	return ask(client, TWILIO_CONFERENCE_FIND, id, &path, NULL);
}

int twilio_participant_list(
	struct twilio_client *client, uint64_t id, const char *conference_sid)
{
	struct buf path = {0};

	if (twilio_sid_check(conference_sid, "CF") != 0)
		return -EINVAL;
	buf_printf(&path, "/Conferences/%s/Participants.json?PageSize=%d", conference_sid,
		TWILIO_LIST_MAX);
	return ask(client, TWILIO_PARTICIPANT_LIST, id, &path, NULL);
}

int twilio_number_list(struct twilio_client *client, uint64_t id)
{
	struct buf path = {0};

	buf_printf(&path, "/IncomingPhoneNumbers.json?PageSize=%d", TWILIO_LIST_MAX);
	return ask(client, TWILIO_NUMBER_LIST, id, &path, NULL);
}
