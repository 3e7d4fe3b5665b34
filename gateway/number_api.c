/* number_api.c: the routes of the account's numbers. See number_api.h. */
#include "gateway/number_api.h"

#include <stdlib.h>
#include <string.h>

#include "db/numbers.h"
#include "gateway/numbers.h"

static json_t *number_json(const struct db_number *n)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I}", "phoneNumber", n->number,
		"sid", n->sid, "kind", n->kind, "friendlyName", n->friendly_name,
		"seenAt", api_time(n->seen_ms), "campaigns", (json_int_t)n->campaigns);
}

static void answer(struct db *db, struct api_reply *reply)
{
	struct db_number *rows = NULL;
	struct db_number_state state;
	json_t *list;
	size_t count = 0;
	int err = db_numbers_list(db, &rows, &count);

	if (err == 0)
		err = db_numbers_state(db, &state);
	if (err < 0) {
		free(rows);
		api_fail_db(reply, err, "number", db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, number_json(&rows[i]));
	free(rows);
	api_ok(reply, 200,
		json_pack("{s:o, s:o, s:o, s:o}", "numbers", list, "syncedAt",
			api_time(state.synced_ms), "triedAt", api_time(state.tried_ms),
			"error", api_text(state.error)));
}

void numbers_list(struct api_call *call, struct api_reply *reply)
{
	answer(call->db, reply);
}

void numbers_sync_now(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {NULL};

	if (api_body_only(call, reply, fields) < 0)
		return;
	reply->deferred = true;
	numbers_sync(call->gw, call->request->id);
}

void number_api_answer(
	struct gateway *gw, struct db *db, uint64_t request_id, const char *error)
{
	struct api_reply reply = {.status = 0};

	if (error[0] != '\0')
		api_fail(&reply, 502, "TWILIO_REFUSED",
			"Twilio's list of numbers could not be read: %s What was known stays.",
			error);
	else
		answer(db, &reply);
	api_send(gw, request_id, &reply);
}

void number_api_busy(struct gateway *gw, uint64_t request_id)
{
	struct api_reply reply = {.retry_after_s = 5};

	api_fail(&reply, 503, "BUSY", "Others ask for the same just now. Try again.");
	api_send(gw, request_id, &reply);
}
