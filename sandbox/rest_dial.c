/* rest_dial.c: what POST Calls and POST Participants have in common: a call is dialled. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sandbox/dialing.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/rest.h"

#define TIMEOUT_MAX_S 600
#define QUEUE_MAX_MS 86400000 /* 22005 */
#define TIME_LIMIT_MAX_S 86400

/* A number of the account or one that it has verified. */
static const struct resource *caller_id(struct sandbox *sandbox, const char *from)
{
	const struct resource *number = numbers_find(sandbox, from);

	if (number != NULL)
		return number;
	return resources_find_by(
		sandbox->resources, &kind_caller_id, "phone_number", from);
}

/* E.164, "client:name" or "sip:user@host". */
static bool address_valid(const char *to)
{
	if (strncmp(to, "client:", 7) == 0)
		return to[7] != '\0' && strlen(to) <= 256 + 7;
	if (strncmp(to, "sip:", 4) == 0 || strncmp(to, "sips:", 5) == 0)
		return strchr(to, '@') != NULL && strcspn(to, "?") < 255;
	return number_valid(to);
}

static bool check_numbers(struct rest *rest, const struct resource **ret_number)
{
	const char *to = rest_form(rest, "To");
	const char *from = rest_form(rest, "From");

	if (to == NULL || *to == '\0')
		rest_error(rest, 400, 21201, "No 'To' number is specified");
	else if (from == NULL || *from == '\0')
		rest_error(rest, 400, 21213, "No 'From' number is specified");
	else if (!address_valid(to))
		rest_error(rest, 400, 21211,
			"The phone number you are attempting to call, %s, is not valid.",
			to);
	else if (*to != '+' && *from != '+')
		return true; /* from a client or a SIP user to such */
	else if (!number_valid(from))
		rest_error(rest, 400, 21212,
			"The 'From' number %s is not a valid phone number", from);
	else if ((*ret_number = caller_id(rest->sandbox, from)) == NULL)
		rest_error(rest, 400, 21210,
			"The source phone number provided, %s, is not yet "
			"verified for your account",
			from);
	else
		return true;
	return false;
}

/* A whole number of seconds into milliseconds; false: replied. */
static bool seconds(struct rest *rest, const char *name, int64_t most, int64_t *ms)
{
	const char *text = rest_form(rest, name);
	int64_t value;

	if (text == NULL)
		return true;
	if (text_int(text, 1, most, &value) < 0) {
		rest_error(rest, 400, 21208, "Invalid %s value: %s", name, text);
		return false;
	}
	*ms = value * 1000;
	return true;
}

bool rest_form_callback(
	struct rest *rest, const char *name, char **ret_url, char **ret_method)
{
	const char *url = rest_form(rest, name);
	const char *method;
	char method_name[64] = "";

	if (url == NULL || *url == '\0')
		return true;
	/* "Url" has "Method", "StatusCallback" has "StatusCallbackMethod". */
	if (strcmp(name, "Url") == 0)
		(void)text_copy(method_name, sizeof(method_name), "Method");
	else if (strcmp(name, "FallbackUrl") == 0)
		(void)text_copy(method_name, sizeof(method_name), "FallbackMethod");
	else if (strcmp(name, "HoldUrl") == 0)
		(void)text_copy(method_name, sizeof(method_name), "HoldMethod");
	else if (strcmp(name, "AnnounceUrl") == 0)
		(void)text_copy(method_name, sizeof(method_name), "AnnounceMethod");
	else
		(void)snprintf(method_name, sizeof(method_name), "%sMethod", name);
	method = rest_form_method(rest, method_name);
	if (!rest_url_valid(url))
		rest_error(rest, 400, strstr(name, "Callback") != NULL ? 21609 : 21205,
			"%s is not a valid URL: %s", name, url);
	else if (method == NULL)
		rest_error(rest, 400, 21209, "%s is GET or POST", method_name);
	else {
		memory_swap(ret_url, url);
		memory_swap(ret_method, method);
		return true;
	}
	return false;
}

struct detection_range {
	int64_t low, high, unit_ms;
};

/* A whole number of units into milliseconds; false: replied. */
static bool detection_ms(struct rest *rest, const char *name,
	const struct detection_range *range, int64_t *ms)
{
	char whole[64];
	const char *text;
	int64_t value;

	(void)snprintf(whole, sizeof(whole), "MachineDetection%s", name);
	text = rest_form(rest, whole);
	if (text == NULL)
		return true;
	if (text_int(text, range->low, range->high, &value) < 0) {
		rest_error(rest, 400, 21234, "Invalid %s value: %s", whole, text);
		return false;
	}
	*ms = value * range->unit_ms;
	return true;
}

