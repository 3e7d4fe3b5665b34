/* call_api.c: the routes of calls. See call_api.h. */
#include "gateway/call_api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/call.h"

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
		"{s:o, s:o, s:o, s:{s:s, s:i}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
		"outcome", api_text(row->outcome), "errorCode",
		number_or_null(row->error_code, 0), "errorText",
		api_text(row->error_text), "verdict", "rule", row->verdict_rule,
		"version", row->verdict_version, "twilioCallSid",
		api_text(row->provider_sid), "placedAt", api_time(row->placed_ms),
		"ringingAt", api_time(row->ringing_ms), "answeredAt",
		api_time(row->answered_ms), "bridgedAt", api_time(row->bridged_ms),
		"endedAt", api_time(row->ended_ms), "durationS",
		number_or_null(row->duration_s, -1), "wasAmbiguous", row->was_ambiguous);

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}

static bool may_see(const struct api_call *call, const struct db_call *row)
{
	return strcmp(call->user.role, "agent") != 0 || row->agent_id == call->user.id;
}

/* The call of the path, when the caller may see it. */
static int path_call(
	struct api_call *call, struct api_reply *reply, struct db_call *ret_row)
{
	int err = db_call_get(call->db, api_param_id(call, 0), ret_row);

	if (err == 0 && !may_see(call, ret_row))
		err = -ENOENT;
	if (err < 0)
		api_fail_db(reply, err, "call", call->db);
	return err;
}

void calls_list(struct api_call *call, struct api_reply *reply)
{
	int64_t campaign = api_query_int(call, "campaignId", INT64_MAX, 0);
	int64_t before = api_query_int(call, "before", INT64_MAX, 0);
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	struct db_call *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (campaign < 0 || before < 0 || limit < 1) {
		api_fail(reply, 422, "VALIDATION",
			"campaignId and before must be ids, limit a number from 1 to %d.",
			PAGE_MAX);
		return;
	}
	err = db_call_page(call->db, campaign, before, (unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "call", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < (size_t)limit; i++)
		if (may_see(call, &rows[i]))
			(void)json_array_append_new(list, call_json(&rows[i]));
	if (count > (size_t)limit)
		next = api_id(rows[limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "calls", list, "nextCursor", next));
}

void call_get(struct api_call *call, struct api_reply *reply)
{
	struct db_call_event_row *rows = NULL;
	struct db_call row;
	json_t *events;
	size_t count = 0;
	int err;

	if (path_call(call, reply, &row) < 0)
		return;
	err = db_call_history(call->db, row.id, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "call", call->db);
		return;
	}
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
	api_ok(reply, 200,
		json_pack("{s:o, s:o}", "call", call_json(&row), "events", events));
}

void call_hangup(struct api_call *call, struct api_reply *reply)
{
	struct db_call row;
	char self[24];
	int err;

	if (path_call(call, reply, &row) < 0)
		return;
	if (strcmp(row.state, "ended") == 0) {
		api_fail(reply, 409, "ENDED", "The call is over already.");
		return;
	}
	(void)snprintf(self, sizeof(self), "%" PRId64, row.id);
	err = calls_apply(call->gw, call->db,
		&(struct db_call_event){
			.call_id = row.id,
			.source = "gateway",
			.source_sid = self,
			.sequence = -1,
			.event = "hangup",
			.at_ms = clock_wall_ms(),
			.duration_s = -1,
			.detail = "Ended through the API.",
		},
		1);
	if (err < 0)
		api_fail_db(reply, err, "call", call->db);
	else
		api_ok(reply, 202, json_pack("{s:o}", "call", call_json(&row)));
}
