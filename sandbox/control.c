/* control.c: /sandbox/...: the levers that tests and people pull. */
#include <stdio.h>
#include <string.h>

#include "sandbox/calls.h"
#include "sandbox/conference.h"
#include "sandbox/memory.h"
#include "sandbox/mixer.h"
#include "sandbox/numbers.h"
#include "sandbox/population.h"
#include "sandbox/rest.h"
#include "sandbox/transcription.h"
#include "sandbox/twiml_run.h"

json_t *rest_body(struct rest *rest)
{
	json_error_t problem;
	json_t *value =
		json_loadb(rest->request->body, rest->request->body_len, 0, &problem);

	if (value == NULL)
		rest_error(rest, 400, 20422, "The body is not JSON: %s", problem.text);
	return value;
}

static json_t *faults_json(const struct faults *faults)
{
	json_t *all = json_array();
	unsigned i;

	for (i = 0; i < FAULT_KINDS; i++) {
		const struct fault *fault = &faults->kinds[i];

		(void)json_array_append_new(
			all, json_pack("{s:s, s:f, s:I, s:I, s:I, s:I}", "kind",
				     fault_text((enum fault_kind)i), "rate", fault->rate,
				     "delay_ms", (json_int_t)fault->delay_ms, "seed",
				     (json_int_t)fault->seed, "chances",
				     (json_int_t)fault->chances, "fired",
				     (json_int_t)fault->fired));
	}
	return json_pack("{s:o}", "faults", all);
}

void control_faults_get(struct rest *rest)
{
	rest_reply(rest, 200, faults_json(&rest->sandbox->faults));
}

static void set_fault(struct sandbox *sandbox, enum fault_kind kind, double rate,
	int64_t delay_ms, uint64_t seed)
{
	faults_set(&sandbox->faults, kind, rate, delay_ms, seed);
	if (kind == FAULT_UNREACHABLE && faults_fire(&sandbox->faults, kind))
		rest_go_away(sandbox);
}

/* One {"kind","rate","delay_ms","seed"}; false: replied. With `apply` false only checked. */
static bool take_fault(struct rest *rest, json_t *wish, bool apply)
{
	const char *word = "";
	double rate = 0;
	json_int_t delay_ms = 0, seed = 1;
	enum fault_kind kind;
	json_error_t problem;

	if (json_unpack_ex(wish, &problem, JSON_STRICT, "{s:s, s:F, s?I, s?I}", "kind",
		    &word, "rate", &rate, "delay_ms", &delay_ms, "seed", &seed) != 0)
		rest_error(rest, 400, 20422, "%s", problem.text);
	else if (fault_parse(word, &kind) < 0)
		rest_error(rest, 400, 20422, "No such fault: %s", word);
	else if (rate < 0 || rate > 1 || delay_ms < 0 || delay_ms > 60000)
		rest_error(rest, 400, 20422, "rate is 0 to 1, delay_ms 0 to 60000");
	else {
		if (apply)
			set_fault(rest->sandbox, kind, rate, delay_ms, (uint64_t)seed);
		return true;
	}
	return false;
}

void control_faults_put(struct rest *rest)
{
	json_t *wishes = rest_body(rest), *list;
	size_t i;
	int apply;

	if (wishes == NULL)
		return;
	list = json_is_array(wishes) ? json_incref(wishes) : json_pack("[O]", wishes);
	/* All or nothing. */
	for (apply = 0; apply < 2; apply++)
		for (i = 0; i < json_array_size(list); i++)
			if (!take_fault(rest, json_array_get(list, i), apply != 0))
				goto out;
	control_faults_get(rest);
out:
	json_decref(list);
	json_decref(wishes);
}

void control_mixer_put(struct rest *rest)
{
	json_t *wish = rest_body(rest);
	int silent = 0;

	if (wish == NULL)
		return;
	if (json_unpack(wish, "{s:b}", "silent", &silent) != 0) {
		rest_error(rest, 400, 20422, "Send {\"silent\": true} or false");
	} else {
		mixer_set_silent(rest->sandbox->mixer, silent != 0);
		rest_reply(rest, 200, json_pack("{s:b}", "silent", silent));
	}
	json_decref(wish);
}

void control_sip_domain_get(struct rest *rest)
{
	const struct sip_domain *domain = &rest->sandbox->domain;

	rest_reply(rest, 200,
		json_pack("{s:s?, s:s?, s:s?, s:s?}", "voice_url", domain->voice_url,
			"voice_method", domain->voice_method, "fallback_url",
			domain->fallback_url, "status_callback",
			domain->status_callback));
}

