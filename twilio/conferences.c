/* conferences.c: requests about conferences and their participants. See conferences.h. */
#include "twilio/conferences.h"

#include <errno.h>
#include <string.h>

#include "base/form.h"
#include "twilio/ask.h"

/* Without a Status filter: a conference with one in it may be `init` or `in-progress`. */
int twilio_conference_find(
	struct twilio_client *client, uint64_t id, const char *friendly_name)
{
	struct buf path = {0};

	buf_printf(&path, "/Conferences.json?PageSize=%d", TWILIO_PAGE_SIZE);
	form_add(&path, "FriendlyName", friendly_name);
	return twilio_ask(client, TWILIO_CONFERENCE_FIND, id, &path, NULL);
}

static void add_callbacks(struct buf *form, const struct twilio_participant *p)
{
	static const char *const leg[] = {
		"initiated", "ringing", "answered", "completed", NULL};
	static const char *const conference[] = {"start", "end", "join", "leave", "mute",
		"hold", "modify", "announcement", NULL};

	twilio_add_callback(form, p->status_callback, leg);
	if (p->conference_status_callback != NULL) {
		form_add(form, "ConferenceStatusCallback", p->conference_status_callback);
		form_add(form, "ConferenceStatusCallbackMethod", "POST");
		twilio_add_each(form, "ConferenceStatusCallbackEvent", conference);
	}
}

/* Not the names that POST Calls has: AsyncAmd is refused here (error 21263). */
static void add_detection(struct buf *form, const struct twilio_participant *p)
{
	if (p->machine_detection == NULL)
		return;
	form_add(form, "MachineDetection", p->machine_detection);
	twilio_add(form, "AmdStatusCallback", p->amd_callback);
}

int twilio_participant_create(
	struct twilio_client *client, uint64_t id, const struct twilio_participant *p)
{
	struct buf path = {0}, form = {0};

	if (p->conference == NULL || p->from == NULL || p->to == NULL)
		return -EINVAL;
	twilio_add_path(&path, "Conferences", p->conference);
	buf_add_str(&path, "/Participants.json");
	form_add(&form, "From", p->from);
	form_add(&form, "To", p->to);
	twilio_add(&form, "Label", p->label);
	if (p->timeout_s > 0)
		form_add_int(&form, "Timeout", p->timeout_s);
	form_add(&form, "EarlyMedia", p->early_media ? "true" : "false");
	form_add(&form, "Beep", "false");
	form_add(&form, "StartConferenceOnEnter", "true");
	form_add(&form, "EndConferenceOnExit", "false");
	form_add(&form, "WaitUrl", "");
	add_callbacks(&form, p);
	add_detection(&form, p);
	return twilio_ask(client, TWILIO_PARTICIPANT_CREATE, id, &path, &form);
}

int twilio_participant_list(
	struct twilio_client *client, uint64_t id, const char *conference_sid)
{
	struct buf path = {0};

	if (twilio_sid_check(conference_sid, "CF") != 0)
		return -EINVAL;
	twilio_add_path(&path, "Conferences", conference_sid);
	buf_printf(&path, "/Participants.json?PageSize=%d", TWILIO_PAGE_SIZE);
	return twilio_ask(client, TWILIO_PARTICIPANT_LIST, id, &path, NULL);
}

static int ask_participant(struct twilio_client *client, enum twilio_op op, uint64_t id,
	const char *path_of[2], struct buf *form)
{
	struct buf path = {0};

	if (twilio_sid_check(path_of[0], "CF") != 0 || path_of[1] == NULL ||
		path_of[1][0] == '\0') {
		if (form != NULL)
			buf_free(form);
		return -EINVAL;
	}
	twilio_add_path(&path, "Conferences", path_of[0]);
	twilio_add_path(&path, "Participants", path_of[1]);
	buf_add_str(&path, ".json");
	return twilio_ask(client, op, id, &path, form);
}

int twilio_participant_fetch(struct twilio_client *client, uint64_t id,
	const char *conference_sid, const char *participant)
{
	return ask_participant(client, TWILIO_PARTICIPANT_FETCH, id,
		(const char *[]){conference_sid, participant}, NULL);
}

int twilio_participant_update(struct twilio_client *client, uint64_t id,
	const char *conference_sid, const char *participant,
	const struct twilio_participant_change *change)
{
	struct buf form = {0};

	twilio_add(&form, "Muted", change->muted);
	twilio_add(&form, "Hold", change->hold);
	twilio_add(&form, "AnnounceUrl", change->announce_url);
	twilio_add(&form, "AnnounceMethod", change->announce_method);
	if (form.data == NULL)
		return form.failed ? -ENOMEM : -EINVAL;
	return ask_participant(client, TWILIO_PARTICIPANT_UPDATE, id,
		(const char *[]){conference_sid, participant}, &form);
}
