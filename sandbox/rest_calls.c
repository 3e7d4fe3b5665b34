/* rest_calls.c: the Calls resource: twilio.com/docs/voice/api/call-resource. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/dial.h"
#include "sandbox/memory.h"
#include "sandbox/rest.h"
#include "sandbox/twiml_run.h"

#define TWIML_INLINE_MAX 4000

static const char *const subresources[][2] = {
	{"notifications", "Notifications"},
	{"recordings", "Recordings"},
	{"payments", "Payments"},
	{"events", "Events"},
	{"siprec", "Siprec"},
	{"streams", "Streams"},
	{"transcriptions", "Transcriptions"},
	{"user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"},
	{"user_defined_messages", "UserDefinedMessages"},
};

static json_t *subresource_uris(const struct call *call)
{
	json_t *uris = json_object();
	size_t i;

	for (i = 0; i < sizeof(subresources) / sizeof(subresources[0]); i++)
		(void)json_object_set_new(uris, subresources[i][0],
			json_sprintf("/" SANDBOX_API_VERSION
				     "/Accounts/%s/Calls/%s/%s.json",
				call->sandbox->settings.account_sid, call->sid,
				subresources[i][1]));
	return uris;
}

/* "+14155552671" as "(415) 555-2671"; other countries as they are. */
static json_t *formatted(const char *number)
{
	if (strncmp(number, "+1", 2) == 0 && strlen(number) == 12)
		return json_sprintf(
			"(%.3s) %.3s-%.4s", number + 2, number + 5, number + 8);
	return json_string(number);
}

static json_t *number_text(int64_t number)
{
	return json_sprintf("%lld", (long long)number);
}

static json_t *call_json(const struct call *call)
{
	const char *account = call->sandbox->settings.account_sid;
	bool queued = strcmp(call_resource_status(call), "queued") == 0;

	return json_pack(
		"{s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o,"
		" s:n, s:s, s:s, s:s?, s:s, s:n, s:n, s:n, s:o, s:n, s:o, s:o}",
		"sid", call->sid, "date_created",
		queued ? json_null() : rest_date(call->created_ms), "date_updated",
		rest_date(call->updated_ms), "parent_call_sid",
		rest_text(call->parent_sid), "account_sid", account, "to", call->to,
		"to_formatted", formatted(call->to), "from", call->from, "from_formatted",
		formatted(call->from), "phone_number_sid", rest_text(call->number_sid),
		"status", call_resource_status(call), "start_time",
		rest_date(call->started_ms), "end_time", rest_date(call->ended_ms),
		"duration",
		call_is_over(call) ? number_text(call_duration_s(call)) : json_null(),
		"price", "price_unit", "USD", "direction", call_direction_text(call),
		"answered_by", call->amd.answered_by, "api_version", SANDBOX_API_VERSION,
		"forwarded_from", "group_sid", "caller_name", "queue_time",
		number_text(call->queue_ms), "trunk_sid", "uri",
		json_sprintf("/" SANDBOX_API_VERSION "/Accounts/%s/Calls/%s.json",
			account, call->sid),
		"subresource_uris", subresource_uris(call));
}

/* Where an application says that its calls get their instructions; false: replied. */
static bool application(struct rest *rest, struct call *call, const char *sid)
{
	const struct resource *app =
		resources_find(rest->sandbox->resources, &kind_application, sid, NULL);

	if (app == NULL || resource_get(app, "voice_url") == NULL) {
		rest_error(rest, 400, 21218, "Invalid ApplicationSid: %s", sid);
		return false;
	}
	memory_swap(&call->url, resource_get(app, "voice_url"));
	memory_swap(&call->method, resource_get(app, "voice_method"));
	memory_swap(&call->fallback_url, resource_get(app, "voice_fallback_url"));
	memory_swap(&call->fallback_method, resource_get(app, "voice_fallback_method"));
	/* Those of the request are ignored. */
	memory_swap(&call->callback.url, resource_get(app, "status_callback"));
	memory_swap(&call->callback.method, resource_get(app, "status_callback_method"));
	return true;
}

/* Url, Twiml and FallbackUrl; false: replied. */
static bool instructions(struct rest *rest, struct call *call)
{
	const char *twiml = rest_form(rest, "Twiml");
	const char *app = rest_form(rest, "ApplicationSid");

	if (app != NULL && *app != '\0')
		return application(rest, call, app);
	if (twiml != NULL && strlen(twiml) > TWIML_INLINE_MAX) {
		rest_error(rest, 400, 32018, "Twiml is longer than %d characters",
			TWIML_INLINE_MAX);
		return false;
	}
	if (!rest_form_callback(rest, "Url", &call->url, &call->method) ||
		!rest_form_callback(
			rest, "FallbackUrl", &call->fallback_url, &call->fallback_method))
		return false;
	if (call->url == NULL)
		memory_swap(&call->twiml, twiml);
	else if (twiml != NULL)
		log_warn("rest", 0, "32019 both Url and Twiml are given; Url wins");
	if (call->url == NULL && call->twiml == NULL) {
		rest_error(rest, 400, (int)rest->sandbox->facts.no_instructions_code,
			"Url parameter is required.");
		return false;
	}
	return true;
}

