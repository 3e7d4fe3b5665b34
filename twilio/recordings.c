/* recordings.c: requests about recordings. See recordings.h. */
#include "twilio/recordings.h"

#include <errno.h>
#include <string.h>

#include "base/form.h"
#include "twilio/ask.h"

int twilio_recording_create(struct twilio_client *client, uint64_t id,
	const char *call_sid, const char *callback)
{
	static const char *const events[] = {"in-progress", "completed", "absent", NULL};
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(call_sid, "CA") != 0)
		return -EINVAL;
	twilio_add_path(&path, "Calls", call_sid);
	buf_add_str(&path, "/Recordings.json");
	form_add(&form, "RecordingChannels", "dual");
	if (callback != NULL) {
		form_add(&form, "RecordingStatusCallback", callback);
		twilio_add_each(&form, "RecordingStatusCallbackEvent", events);
	}
	return twilio_ask(client, TWILIO_RECORDING_CREATE, id, &path, &form);
}

int twilio_recording_update(struct twilio_client *client, uint64_t id,
	const char *call_sid, const char *recording_sid, const char *status)
{
	struct buf path = {0}, form = {0};

	if (twilio_sid_check(call_sid, "CA") != 0)
		return -EINVAL;
	if (recording_sid != NULL && twilio_sid_check(recording_sid, "RE") != 0)
		return -EINVAL;
	if (strcmp(status, "paused") != 0 && strcmp(status, "in-progress") != 0 &&
		strcmp(status, "stopped") != 0)
		return -EINVAL;
	twilio_add_path(&path, "Calls", call_sid);
	twilio_add_path(&path, "Recordings",
		recording_sid != NULL ? recording_sid : "Twilio.CURRENT");
	buf_add_str(&path, ".json");
	form_add(&form, "Status", status);
	if (strcmp(status, "paused") == 0)
		form_add(&form, "PauseBehavior", "skip");
	return twilio_ask(client, TWILIO_RECORDING_UPDATE, id, &path, &form);
}

static int ask_recording(
	struct twilio_client *client, enum twilio_op op, uint64_t id, const char *sid)
{
	struct buf path = {0};

	if (twilio_sid_check(sid, "RE") != 0)
		return -EINVAL;
	twilio_add_path(&path, "Recordings", sid);
	buf_add_str(&path, ".json");
	return twilio_ask(client, op, id, &path, NULL);
}

int twilio_recording_fetch(struct twilio_client *client, uint64_t id, const char *sid)
{
	return ask_recording(client, TWILIO_RECORDING_FETCH, id, sid);
}

int twilio_recording_delete(struct twilio_client *client, uint64_t id, const char *sid)
{
	return ask_recording(client, TWILIO_RECORDING_DELETE, id, sid);
}

int twilio_recording_list(struct twilio_client *client, uint64_t id, const char *call_sid)
{
	struct buf path = {0};

	if (call_sid != NULL && twilio_sid_check(call_sid, "CA") != 0)
		return -EINVAL;
	buf_printf(&path, "/Recordings.json?PageSize=%d", TWILIO_PAGE_SIZE);
	twilio_add(&path, "CallSid", call_sid);
	return twilio_ask(client, TWILIO_RECORDING_LIST, id, &path, NULL);
}
