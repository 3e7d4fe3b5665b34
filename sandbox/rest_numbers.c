/*
 * rest_numbers.c: the IncomingPhoneNumbers resource:
 * twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/rest.h"

static json_t *number_json(const struct rest *rest, const struct number *n)
{
	const char *account = rest->sandbox->settings.account_sid;

	return json_pack(
		"{s:s, s:n, s:s, s:s, s:b, s:{s:b, s:b, s:b, s:b}, s:o, s:o, s:s, s:n,"
		" s:s, s:s, s:s, s:n, s:s, s:n, s:s, s:n, s:s?, s:s, s:n, s:o, s:s, s:n,"
		" s:b, s:s, s:s?, s:s, s:s?, s:s, s:n, s:s, s:n, s:s, s:n}",
		"account_sid", account, "address_sid", "address_requirements", "none",
		"api_version", SANDBOX_API_VERSION, "beta", 0, "capabilities", "voice", 1,
		"sms", 0, "mms", 0, "fax", 0, "date_created", rest_date(n->created_ms),
		"date_updated", rest_date(n->updated_ms), "friendly_name",
		n->friendly_name, "identity_sid", "phone_number", n->phone_number,
		"origin", "twilio", "sid", n->sid, "sms_application_sid",
		"sms_fallback_method", "POST", "sms_fallback_url", "sms_method", "POST",
		"sms_url", "status_callback", n->status_callback,
		"status_callback_method", n->status_callback_method, "trunk_sid", "uri",
		json_sprintf("/" SANDBOX_API_VERSION
			     "/Accounts/%s/IncomingPhoneNumbers/%s.json",
			account, n->sid),
		"voice_receive_mode", "voice", "voice_application_sid",
		"voice_caller_id_lookup", 0, "voice_fallback_method",
		n->voice_fallback_method, "voice_fallback_url", n->voice_fallback_url,
		"voice_method", n->voice_method, "voice_url", n->voice_url,
		"emergency_status", "Inactive", "emergency_address_sid",
		"emergency_address_status", "unregistered", "bundle_sid", "status",
		"in-use", "type");
}

/* PhoneNumber may be a part, or hold `*` for any digit. */
static bool passes(const struct rest *rest, const struct number *number)
{
	const struct form *query = &rest->request->query;
	const char *wanted = form_get(query, "PhoneNumber");
	const char *name = form_get(query, "FriendlyName");
	struct buf pattern = {0};
	bool fits;

	buf_printf(&pattern, "*%s*", wanted != NULL ? wanted : "");
	fits = fnmatch(pattern.data, number->phone_number, 0) == 0 &&
	       (name == NULL || strcmp(name, number->friendly_name) == 0);
	buf_free(&pattern);
	return fits;
}

void rest_number_list(struct rest *rest)
{
	struct numbers *numbers = rest->sandbox->numbers;
	struct rest_page page;
	size_t i;

	if (rest_page_begin(rest, &page) < 0)
		return;
	for (i = 0; i < numbers_count(numbers); i++) {
		const struct number *number = numbers_at(numbers, i);

		if (passes(rest, number) && rest_page_wants(&page, number->sid))
			rest_page_add(&page, number->sid, number_json(rest, number));
	}
	rest_page_reply(rest, &page, "incoming_phone_numbers");
}

static struct number *named_number(struct rest *rest)
{
	char *sid = rest_sid(rest, 1);
	struct number *number =
		sid != NULL ? numbers_find(rest->sandbox->numbers, sid) : NULL;

	free(sid);
	if (number == NULL)
		rest_not_found(rest);
	return number;
}

void rest_number_fetch(struct rest *rest)
{
	struct number *number = named_number(rest);

	if (number != NULL)
		rest_reply(rest, 200, number_json(rest, number));
}

/* A URL that may also be emptied; false: replied. */
static bool set_url(struct rest *rest, const char *name, char **url)
{
	const char *value = rest_form(rest, name);

	if (value == NULL)
		return true;
	if (*value != '\0' && !rest_url_valid(value)) {
		rest_error(rest, 400, 21502, "%s is not a valid URL: %s", name, value);
		return false;
	}
	memory_swap(url, *value != '\0' ? value : NULL);
	return true;
}

static bool set_method(struct rest *rest, const char *name, char **method)
{
	const char *value = rest_form_method(rest, name);

	if (rest_form(rest, name) == NULL)
		return true;
	if (value == NULL) {
		rest_error(rest, 400, 21403, "%s is GET or POST", name);
		return false;
	}
	memory_swap(method, value);
	return true;
}

void rest_number_update(struct rest *rest)
{
	struct number *number = named_number(rest);
	const char *name = rest_form(rest, "FriendlyName");

	if (number == NULL)
		return;
	if (!set_url(rest, "VoiceUrl", &number->voice_url) ||
		!set_method(rest, "VoiceMethod", &number->voice_method) ||
		!set_url(rest, "VoiceFallbackUrl", &number->voice_fallback_url) ||
		!set_method(
			rest, "VoiceFallbackMethod", &number->voice_fallback_method) ||
		!set_url(rest, "StatusCallback", &number->status_callback) ||
		!set_method(
			rest, "StatusCallbackMethod", &number->status_callback_method))
		return;
	if (name != NULL)
		memory_swap(&number->friendly_name, name);
	number->updated_ms = clock_wall_ms();
	rest_reply(rest, 200, number_json(rest, number));
}
