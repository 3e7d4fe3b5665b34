/* call_api.c: the routes of calls. See call_api.h. */
#include "gateway/call_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialer/number.h"
#include "gateway/call.h"
#include "gateway/call_control.h"
#include "gateway/disposition_api.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200

static json_t *number_or_null(int value, int none)
{
	return value == none ? json_null() : json_integer(value);
}

json_t *call_json(const struct db_call *row)
{
	json_t *doc = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:s, s:s, s:s, s:s}", "id",
		api_id(row->id), "callId", api_id(row->id), "campaignId",
		api_id(row->campaign_id), "contactId", api_id(row->contact_id), "queueId",
		api_id(row->entry_id), "agentId", api_id(row->agent_id), "attempt",
		row->attempt, "mode", row->mode, "number", row->number, "callerId",
		row->caller_id, "conference", row->conference, "state", row->state);
	json_t *more = json_pack(
		"{s:o, s:o, s:o, s:{s:s, s:i}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:o,"
		" s:o}",
		"outcome", api_text(row->outcome), "errorCode",
		number_or_null(row->error_code, 0), "errorText",
		api_text(row->error_text), "verdict", "rule", row->verdict_rule,
		"version", row->verdict_version, "twilioCallSid",
		api_text(row->provider_sid), "placedAt", api_time(row->placed_ms),
		"ringingAt", api_time(row->ringing_ms), "answeredAt",
		api_time(row->answered_ms), "bridgedAt", api_time(row->bridged_ms),
		"endedAt", api_time(row->ended_ms), "durationS",
		number_or_null(row->duration_s, -1), "wasAmbiguous", row->was_ambiguous,
		"answeredBy", api_text(row->answered_by), "direction", row->direction,
		"dispositionId", api_id(row->disposition_id), "disposition",
		api_text(row->disposition));

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}

static bool may_see(const struct api_call *call, const struct db_call *row)
{
	int64_t self = api_agent(call);

	return self == 0 || row->agent_id == self;
}

