/*
 * rest_caller_ids.c: numbers that the account may show without owning them, by a validation
 * call that the sandbox imagines: twilio.com/docs/voice/api/outgoing-caller-ids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/text.h"
#include "sandbox/numbers.h"
#include "sandbox/outbox.h"
#include "sandbox/resource.h"
#include "sandbox/rest.h"

void rest_caller_id_validate(struct rest *rest)
{
	struct sandbox *sandbox = rest->sandbox;
	const char *number = rest_form(rest, "PhoneNumber");
	const char *name = rest_form(rest, "FriendlyName");
	const char *delay = rest_form(rest, "CallDelay");
	char *url = NULL, *method = NULL, call_sid[SID_SIZE], code[8];
	struct resource *caller_id;
	struct buf form = {0};
	int64_t seconds;

	if (number == NULL || !number_valid(number)) {
		rest_error(rest, 400, 21401, "The phone number is not valid");
		return;
	}
	if (resources_find_by(sandbox->resources, &kind_caller_id, "phone_number",
		    number) != NULL) {
		rest_error(rest, 400, 21450, "The phone number is validated already");
		return;
	}
	if (delay != NULL && text_int(delay, 0, 60, &seconds) < 0) {
		rest_error(rest, 400, 21454, "CallDelay is 0 to 60 seconds");
		return;
	}
	if (!rest_form_callback(rest, "StatusCallback", &url, &method))
		return;
	sandbox_sid(sandbox, "CA", call_sid);
	(void)snprintf(code, sizeof(code), "%06u",
		(unsigned)(chance_next(&sandbox->chance) % 1000000));
	caller_id = resource_new(sandbox, &kind_caller_id, "");
	resource_set(caller_id, "phone_number", number);
	resource_set(caller_id, "friendly_name", name != NULL ? name : number);
	/* Whoever is called types the code at once. */
	resources_add(sandbox->resources, caller_id);
	form_add(&form, "AccountSid", sandbox->settings.account_sid);
	form_add(&form, "CallSid", call_sid);
	form_add(&form, "To", number);
	form_add(&form, "VerificationStatus", "success");
	form_add(&form, "OutgoingCallerIdSid", caller_id->sid);
	outbox_notify(sandbox->outbox,
		&(struct letter){.url = url, .method = method, .form = &form});
	buf_free(&form);
	free(url);
	free(method);
	rest_reply(rest, 200,
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "account_sid",
			sandbox->settings.account_sid, "call_sid", call_sid,
			"friendly_name", name != NULL ? name : number, "phone_number",
			number, "validation_code", code));
}