static bool async_amd(struct rest *rest, struct amd *amd)
{
	amd->asynchronous = rest_form_bool(rest, "AsyncAmd", false);
	return rest_form_callback(rest, "AsyncAmdStatusCallback", &amd->callback_url,
		&amd->callback_method);
}

void rest_call_create(struct rest *rest)
{
	struct call *call = rest_dial(rest);

	if (call == NULL)
		return;
	if (!instructions(rest, call) || !async_amd(rest, &call->amd)) {
		call_free(&call);
		return;
	}
	rest_accept(rest, call);
	rest_reply(rest, 201, call_json(call));
}

/* The call that the path names; NULL: replied 404. */
static struct call *named_call(struct rest *rest)
{
	char *sid = rest_sid(rest, 1);
	struct call *call = sid != NULL ? calls_find(rest->sandbox->calls, sid) : NULL;

	free(sid);
	if (call != NULL && clock_wall_ms() - call->created_ms <
				    rest->sandbox->facts.consistency_lag_ms)
		call = NULL;
	if (call == NULL)
		rest_not_found(rest);
	return call;
}

void rest_call_fetch(struct rest *rest)
{
	struct call *call = named_call(rest);

	if (call != NULL)
		rest_reply(rest, 200, call_json(call));
}

void rest_call_delete(struct rest *rest)
{
	struct call *call = named_call(rest);

	if (call == NULL)
		return;
	if (!call_is_over(call)) {
		rest_error(rest, 409, 20009, "The call is not finished");
		return;
	}
	calls_forget(rest->sandbox->calls, call);
	rest_reply(rest, 204, NULL);
}

static void redirect(struct rest *rest, struct call *call)
{
	if (call->status != CALL_IN_PROGRESS) {
		rest_error(rest, 400, 21220, "Call is not in-progress. Cannot redirect.");
		return;
	}
	free(call->url);
	free(call->twiml);
	call->url = call->twiml = NULL;
	if (!instructions(rest, call))
		return;
	if (call->dial != NULL)
		dial_leg_detached(call);
	if (call->participant != NULL) {
		twiml_run_free(&call->run);
		conference_leave(call->participant, "participant_updated_via_api");
	}
	if (call->url != NULL)
		twiml_run_url(call, call->url, call->method);
	else
		twiml_run_text(call, call->twiml);
	rest_reply(rest, 200, call_json(call));
}

/* `canceled` stops a call before the answer, `completed` any. */
static void set_status(struct rest *rest, struct call *call, const char *status)
{
	bool cancel = strcasecmp(status, "canceled") == 0;

	if (!cancel && strcasecmp(status, "completed") != 0) {
		rest_error(rest, 400, 21220, "Invalid call state: %s", status);
		return;
	}
	if (call_is_over(call)) {
		rest_error(rest, 400, 21220, "Call is not in-progress. Cannot redirect.");
		return;
	}
	if (call->status != CALL_IN_PROGRESS)
		call_log(call, "cancel");
	if (!cancel || call->status != CALL_IN_PROGRESS)
		call_hang_up(call);
	rest_reply(rest, 200, call_json(call));
}

void rest_call_update(struct rest *rest)
{
	struct call *call = named_call(rest);
	const char *status;

	if (call == NULL)
		return;
	if (!rest_form_callback(
		    rest, "StatusCallback", &call->callback.url, &call->callback.method))
		return;
	status = rest_form(rest, "Status");
	if (status != NULL && *status != '\0')
		set_status(rest, call, status);
	else if (rest_form(rest, "Url") != NULL || rest_form(rest, "Twiml") != NULL)
		redirect(rest, call);
	else
		rest_reply(rest, 200, call_json(call));
}

static bool call_passes(struct rest *rest, const struct call *call, bool *bad)
{
	/* A call that has not started yet is found by when it was made. */
	int64_t started_ms = call->started_ms != 0 ? call->started_ms : call->created_ms;

	return rest_text_passes(rest, "To", call->to) &&
	       rest_text_passes(rest, "From", call->from) &&
	       rest_text_passes(rest, "ParentCallSid", call->parent_sid) &&
	       rest_text_passes(rest, "Status", call_resource_status(call)) &&
	       rest_time_passes(rest, "StartTime", started_ms, bad) &&
	       rest_time_passes(rest, "EndTime", call->ended_ms, bad);
}

void rest_call_list(struct rest *rest)
{
	struct list *all = calls_list(rest->sandbox->calls), *node;
	struct rest_page page;
	bool bad = false;

	if (rest_page_begin(rest, &page) < 0)
		return;
	for (node = all->prev; node != all && !page.more; node = node->prev) {
		const struct call *call = list_entry(node, struct call, node);

		if (call_passes(rest, call, &bad) && rest_page_wants(&page, call->sid))
			rest_page_add(&page, call->sid, call_json(call));
		if (bad) {
			json_decref(page.items);
			return;
		}
	}
	rest_page_reply(rest, &page, "calls");
}
