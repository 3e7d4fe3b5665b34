/* rest_recordings.c: the Recordings resources: twilio.com/docs/voice/api/recording. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/memory.h"
#include "sandbox/recording.h"
#include "sandbox/rest.h"

static json_t *number_or_null(int number)
{
	return number != 0 ? json_integer(number) : json_null();
}

/* What both kinds of the resource have; the call's has no media_url, the other no track. */
static json_t *recording_json(const struct recording *r)
{
	bool over = r->status >= RECORDING_COMPLETED;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:n, s:n, s:s,"
			 " s:s, s:i, s:s, s:o}",
		"account_sid", r->sandbox->settings.account_sid, "api_version",
		SANDBOX_API_VERSION, "call_sid", rest_text(r->call_sid), "conference_sid",
		rest_text(r->conference_sid), "date_created", rest_date(r->created_ms),
		"date_updated", rest_date(r->updated_ms), "start_time",
		rest_date(r->started_ms), "duration",
		over ? json_sprintf("%lld", (long long)recording_duration_s(r))
		     : json_null(),
		"sid", r->sid, "price", "encryption_details", "price_unit", "USD",
		"status", recording_status_text(r), "channels", (int)r->how.channels,
		"source", r->how.source, "error_code", number_or_null(r->error_code));
}

static json_t *call_recording_json(const struct recording *r)
{
	json_t *object = recording_json(r);
	bool of_call = *r->call_sid != '\0';

	(void)json_object_set_new(object, "uri",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/%s/%s/Recordings/%s.json",
			r->sandbox->settings.account_sid,
			of_call ? "Calls" : "Conferences",
			of_call ? r->call_sid : r->conference_sid, r->sid));
	if (of_call)
		(void)json_object_set_new(object, "track", json_string(r->how.track));
	return object;
}

static json_t *account_recording_json(const struct recording *r)
{
	const char *account = r->sandbox->settings.account_sid;
	json_t *object = recording_json(r), *uris = json_object();
	char *url = recording_url(r);

	(void)json_object_set_new(object, "uri",
		json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/Recordings/%s.json",
			account, r->sid));
	(void)json_object_set_new(uris, "add_on_results",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/Recordings/%s/AddOnResults.json",
			account, r->sid));
	(void)json_object_set_new(uris, "transcriptions",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/Recordings/%s/Transcriptions.json",
			account, r->sid));
	(void)json_object_set_new(object, "subresource_uris", uris);
	(void)json_object_set_new(object, "media_url", json_string(url));
	free(url);
	return object;
}

static bool bad_value(struct rest *rest, const char *name)
{
	rest_error(rest, 400, 20422, "Invalid %s: %s", name, rest_form(rest, name));
	return false;
}

static bool trim(struct rest *rest, const char *name, bool *ret_trim)
{
	const char *value = rest_form(rest, name);

	if (value == NULL)
		return true;
	*ret_trim = strcmp(value, "trim-silence") == 0;
	return *ret_trim || strcmp(value, "do-not-trim") == 0 || bad_value(rest, name);
}

static bool channels_and_track(struct rest *rest, struct recording_wish *wish)
{
	static const char *const tracks[] = {"inbound", "outbound", "both"};
	const char *channels = rest_form(rest, "RecordingChannels");
	const char *track = rest_form(rest, "RecordingTrack");
	size_t i;

	if (channels != NULL) {
		wish->channels = strcmp(channels, "dual") == 0 ? 2 : 1;
		if (wish->channels == 1 && strcmp(channels, "mono") != 0)
			return bad_value(rest, "RecordingChannels");
	}
	for (i = 0; track != NULL && i < 3; i++)
		if (strcmp(track, tracks[i]) == 0)
			break;
	if (track == NULL)
		return true;
	if (i == 3)
		return bad_value(rest, "RecordingTrack");
	wish->track = tracks[i];
	return true;
}

