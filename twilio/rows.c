/* rows.c: Twilio's resources as the structs of their nouns. See rows.h. */
#include "twilio/rows.h"

#include <errno.h>

#include "twilio/account.h"
#include "twilio/calls.h"
#include "twilio/conferences.h"
#include "twilio/fields.h"
#include "twilio/recordings.h"

int rows_read_call(const json_t *object, void *row)
{
	struct twilio_call *call = row;

	FIELD_TEXT(object, "status", call->status);
	if (call->status[0] == '\0')
		return -EBADMSG;
	call->created_ms = field_time_ms(object, "date_created");
	call->ended_ms = field_time_ms(object, "end_time");
	call->duration_s = (int)field_int(object, "duration", -1);
	return field_sid(object, "sid", "CA", call->sid);
}

int rows_read_conference(const json_t *object, void *row)
{
	struct twilio_conference *conference = row;

	FIELD_TEXT(object, "status", conference->status);
	if (conference->status[0] == '\0')
		return -EBADMSG;
	return field_sid(object, "sid", "CF", conference->sid);
}

int rows_read_participant(const json_t *object, void *row)
{
	struct twilio_participant_row *participant = row;

	(void)field_sid(object, "conference_sid", "CF", participant->conference_sid);
	FIELD_TEXT(object, "label", participant->label);
	FIELD_TEXT(object, "status", participant->status);
	participant->muted = field_bool(object, "muted");
	participant->hold = field_bool(object, "hold");
	return field_sid(object, "call_sid", "CA", participant->call_sid);
}

int rows_read_recording(const json_t *object, void *row)
{
	struct twilio_recording *recording = row;

	FIELD_TEXT(object, "status", recording->status);
	recording->channels = (int)field_int(object, "channels", 0);
	recording->duration_s = (int)field_int(object, "duration", -1);
	recording->error_code = (int)field_int(object, "error_code", 0);
	recording->started_ms = field_time_ms(object, "start_time");
	return field_sid(object, "sid", "RE", recording->sid);
}

int rows_read_number(const json_t *object, void *row)
{
	struct twilio_number *number = row;
	const json_t *can = json_object_get(object, "capabilities");

	FIELD_TEXT(object, "phone_number", number->number);
	FIELD_TEXT(object, "friendly_name", number->friendly_name);
	number->voice = field_bool(can, "voice");
	FIELD_TEXT(object, "voice_url", number->voice_url);
	FIELD_TEXT(object, "voice_method", number->voice_method);
	FIELD_TEXT(object, "voice_fallback_url", number->voice_fallback_url);
	FIELD_TEXT(object, "voice_fallback_method", number->voice_fallback_method);
	FIELD_TEXT(object, "status_callback", number->status_callback);
	FIELD_TEXT(object, "status_callback_method", number->status_callback_method);
	(void)field_sid(object, "voice_application_sid", "AP", number->application_sid);
	(void)field_sid(object, "trunk_sid", "TK", number->trunk_sid);
	return field_sid(object, "sid", "PN", number->sid);
}

int rows_read_application(const json_t *object, void *row)
{
	struct twilio_application *application = row;

	FIELD_TEXT(object, "voice_url", application->voice_url);
	FIELD_TEXT(object, "voice_method", application->voice_method);
	FIELD_TEXT(object, "voice_fallback_url", application->voice_fallback_url);
	FIELD_TEXT(object, "voice_fallback_method", application->voice_fallback_method);
	return field_sid(object, "sid", "AP", application->sid);
}

int rows_read_domain(const json_t *object, void *row)
{
	struct twilio_sip_domain *domain = row;

	FIELD_TEXT(object, "domain_name", domain->domain);
	FIELD_TEXT(object, "voice_url", domain->voice_url);
	FIELD_TEXT(object, "voice_method", domain->voice_method);
	FIELD_TEXT(object, "voice_fallback_url", domain->voice_fallback_url);
	FIELD_TEXT(object, "voice_fallback_method", domain->voice_fallback_method);
	return field_sid(object, "sid", "SD", domain->sid);
}

int rows_read_credential_list(const json_t *object, void *row)
{
	struct twilio_sip_item *list = row;

	FIELD_TEXT(object, "friendly_name", list->name);
	return field_sid(object, "sid", "CL", list->sid);
}

int rows_read_credential(const json_t *object, void *row)
{
	struct twilio_sip_item *credential = row;

	FIELD_TEXT(object, "username", credential->name);
	return field_sid(object, "sid", "CR", credential->sid);
}