int call_of_path(struct api_call *call, struct api_reply *reply, struct db_call *ret_row)
{
	int err = db_call_get(call->db, api_param_id(call, 0), ret_row);

	if (err == 0 && !may_see(call, ret_row))
		err = -ENOENT;
	if (err < 0)
		api_fail_db(reply, err, "call", call->db);
	return err;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* A word of the query; NULL when absent. */
static const char *query_text(const struct api_call *call, const char *name)
{
	const char *text = form_get(&call->request->query, name);

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* `open` is every state but ended. */
static int read_state(struct api_call *call, struct db_call_filter *f)
{
	static const char *const states[] = {"claimed", "placing", "ambiguous", "queued",
		"ringing", "answered", "bridged", "ended", NULL};
	static const char *const directions[] = {"outbound", "inbound", NULL};
	static const char *const outcomes[] = {"completed", "busy", "no_answer", "failed",
		"canceled", "abandoned", "machine", "fax", "unknown", NULL};
	const char *state = query_text(call, "state");

	f->outcome = query_text(call, "outcome");
	f->number = query_text(call, "number");
	f->direction = query_text(call, "direction");
	f->open = state != NULL && strcmp(state, "open") == 0;
	f->state = f->open ? NULL : state;
	if ((f->state != NULL && !is_one_of(f->state, states)) ||
		(f->outcome != NULL && !is_one_of(f->outcome, outcomes)) ||
		(f->direction != NULL && !is_one_of(f->direction, directions)))
		return -EINVAL;
	return f->number == NULL || number_valid(f->number) ? 0 : -EINVAL;
}

int call_filter(
	struct api_call *call, struct api_reply *reply, struct db_call_filter *ret_filter)
{
	int64_t self = api_agent(call);
	struct db_call_filter f = {
		.campaign_id = api_query_id(call, "campaignId"),
		.agent_id = api_query_id(call, "agentId"),
		.contact_id = api_query_id(call, "contactId"),
		.disposition_id = api_query_id(call, "dispositionId"),
		.from_ms = api_query_time(call, "from", 0),
		.to_ms = api_query_time(call, "to", 0),
		.before = api_query_int(call, "before", INT64_MAX, 0),
	};

	if (f.campaign_id < 0 || f.agent_id < 0 || f.contact_id < 0 ||
		f.disposition_id < 0 || f.from_ms < 0 || f.to_ms < 0 || f.before < 0 ||
		read_state(call, &f) < 0) {
		api_fail(reply, 422, "VALIDATION",
			"campaignId, agentId, contactId, dispositionId and before must be ids; "
			"number E.164 such as +15551230001 (the + is %%2B in an address); from and "
			"to times such as 2026-01-31T18:30:00Z; state open or a state, outcome an "
			"outcome of calls, direction outbound or inbound.");
		return -EINVAL;
	}
	if (self != 0)
		f.agent_id = self;
	*ret_filter = f;
	return 0;
}

void calls_list(struct api_call *call, struct api_reply *reply)
{
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_call_filter filter;
	struct db_call *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (limit < 1) {
		api_fail(reply, 422, "VALIDATION", "limit must be a number from 1 to %d.",
			PAGE_MAX);
		return;
	}
	if (call_filter(call, reply, &filter) < 0)
		return;
	err = db_call_page(call->db, &filter, (unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "call", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		(void)json_array_append_new(list, call_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "calls", list, "nextCursor", next));
}

static json_t *history_json(struct db *db, int64_t call_id)
{
	struct db_call_event_row *rows = NULL;
	json_t *events;
	size_t count = 0;

	if (db_call_history(db, call_id, &rows, &count) < 0)
		return NULL;
	events = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(events,
			json_pack("{s:s, s:s, s:o, s:o, s:o}", "source", rows[i].source,
				"event", rows[i].event, "sequence",
				rows[i].sequence < 0 ? json_null()
						     : json_integer(rows[i].sequence),
				"at", api_time(rows[i].at_ms), "detail",
				api_text(rows[i].detail)));
	free(rows);
	return events;
}

static json_t *legs_json(struct db *db, int64_t call_id)
{
	struct db_call_leg_row *rows = NULL;
	json_t *legs;
	size_t count = 0;

	if (db_call_legs(db, call_id, &rows, &count) < 0)
		return NULL;
	legs = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(legs,
			json_pack("{s:s, s:o, s:s, s:o, s:o}", "kind", rows[i].kind,
				"twilioCallSid", api_text(rows[i].provider_sid), "label",
				rows[i].label, "joinedAt", api_time(rows[i].joined_ms),
				"leftAt", api_time(rows[i].left_ms)));
	free(rows);
	return legs;
}

void call_get(struct api_call *call, struct api_reply *reply)
{
	json_t *events, *legs, *controls, *said = NULL;
	struct db_call row;

	if (call_of_path(call, reply, &row) < 0)
		return;
	controls = call_controls_json(call->db, row.id);
	events = history_json(call->db, row.id);
	legs = legs_json(call->db, row.id);
	if (events == NULL || legs == NULL || controls == NULL ||
		disposition_of_call(call->db, row.id, &said) < 0) {
		json_decref(events);
		json_decref(legs);
		json_decref(controls);
		api_fail_db(reply, -EIO, "call", call->db);
		return;
	}
	api_ok(reply, 200,
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "call", call_json(&row), "events",
			events, "legs", legs, "controls", controls, "disposition", said));
}

void call_hangup(struct api_call *call, struct api_reply *reply)
{
	struct db_call row;
	int err;

	if (call_of_path(call, reply, &row) < 0)
		return;
	if (strcmp(row.state, "ended") == 0) {
		api_fail(reply, 409, "ENDED", "The call is over already.");
		return;
	}
	err = call_tell(call->gw, call->db, row.id, "hangup", "Ended through the API.");
	if (err < 0)
		api_fail_db(reply, err, "call", call->db);
	else
		api_ok(reply, 202, json_pack("{s:o}", "call", call_json(&row)));
}