static bool callback(struct rest *rest, const char *name, struct callback *callback)
{
	char events[64], *words;

	(void)snprintf(events, sizeof(events), "%sEvent", name);
	words = rest_form_words(rest, events);
	if (words != NULL)
		callback->events = recording_events_parse(words);
	free(words);
	return rest_form_callback(rest, name, &callback->url, &callback->method);
}

bool rest_recording_wish(struct rest *rest, struct recording_wish *wish)
{
	return trim(rest, "Trim", &wish->trim) && channels_and_track(rest, wish) &&
	       callback(rest, "RecordingStatusCallback", &wish->callback);
}

bool rest_conference_recording_wish(struct rest *rest, struct recording_wish *wish)
{
	const char *value = rest_form(rest, "ConferenceRecord");

	recording_wish_init(wish, "Conference");
	wish->wanted = value != NULL && (strcmp(value, "true") == 0 ||
						strcmp(value, "record-from-start") == 0);
	return trim(rest, "ConferenceTrim", &wish->trim) &&
	       callback(rest, "ConferenceRecordingStatusCallback", &wish->callback);
}

static struct recording *newest_live(const struct call *call)
{
	return list_empty(&call->recordings)
		       ? NULL
		       : list_entry(call->recordings.prev, struct recording, call_node);
}

void rest_call_recording_create(struct rest *rest)
{
	struct call *call = calls_find(rest->sandbox->calls, rest->request->params[1]);
	const struct recording *live;
	struct recording_wish wish;

	if (call == NULL) {
		rest_not_found(rest);
		return;
	}
	if (call->status != CALL_IN_PROGRESS) {
		rest_error(rest, 400, 21220,
			"Requested resource is not eligible for recording");
		return;
	}
	live = newest_live(call);
	if (live != NULL && strcmp(live->how.source, "StartCallRecordingAPI") == 0) {
		rest_error(rest, 400, 16108, "The call is being recorded already, as %s",
			live->sid);
		return;
	}
	recording_wish_init(&wish, "StartCallRecordingAPI");
	wish.trim = false;
	if (rest_recording_wish(rest, &wish))
		rest_reply(rest, 201, call_recording_json(recording_start(call, &wish)));
	recording_wish_free(&wish);
}

/* The recording of the path, below its call or conference; NULL: replied 404. */
static struct recording *named_recording(struct rest *rest)
{
	const char *owner = rest->request->params[1];
	struct recordings *all = rest->sandbox->recordings;
	struct recording *recording = NULL;
	char *sid = rest_sid(rest, 2);
	const struct call *call;

	if (sid != NULL && strcmp(sid, "Twilio.CURRENT") == 0) {
		call = calls_find(rest->sandbox->calls, owner);
		recording = call != NULL ? newest_live(call) : NULL;
	} else if (sid != NULL) {
		recording = recordings_find(all, sid);
	}
	free(sid);
	if (recording == NULL || recording->status == RECORDING_DELETED ||
		(strcmp(recording->call_sid, owner) != 0 &&
			strcmp(recording->conference_sid, owner) != 0)) {
		rest_not_found(rest);
		return NULL;
	}
	return recording;
}

void rest_call_recording_fetch(struct rest *rest)
{
	struct recording *recording = named_recording(rest);

	if (recording != NULL)
		rest_reply(rest, 200, call_recording_json(recording));
}

void rest_call_recording_update(struct rest *rest)
{
	struct recording *recording = named_recording(rest);
	const char *status = rest_form(rest, "Status");
	const char *pause = rest_form(rest, "PauseBehavior");

	if (recording == NULL)
		return;
	if (status == NULL ||
		(strcmp(status, "paused") != 0 && strcmp(status, "in-progress") != 0 &&
			strcmp(status, "stopped") != 0)) {
		rest_error(rest, 400, 20001,
			"Status is paused, in-progress or stopped, not %s",
			status != NULL ? status : "absent");
		return;
	}
	if (!recording_is_live(recording)) {
		rest_error(rest, 400, 21220, "The recording %s is %s", recording->sid,
			recording_status_text(recording));
		return;
	}
	if (strcmp(status, "paused") == 0)
		recording_pause(recording, pause != NULL && strcmp(pause, "skip") == 0);
	else if (strcmp(status, "in-progress") == 0)
		recording_resume(recording);
	else
		recording_stop(recording, true);
	rest_reply(rest, 200, call_recording_json(recording));
}

