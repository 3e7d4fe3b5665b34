/* call_report.c: what webhooks say about a call. */
#include <stdio.h>
#include <string.h>

#include "base/form.h"
#include "sandbox/call.h"
#include "sandbox/memory.h"
#include "sandbox/outbox.h"
#include "sandbox/population.h"
#include "sandbox/recording.h"
#include "sandbox/sandbox.h"

/* Calling codes of the countries that tests dial; the others' country is left empty. */
static const char *const countries[][2] = {{"+1", "US"}, {"+31", "NL"}, {"+33", "FR"},
	{"+34", "ES"}, {"+39", "IT"}, {"+41", "CH"}, {"+43", "AT"}, {"+44", "GB"},
	{"+48", "PL"}, {"+49", "DE"}, {"+52", "MX"}, {"+55", "BR"}, {"+61", "AU"},
	{"+91", "IN"}};

static const char *country_of(const char *number)
{
	size_t i;

	for (i = 0; i < sizeof(countries) / sizeof(countries[0]); i++)
		if (strncmp(number, countries[i][0], strlen(countries[i][0])) == 0)
			return countries[i][1];
	return "";
}

const char *call_direction_text(const struct call *call)
{
	static const char *const texts[] = {
		[CALL_OUTBOUND_API] = "outbound-api",
		[CALL_INBOUND] = "inbound",
		[CALL_OUTBOUND_DIAL] = "outbound-dial",
	};

	return texts[call->direction];
}

/* Whether the call's own parameters have the name already. */
static bool has(const struct call *call, const char *name)
{
	const char *at = call->extra_form;
	size_t len = strlen(name);

	for (; at != NULL && *at != '\0'; at = strchr(at, '&')) {
		at += *at == '&';
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return true;
	}
	return false;
}

static void add_place(
	const struct call *call, struct buf *form, const char *who, const char *number)
{
	static const char *const what[] = {"City", "State", "Zip", "Country"};
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", who, what[i]);
		if (!has(call, name))
			form_add(form, name, i == 3 ? country_of(number) : "");
	}
}

/* City, state, zip and country are sent for phone numbers even when nobody knows them. */
static void add_places(const struct call *call, struct buf *form)
{
	if (*call->from == '+') {
		add_place(call, form, "From", call->from);
		add_place(call, form, "Caller", call->from);
	}
	if (*call->to == '+') {
		add_place(call, form, "To", call->to);
		add_place(call, form, "Called", call->to);
	}
}

void call_form(const struct call *call, struct buf *form)
{
	form_add(form, "CallSid", call->sid);
	form_add(form, "AccountSid", call->sandbox->settings.account_sid);
	form_add(form, "From", call->from);
	form_add(form, "To", call->to);
	form_add(form, "Caller", call->from);
	form_add(form, "Called", call->to);
	form_add(form, "CallStatus", call_status_text(call));
	form_add(form, "ApiVersion", SANDBOX_API_VERSION);
	form_add(form, "Direction", call_direction_text(call));
	if (*call->parent_sid != '\0')
		form_add(form, "ParentCallSid", call->parent_sid);
	if (call->extra_form != NULL && *call->extra_form != '\0') {
		buf_add_char(form, '&');
		buf_add_str(form, call->extra_form);
	}
	add_places(call, form);
	if (call->amd.answered_by != NULL) {
		form_add(form, "AnsweredBy", call->amd.answered_by);
		form_add_int(form, "MachineDetectionDuration", call->amd.duration_ms);
	}
}

/* Only a recording that was asked for with the call is told of at its end. */
static void add_recording(const struct call *call, struct buf *form)
{
	const struct recording *recording;

	if (!call_is_over(call) || *call->recording_sid == '\0')
		return;
	recording = recordings_find(call->sandbox->recordings, call->recording_sid);
	if (recording != NULL)
		recording_form(recording, form);
}

/* Seen in webhooks of calls that failed; Twilio publishes no list of those that have it. */
static void add_error(const struct call *call, struct buf *form)
{
	const struct customer *customer = call->customer;

	if (call->status != CALL_FAILED || customer == NULL || customer->error_code == 0)
		return;
	form_add_int(form, "ErrorCode", customer->error_code);
	if (customer->error_message != NULL)
		form_add(form, "ErrorMessage", customer->error_message);
}

void call_report(struct call *call, unsigned event)
{
	char date[DATE_SIZE];
	struct buf form = {0};

	if (call->callback.url == NULL || (call->callback.events & event) == 0)
		return;
	call_form(call, &form);
	form_add_int(&form, "SequenceNumber", call->sequence++);
	form_add(&form, "Timestamp", date_text(call->updated_ms, date));
	form_add(&form, "CallbackSource", "call-progress-events");
	if (call_is_over(call)) {
		form_add_int(&form, "CallDuration", call_duration_s(call));
		if (call->status == CALL_COMPLETED)
			form_add_int(
				&form, "Duration", (call_duration_s(call) + 59) / 60);
		if (call->sip_status != 0)
			form_add_int(&form, "SipResponseCode", call->sip_status);
		add_error(call, &form);
	}
	add_recording(call, &form);
	outbox_notify(call->sandbox->outbox, &(struct letter){.url = call->callback.url,
						     .method = call->callback.method,
						     .form = &form,
						     .call = call});
	buf_free(&form);
}