static bool machine_detection(struct rest *rest, struct amd *amd)
{
	const char *wish = rest_form(rest, "MachineDetection");
	const char *digits = rest_form(rest, "SendDigits");

	if (wish == NULL || *wish == '\0')
		return true;
	if (strcmp(wish, "Enable") != 0 && strcmp(wish, "DetectMessageEnd") != 0) {
		rest_error(rest, 400, 21234, "Invalid MachineDetection value: %s", wish);
		return false;
	}
	amd->on = digits == NULL; /* SendDigits turns it off */
	amd->to_the_end = strcmp(wish, "DetectMessageEnd") == 0;
	return detection_ms(rest, "Timeout", &(struct detection_range){3, 60, 1000},
		       &amd->timeout_ms) &&
	       detection_ms(rest, "SpeechThreshold",
		       &(struct detection_range){1000, 6000, 1}, &amd->speech_ms) &&
	       detection_ms(rest, "SpeechEndThreshold",
		       &(struct detection_range){500, 5000, 1}, &amd->speech_end_ms) &&
	       detection_ms(rest, "SilenceTimeout",
		       &(struct detection_range){2000, 10000, 1}, &amd->silence_ms);
}

static bool send_digits(struct rest *rest)
{
	const char *digits = rest_form(rest, "SendDigits");

	if (digits == NULL ||
		(strlen(digits) <= 32 &&
			strspn(digits, "0123456789ABCDabcd#*wW") == strlen(digits)))
		return true;
	rest_error(rest, 400, 21206, "Invalid SendDigits value: %s", digits);
	return false;
}

/* For calls to SIP; false: replied. */
static bool sip_auth(struct rest *rest, struct call *call)
{
	const char *user = rest_form(rest, "SipAuthUsername");
	const char *password = rest_form(rest, "SipAuthPassword");

	if (user != NULL && *user != '\0' && (password == NULL || *password == '\0'))
		rest_error(rest, 400, 21225, "SipAuthUsername needs SipAuthPassword");
	else if (user != NULL && strlen(user) >= 256)
		rest_error(rest, 400, 21221, "SipAuthUsername is too long");
	else if (password != NULL && strlen(password) >= 256)
		rest_error(rest, 400, 21223, "SipAuthPassword is too long");
	else {
		memory_swap(&call->sip_user, user);
		memory_swap(&call->sip_password, password);
		memory_swap(&call->caller_id, rest_form(rest, "CallerId"));
		return true;
	}
	return false;
}

static bool fill(struct rest *rest, struct call *call)
{
	char *words;

	if (!seconds(rest, "Timeout", TIMEOUT_MAX_S, &call->timeout_ms) ||
		!seconds(rest, "TimeLimit", TIME_LIMIT_MAX_S, &call->time_limit_ms) ||
		!send_digits(rest) || !sip_auth(rest, call) ||
		!machine_detection(rest, &call->amd) ||
		!rest_recording_wish(rest, &call->record) ||
		!rest_form_callback(rest, "StatusCallback", &call->callback.url,
			&call->callback.method))
		return false;
	call->record.wanted = rest_form_bool(rest, "Record", false);
	words = rest_form_words(rest, "StatusCallbackEvent");
	if (words != NULL)
		call->callback.events = call_events_parse(words);
	free(words);
	return true;
}

struct call *rest_dial(struct rest *rest)
{
	const struct resource *number = NULL;
	struct call *call;

	if (!check_numbers(rest, &number))
		return NULL;
	if (dialing_wait_ms(rest->sandbox->dialing) > QUEUE_MAX_MS) {
		rest_error(rest, 400, 22005, "Call queue full: it would wait for a day");
		return NULL;
	}
	call = call_new(rest->sandbox, rest_form(rest, "To"), rest_form(rest, "From"));
	if (strncmp(call->to, "client:", 7) == 0)
		call->to[strcspn(call->to, "?")] = '\0'; /* parameters for the browser */
	if (number != NULL)
		(void)text_copy(call->number_sid, SID_SIZE, number->sid);
	if (!fill(rest, call))
		call_free(&call);
	return call;
}

void rest_accept(struct rest *rest, struct call *call)
{
	call_register(call);
	call_log_create(call, rest->fault);
	dialing_put(rest->sandbox->dialing, call);
	if (call->queue_ms > 0)
		call_log(call, "queued");
}
