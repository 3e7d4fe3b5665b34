/* twilio_api.c: see twilio_api.h. */
#include "gateway/twilio_api.h"

#include <stdlib.h>

#include "base/log.h"
#include "db/rate_state.h"
#include "db/stops.h"
#include "gateway/recheck.h"

static json_t *stop_json(const struct db_stop *s)
{
	return json_pack("{s:o, s:s, s:o, s:s, s:i, s:s, s:o, s:o, s:i, s:o, s:o, s:o}",
		"id", api_id(s->id), "scope", s->scope, "key", api_text(s->key), "kind",
		s->kind, "code", s->code, "reason", s->reason, "detail",
		api_text(s->detail), "callId", api_id(s->call_id), "times", s->times,
		"since", api_time(s->since_ms), "lastAt", api_time(s->last_ms),
		"nextProbeAt", api_time(s->probe_ms));
}

static json_t *error_json(const struct db_health *health)
{
	if (health->error_ms == 0)
		return json_null();
	return json_pack("{s:i, s:s, s:o}", "code", health->error_code, "message",
		health->error_text, "at", api_time(health->error_ms));
}

void twilio_status(struct api_call *call, struct api_reply *reply)
{
	struct db_health health;
	struct db_stop *stops = NULL;
	size_t count = 0;
	struct db_rate rate;
	json_t *list;
	int err;

	err = db_health_get(call->db, call->gw->node, &health);
	if (err == 0)
		err = db_rate_get(call->db, &rate);
	if (err == 0)
		err = db_stop_list(call->db, &stops, &count);
	if (err < 0) {
		api_fail_db(reply, err, "status", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, stop_json(&stops[i]));
	free(stops);
	api_ok(reply, 200,
		json_pack("{s:o, s:o, s:o, s:o, s:{s:f, s:f}}", "reachable",
			health.known ? json_boolean(health.reachable) : json_null(),
			"lastAnswerAt", api_time(health.answered_ms), "lastError",
			error_json(&health), "stops", list, "callsPerSecond", "now",
			rate.per_second, "most", rate.most_per_second));
}

void twilio_resume(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"id", NULL};
	int64_t id = 0, ended = 0;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "id", false, &id) < 0)
		return;
	err = db_stop_end(call->db, id, call->user.username, &ended);
	if (err < 0) {
		api_fail_db(reply, err, "stop", call->db);
		return;
	}
	if (id != 0 && ended == 0) {
		api_fail(reply, 404, "NOT_FOUND",
			"There is no such stop, or it has ended. Nothing was changed.");
		return;
	}
	if (ended > 0) {
		log_info("twilio", 0, "%lld stops ended by %s", (long long)ended,
			call->user.username);
		recheck_soon(call->gw);
	}
	api_ok(reply, 200, json_pack("{s:I}", "resumed", (json_int_t)ended));
}
