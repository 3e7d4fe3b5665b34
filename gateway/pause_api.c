/* pause_api.c: pauses and the history of agents' states. See pause_api.h. */
#include "gateway/pause_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/pauses.h"
#include "gateway/agent_api.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX 1000

void pause_reasons_list(struct api_call *call, struct api_reply *reply)
{
	struct db_pause_reason *rows = NULL;
	json_t *list = json_array();
	size_t count = 0;
	int err = db_pause_reasons(call->db, &rows, &count);

	if (err < 0) {
		json_decref(list);
		api_fail_db(reply, err, "pause reason", call->db);
		return;
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "type", rows[i].type, "reason",
				      rows[i].reason));
	free(rows);
	api_ok(reply, 200, json_pack("{s:o}", "reasons", list));
}

/* Whole seconds of an interval; one that goes on is counted until now. */
static json_int_t seconds(int64_t from_ms, int64_t to_ms)
{
	return ((to_ms == 0 ? clock_wall_ms() : to_ms) - from_ms) / 1000;
}

/* The agent of the path and the page that is asked for; false: replied. */
static bool read_history(
	struct api_call *call, struct api_reply *reply, struct db_history *ret_history)
{
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);

	ret_history->before = api_query_int(call, "before", INT64_MAX, 0);
	ret_history->user_id = agent_of_path(call, reply);
	if (ret_history->user_id == 0)
		return false;
	if (limit < 1 || ret_history->before < 0) {
		api_fail(reply, 422, "VALIDATION",
			"before must be an id, limit a number from 1 to %d.", PAGE_MAX);
		return false;
	}
	ret_history->limit = (unsigned)limit;
	return true;
}

static json_t *pause_json(const struct db_pause *p)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:I}", "id",
		api_id(p->id), "sessionId", api_id(p->session_id), "campaignId",
		api_id(p->campaign_id), "type", p->type, "reason", p->reason, "comment",
		p->comment, "startedAt", api_time(p->started_ms), "endedAt",
		api_time(p->ended_ms), "seconds", seconds(p->started_ms, p->ended_ms));
}

void agent_pauses_list(struct api_call *call, struct api_reply *reply)
{
	struct db_history history = {.limit = 0};
	struct db_pause *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (!read_history(call, reply, &history))
		return;
	err = db_pause_page(call->db, &history, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "pause", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < history.limit; i++)
		(void)json_array_append_new(list, pause_json(&rows[i]));
	if (count > history.limit)
		next = api_id(rows[history.limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "pauses", list, "nextCursor", next));
}

static json_t *state_json(const struct db_agent_state *s)
{
	bool over = strcmp(s->state, "offline") == 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:I}", "id",
		api_id(s->id), "sessionId", api_id(s->session_id), "campaignId",
		api_id(s->campaign_id), "callId", api_id(s->call_id), "state", s->state,
		"reason", s->reason, "from", api_time(s->at_ms), "until",
		api_time(s->until_ms), "seconds",
		over ? (json_int_t)0 : seconds(s->at_ms, s->until_ms));
}

void agent_states_list(struct api_call *call, struct api_reply *reply)
{
	struct db_history history = {.limit = 0};
	struct db_agent_state *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	if (!read_history(call, reply, &history))
		return;
	err = db_agent_state_page(call->db, &history, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "state", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < history.limit; i++)
		(void)json_array_append_new(list, state_json(&rows[i]));
	if (count > history.limit)
		next = api_id(rows[history.limit - 1].id);
	free(rows);
	api_ok(reply, 200, json_pack("{s:o, s:o}", "states", list, "nextCursor", next));
}