void control_sip_domain_put(struct rest *rest)
{
	struct sip_domain *domain = &rest->sandbox->domain;
	const char *voice = domain->voice_url, *method = domain->voice_method;
	const char *fallback = domain->fallback_url, *status = domain->status_callback;
	json_t *wish = rest_body(rest);
	json_error_t problem;

	if (wish == NULL)
		return;
	if (json_unpack_ex(wish, &problem, JSON_STRICT, "{s?s, s?s, s?s, s?s}",
		    "voice_url", &voice, "voice_method", &method, "fallback_url",
		    &fallback, "status_callback", &status) != 0) {
		rest_error(rest, 400, 20422, "%s", problem.text);
	} else if ((voice != NULL && !rest_url_valid(voice)) ||
		   (fallback != NULL && !rest_url_valid(fallback)) ||
		   (status != NULL && !rest_url_valid(status)) ||
		   (method != NULL && strcmp(method, "GET") != 0 &&
			   strcmp(method, "POST") != 0)) {
		rest_error(rest, 400, 20422, "An URL or the method is not valid");
	} else {
		memory_swap(&domain->voice_url, voice);
		memory_swap(&domain->voice_method, method);
		memory_swap(&domain->fallback_url, fallback);
		memory_swap(&domain->status_callback, status);
		control_sip_domain_get(rest);
	}
	json_decref(wish);
}

static void hang_up_all(struct rest *rest)
{
	struct list *all = calls_list(rest->sandbox->calls), *node;
	json_int_t count = 0;

	/* One call's end may end others, but none goes from the list. */
	for (node = all->next; node != all; node = node->next) {
		struct call *call = list_entry(node, struct call, node);

		if (call->leg != NULL || call_is_over(call))
			continue;
		call_customer_hangs_up(call);
		count++;
	}
	rest_reply(rest, 200, json_pack("{s:I}", "ended", count));
}

/* {"call_sid"} or {"all": true}: the simulated far end hangs up. */
void control_hangup(struct rest *rest)
{
	json_t *wish = rest_body(rest);
	const char *sid = "";
	struct call *call = NULL;

	if (wish == NULL)
		return;
	if (json_is_true(json_object_get(wish, "all"))) {
		hang_up_all(rest);
		json_decref(wish);
		return;
	}
	if (json_unpack(wish, "{s:s}", "call_sid", &sid) == 0)
		call = calls_find(rest->sandbox->calls, sid);
	if (call == NULL || call->leg != NULL) {
		rest_error(rest, 404, 20404, "No such customer: %s", sid);
	} else {
		call_customer_hangs_up(call);
		rest_reply(rest, 200,
			json_pack("{s:s, s:s}", "call_sid", call->sid, "status",
				call_resource_status(call)));
	}
	json_decref(wish);
}

static json_t *overview(const struct call *call)
{
	const struct participant *p = call->participant;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:b}", "call_sid",
		call->sid, "direction", call_direction_text(call), "to", call->to, "from",
		call->from, "status", call_status_text(call), "behaviour",
		call->customer != NULL ? behaviour_text(call->customer->behaviour) : NULL,
		"conference", p != NULL ? p->conference->name : NULL, "label",
		p != NULL ? p->label : NULL, "joined", p != NULL && p->joined);
}

void control_calls(struct rest *rest)
{
	struct list *all = calls_list(rest->sandbox->calls), *node, *tmp;
	json_t *live = json_array();

	list_for_each(all, node, tmp)
	{
		const struct call *call = list_entry(node, struct call, node);

		if (!call_is_over(call))
			(void)json_array_append_new(live, overview(call));
	}
	rest_reply(rest, 200, json_pack("{s:o}", "calls", live));
}

void control_settings_get(struct rest *rest)
{
	struct facts *facts = &rest->sandbox->facts;
	json_t *all = json_object();
	const struct fact *fact;
	size_t i;

	for (i = 0; (fact = facts_at(i)) != NULL; i++)
		(void)json_object_set_new(all, fact->name,
			json_pack("{s:I, s:I, s:I, s:I, s:s}", "value",
				(json_int_t)*facts_value(facts, fact), "default",
				(json_int_t)fact->otherwise, "low", (json_int_t)fact->low,
				"high", (json_int_t)fact->high, "help", fact->help));
	rest_reply(rest, 200, json_pack("{s:o}", "settings", all));
}

/* {"media_auth": 0, ...}: all or nothing. */
void control_settings_put(struct rest *rest)
{
	struct facts wished = rest->sandbox->facts;
	json_t *wish = rest_body(rest), *value;
	const char *name;

	if (wish == NULL)
		return;
	json_object_foreach(wish, name, value)
	{
		const struct fact *fact = facts_find(name);

		if (fact == NULL || !json_is_integer(value) ||
			json_integer_value(value) < fact->low ||
			json_integer_value(value) > fact->high) {
			rest_error(rest, 400, 20422,
				"%s: there is no such setting, or not with this value",
				name);
			goto out;
		}
		*facts_value(&wished, fact) = json_integer_value(value);
	}
	rest->sandbox->facts = wished;
	control_settings_get(rest);
out:
	json_decref(wish);
}

/* Those that mean something else than that the call failed. */
void control_sip_statuses_get(struct rest *rest)
{
	json_t *all = json_object();
	int code;

	for (code = SIP_STATUS_LOW; code <= SIP_STATUS_HIGH; code++) {
		enum sip_meaning meaning =
			sip_statuses_get(&rest->sandbox->sip_statuses, code);
		char name[12];

		(void)snprintf(name, sizeof(name), "%d", code);
		if (meaning != SIP_MEANS_FAILED)
			(void)json_object_set_new(
				all, name, json_string(sip_meaning_text(meaning)));
	}
	rest_reply(rest, 200, all);
}

