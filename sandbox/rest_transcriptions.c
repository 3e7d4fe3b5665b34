/* rest_transcriptions.c: a call's Transcriptions: twilio.com/docs/voice/api. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/calls.h"
#include "sandbox/rest.h"
#include "sandbox/transcription.h"

static json_t *transcription_json(const struct transcription *t)
{
	const char *account = t->call->sandbox->settings.account_sid;

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "sid", t->sid,
		"account_sid", account, "call_sid", t->call->sid, "name",
		rest_text(t->how.options[TRANSCRIPTION_NAME]), "status",
		t->live ? "in-progress" : "stopped", "date_updated",
		rest_date(t->updated_ms), "uri",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/Calls/%s/Transcriptions/%s.json",
			account, t->call->sid, t->sid));
}

/* "LanguageCode" of "languageCode"; NULL: absent. */
static const char *option(
	const struct rest *rest, enum transcription_option which, char name[40])
{
	(void)snprintf(name, 40, "%s", transcription_option_name(which));
	name[0] = (char)(name[0] & ~32);
	return rest_form(rest, name);
}

/* false: replied with an error already. */
static bool read_wish(struct rest *rest, struct transcription_wish *wish)
{
	unsigned i;

	for (i = 0; i < TRANSCRIPTION_OPTIONS; i++) {
		char name[40];
		const char *value = option(rest, (enum transcription_option)i, name);

		if (value == NULL)
			continue;
		if (i == TRANSCRIPTION_CALLBACK && !rest_url_valid(value)) {
			rest_error(rest, 400, 21609, "%s is not a valid URL: %s", name,
				value);
			return false;
		}
		if (transcription_wish_set(wish, (enum transcription_option)i, value) <
			0) {
			rest_error(rest, 400, 20422, "Invalid %s: %s", name, value);
			return false;
		}
	}
	return true;
}

void rest_transcription_create(struct rest *rest)
{
	struct call *call = calls_find(rest->sandbox->calls, rest->request->params[1]);
	int status = (int)rest->sandbox->facts.transcription_status;
	struct transcription_wish wish;

	if (call == NULL) {
		rest_not_found(rest);
		return;
	}
	if (call->status != CALL_IN_PROGRESS) {
		rest_error(rest, 400, 21220, "The call %s is not in progress", call->sid);
		return;
	}
	transcription_wish_init(&wish);
	if (read_wish(rest, &wish))
		rest_reply(rest, status,
			transcription_json(transcription_start(call, &wish)));
	transcription_wish_free(&wish);
}

void rest_transcription_update(struct rest *rest)
{
	struct call *call = calls_find(rest->sandbox->calls, rest->request->params[1]);
	const char *status = rest_form(rest, "Status");
	char *name = rest_sid(rest, 2);
	struct transcription *t =
		call != NULL && name != NULL ? transcription_find(call, name) : NULL;

	free(name);
	if (t == NULL) {
		rest_not_found(rest);
	} else if (status == NULL || strcmp(status, "stopped") != 0) {
		rest_error(rest, 400, 20001, "Status is stopped, not %s",
			status != NULL ? status : "absent");
	} else if (!t->live) {
		rest_error(rest, 400, 21220, "The transcription %s has stopped", t->sid);
	} else {
		transcription_stop(t);
		rest_reply(rest, 200, transcription_json(t));
	}
}
