/*
 * inbound.c: POST /sandbox/inbound: somebody calls one of the account's numbers, or a browser
 * calls by its TwiML application. Source: twilio.com/docs/voice/twiml#request-parameters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/log.h"
#include "base/text.h"
#include "sandbox/call.h"
#include "sandbox/loop.h"
#include "sandbox/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/population.h"
#include "sandbox/resource.h"
#include "sandbox/rest.h"
#include "sandbox/twiml_run.h"

/* What the body asks for; borrowed from it. */
struct inbound {
	const char *from, *to, *application_sid;
	json_t *customer, *parameters;
	/* Who has the voice URL, and who is told at the end. */
	const struct resource *instructions, *number;
};

/* The number's application, when it has one, else itself. */
static bool find_instructions(struct rest *rest, struct inbound *inbound)
{
	struct resources *all = rest->sandbox->resources;
	const char *sid = inbound->application_sid;

	if (sid == NULL) {
		inbound->number = numbers_find(rest->sandbox, inbound->to);
		if (inbound->number == NULL) {
			rest_error(rest, 404, 20404,
				"The account has no number %s; PUT /sandbox/numbers",
				inbound->to);
			return false;
		}
		sid = resource_get(inbound->number, "voice_application_sid");
	}
	inbound->instructions =
		sid != NULL ? resources_find(all, &kind_application, sid, NULL)
			    : inbound->number;
	if (inbound->instructions == NULL ||
		resource_get(inbound->instructions, "voice_url") == NULL) {
		rest_error(rest, 404, 20404, "%s has no voice URL",
			sid != NULL ? sid : inbound->to);
		return false;
	}
	return true;
}

/* Parameters as the webhooks of an inbound call have them; the caller's own win. */
static char *extra_form(struct sandbox *sandbox, const struct inbound *inbound)
{
	struct buf form = {0};
	json_t *value;
	const char *name;
	char token[64];

	json_object_foreach(inbound->parameters, name, value) form_add(
		&form, name, json_is_string(value) ? json_string_value(value) : "");
	if (inbound->number != NULL && *inbound->from == '+') {
		(void)text_random(token, 24);
		form_add(&form, "CallToken", token);
		if (json_object_get(inbound->parameters, "StirVerstat") == NULL)
			form_add(&form, "StirVerstat", "TN-Validation-Passed-A");
	}
	if (inbound->application_sid != NULL)
		form_add(&form, "ApplicationSid", inbound->application_sid);
	(void)sandbox;
	return buf_take(&form);
}

static void on_patience_over(struct timer *timer)
{
	call_hang_up(list_entry(timer, struct call, step));
}

static struct call *ring(
	struct sandbox *sandbox, const struct inbound *inbound, struct customer *customer)
{
	struct call *call = call_new(sandbox, inbound->to, inbound->from);
	const struct resource *from = inbound->instructions;

	call->direction = CALL_INBOUND;
	call->customer = call->own_customer = customer;
	call->extra_form = extra_form(sandbox, inbound);
	call->fallback_url = memory_text(resource_get(from, "voice_fallback_url"));
	call->fallback_method = memory_text(resource_get(from, "voice_fallback_method"));
	call->callback.url = memory_text(resource_get(from, "status_callback"));
	call->callback.method = memory_text(resource_get(from, "status_callback_method"));
	if (inbound->number != NULL)
		(void)text_copy(call->number_sid, SID_SIZE, inbound->number->sid);
	call_register(call);
	call_move(call, CALL_RINGING);
	if (customer->ring_ms > 0) {
		call->step.fire = on_patience_over;
		loop_timer(sandbox->loop, &call->step,
			sandbox_scaled(sandbox, customer->ring_ms));
	}
	twiml_run_url(call, resource_get(from, "voice_url"),
		resource_get(from, "voice_method"));
	return call;
}

/*
 * {"from": "+14155550000", "to": "+15550001"} or {"from": "client:ana", "application_sid":
 * "AP..", "to": ""}; "customer" as in the population (ring_ms: how long the caller waits to be
 * picked up, 0: for ever; talk_ms: from then on), "parameters": further ones of the webhooks.
 */
void control_inbound(struct rest *rest)
{
	json_t *body = rest_body(rest), *standard = NULL;
	struct inbound inbound = {.to = ""};
	struct customer *customer = memory_zero(sizeof(*customer));
	struct err err = {0};
	json_error_t problem;
	struct call *call;

	if (body == NULL)
		goto out;
	standard = json_pack("{s:i, s:i}", "ring_ms", 0, "talk_ms", 15000);
	if (json_unpack_ex(body, &problem, JSON_STRICT, "{s:s, s?s, s?s, s?o, s?o}",
		    "from", &inbound.from, "to", &inbound.to, "application_sid",
		    &inbound.application_sid, "customer", &inbound.customer, "parameters",
		    &inbound.parameters) != 0) {
		rest_error(rest, 400, 20422, "%s", problem.text);
		goto out;
	}
	if (json_is_object(inbound.customer))
		(void)json_object_update(standard, inbound.customer);
	if (customer_read(standard, customer, &err) < 0) {
		rest_error(rest, 400, 20422, "customer: %s", err.text);
		goto out;
	}
	if (!find_instructions(rest, &inbound))
		goto out;
	call = ring(rest->sandbox, &inbound, customer);
	customer = NULL;
	rest_reply(rest, 201,
		json_pack("{s:s, s:s}", "call_sid", call->sid, "status",
			call_resource_status(call)));
out:
	if (customer != NULL)
		customer_free(customer);
	free(customer);
	json_decref(standard);
	json_decref(body);
}