static void delete_recording(struct rest *rest, struct recording *recording)
{
	if (recording_is_live(recording)) {
		rest_error(rest, 409, 20009, "The recording %s is still being made",
			recording->sid);
		return;
	}
	recording_delete(recording);
	rest_reply(rest, 204, NULL);
}

void rest_call_recording_delete(struct rest *rest)
{
	struct recording *recording = named_recording(rest);

	if (recording != NULL)
		delete_recording(rest, recording);
}

static bool shows_deleted(const struct rest *rest)
{
	const char *wish = form_get(&rest->request->query, "IncludeSoftDeleted");

	return wish != NULL && strcmp(wish, "true") == 0;
}

static bool passes(
	struct rest *rest, const struct recording *r, const char *owner, bool *bad)
{
	if (r->status == RECORDING_DELETED && (owner != NULL || !shows_deleted(rest)))
		return false;
	if (owner != NULL && strcmp(r->call_sid, owner) != 0 &&
		strcmp(r->conference_sid, owner) != 0)
		return false;
	return rest_text_passes(rest, "CallSid", r->call_sid) &&
	       rest_text_passes(rest, "ConferenceSid", r->conference_sid) &&
	       rest_time_passes(rest, "DateCreated", r->created_ms, bad);
}

static void list(struct rest *rest, const char *owner,
	json_t *(*to_json)(const struct recording *recording))
{
	struct list *all = recordings_list(rest->sandbox->recordings), *node;
	struct rest_page page;
	bool bad = false;

	if (rest_page_begin(rest, &page) < 0)
		return;
	for (node = all->prev; node != all && !page.more && !bad; node = node->prev) {
		const struct recording *r = list_entry(node, struct recording, node);

		if (passes(rest, r, owner, &bad) && rest_page_wants(&page, r->sid))
			rest_page_add(&page, r->sid, to_json(r));
	}
	if (bad)
		json_decref(page.items);
	else
		rest_page_reply(rest, &page, "recordings");
}

void rest_call_recording_list(struct rest *rest)
{
	const char *owner = rest->request->params[1];
	const struct sandbox *sandbox = rest->sandbox;

	if (calls_find(sandbox->calls, owner) == NULL &&
		conferences_find(sandbox->conferences, owner) == NULL)
		rest_not_found(rest);
	else
		list(rest, owner, call_recording_json);
}

void rest_recording_list(struct rest *rest)
{
	list(rest, NULL, account_recording_json);
}

/* "RE..." as metadata with ".json", as sound with ".wav", ".mp3" or nothing. */
static struct recording *account_recording(struct rest *rest, const char **ret_ending)
{
	const char *name = rest->request->params[1];
	size_t len = strcspn(name, ".");
	char *sid = strndup(name, len);
	struct recording *recording =
		sid != NULL ? recordings_find(rest->sandbox->recordings, sid) : NULL;

	free(sid);
	*ret_ending = name + len;
	if (recording == NULL ||
		(recording->status == RECORDING_DELETED && !shows_deleted(rest))) {
		rest_not_found(rest);
		return NULL;
	}
	return recording;
}

void rest_recording_fetch(struct rest *rest)
{
	const char *ending;
	struct recording *recording = account_recording(rest, &ending);

	if (recording == NULL)
		return;
	if (strcmp(ending, ".json") == 0)
		rest_reply(rest, 200, account_recording_json(recording));
	else
		rest_media(rest, recording, ending);
}

void rest_recording_delete(struct rest *rest)
{
	const char *ending;
	struct recording *recording = account_recording(rest, &ending);

	if (recording != NULL && recording->status != RECORDING_DELETED)
		delete_recording(rest, recording);
	else if (recording != NULL)
		rest_not_found(rest);
}