/* {"503": "busy", ...}: all or nothing; the others stay. */
void control_sip_statuses_put(struct rest *rest)
{
	struct sip_statuses wished = rest->sandbox->sip_statuses;
	json_t *wish = rest_body(rest), *value;
	const char *name;
	bool good;

	if (wish == NULL)
		return;
	good = json_is_object(wish);
	json_object_foreach(wish, name, value)
	{
		good = good && json_is_string(value) &&
		       sip_statuses_set(&wished, name, json_string_value(value)) == 0;
	}
	if (good) {
		rest->sandbox->sip_statuses = wished;
		control_sip_statuses_get(rest);
	} else {
		rest_error(rest, 400, 20422,
			"Send {\"486\": \"busy\"}: 300 to 699, busy, no-answer, canceled or "
			"failed");
	}
	json_decref(wish);
}

/* {"numbers": ["+15550001", ...]}: the account has these and no others. */
void control_numbers_put(struct rest *rest)
{
	struct resources *all = rest->sandbox->resources;
	json_t *wish = rest_body(rest), *value;
	struct buf list = {0};
	struct list *node, *tmp;
	struct err err = {0};
	size_t i;

	if (wish == NULL)
		return;
	json_array_foreach(json_object_get(wish, "numbers"), i, value) buf_printf(
		&list, "%s,", json_is_string(value) ? json_string_value(value) : "?");
	if (list.len == 0 || numbers_add(rest->sandbox, list.data, &err) < 0) {
		rest_error(rest, 400, 20422, "Send {\"numbers\": [\"+15550001\"]}: %s",
			err.text);
		goto out;
	}
	list_for_each(resources_list(all), node, tmp)
	{
		struct resource *r = list_entry(node, struct resource, node);
		const char *number =
			r->kind == &kind_number ? resource_get(r, "phone_number") : NULL;

		/* Every number of the list has a comma behind it. */
		if (number != NULL &&
			(strstr(list.data, number) == NULL ||
				strstr(list.data, number)[strlen(number)] != ','))
			resources_delete(all, r);
	}
	rest_reply(rest, 200,
		json_pack("{s:O}", "numbers", json_object_get(wish, "numbers")));
out:
	buf_free(&list);
	json_decref(wish);
}

/* {"call_sid", "digits"}: the far end presses keys. */
void control_digits(struct rest *rest)
{
	json_t *wish = rest_body(rest);
	const char *sid = "", *digits = "";
	struct call *call = NULL;

	if (wish == NULL)
		return;
	if (json_unpack(wish, "{s:s, s:s}", "call_sid", &sid, "digits", &digits) == 0)
		call = calls_find(rest->sandbox->calls, sid);
	if (call == NULL || call_is_over(call)) {
		rest_error(rest, 404, 20404, "No such live call: %s", sid);
	} else {
		for (; *digits != '\0'; digits++)
			twiml_run_digit(call, *digits);
		rest_reply(rest, 200, json_pack("{s:s}", "call_sid", call->sid));
	}
	json_decref(wish);
}

/* {"call_sid", "speech"}: the far end says something; transcriptions hear it. */
void control_speak(struct rest *rest)
{
	json_t *wish = rest_body(rest);
	const char *sid = "", *speech = "";
	struct call *call = NULL;

	if (wish == NULL)
		return;
	if (json_unpack(wish, "{s:s, s:s}", "call_sid", &sid, "speech", &speech) == 0)
		call = calls_find(rest->sandbox->calls, sid);
	if (call == NULL || call->status != CALL_IN_PROGRESS) {
		rest_error(rest, 404, 20404, "No such call in progress: %s", sid);
	} else {
		transcriptions_hear(call, speech);
		rest_reply(rest, 200, json_pack("{s:s}", "call_sid", call->sid));
	}
	json_decref(wish);
}

/*
 * {"call_sid", "silent"}: Twilio loses a leg in mid-call: nobody hung up, it failed. The BYE of a
 * silent one does not get through.
 */
void control_drop(struct rest *rest)
{
	json_t *wish = rest_body(rest);
	const char *sid = "";
	struct call *call = NULL;
	int silent = 0;

	if (wish == NULL)
		return;
	if (json_unpack(wish, "{s:s, s?b}", "call_sid", &sid, "silent", &silent) == 0)
		call = calls_find(rest->sandbox->calls, sid);
	if (call == NULL || call->status != CALL_IN_PROGRESS) {
		rest_error(rest, 404, 20404, "No such call in progress: %s", sid);
	} else {
		call->forget_leg = silent != 0;
		call_move(call, CALL_FAILED);
		rest_reply(rest, 200, json_pack("{s:s}", "call_sid", call->sid));
	}
	json_decref(wish);
}
