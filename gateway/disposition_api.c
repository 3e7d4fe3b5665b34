/* disposition_api.c: the routes of dispositions. See disposition_api.h. */
#include "gateway/disposition_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/campaigns.h"
#include "db/dispositions.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/call_api.h"
#include "gateway/callback_api.h"
#include "gateway/campaign.h"
#include "gateway/events.h"
#include "gateway/scope.h"

#define RETRY_MAX_S 31536000

/* ---- definitions ---- */

static json_t *disposition_json(const struct db_disposition *s)
{
	json_t *campaigns = json_array();

	for (size_t i = 0; i < s->campaign_count; i++)
		(void)json_array_append_new(campaigns, api_id(s->campaigns[i]));
	return json_pack(
		"{s:o, s:o, s:s, s:s, s:i, s:b, s:o, s:{s:o, s:b, s:b, s:b, s:b}}", "id",
		api_id(s->id), "dispositionId", api_id(s->id), "name", s->name,
		"category", s->category, "position", s->position, "active", s->active,
		"campaignIds", campaigns, "rules", "retry",
		s->retry_after_s < 0 ? json_null()
				     : json_pack("{s:i}", "afterS", s->retry_after_s),
		"callbackRequired", s->callback_required, "dnc", s->dnc, "final",
		s->final, "notesRequired", s->notes_required);
}

void dispositions_list(struct api_call *call, struct api_reply *reply)
{
	int64_t campaign = api_query_id(call, "campaignId");
	struct db_disposition *rows = NULL;
	struct db_campaign of;
	json_t *list = json_array();
	size_t count = 0;
	int err = -EINVAL;

	if (campaign > 0 && scope_campaign(call, campaign, reply) < 0) {
		json_decref(list);
		return;
	}
	if (campaign > 0)
		err = db_campaign_get(call->db, campaign, &of);
	if (campaign == 0 || err == 0)
		err = db_disposition_list(
			call->db, campaign, api_agent(call), &rows, &count);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, disposition_json(&rows[i]));
	free(rows);
	if (campaign < 0)
		api_fail(reply, 422, "VALIDATION", "campaignId must be an id.");
	else if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	if (err < 0)
		json_decref(list);
	else
		api_ok(reply, 200, json_pack("{s:o}", "dispositions", list));
}

static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_disposition row;
	int err = db_disposition_get(call->db, id, &row);

	if (err < 0)
		api_fail_db(reply, err, "disposition", call->db);
	else
		api_ok(reply, status,
			json_pack("{s:o}", "disposition", disposition_json(&row)));
}

/* {"afterS": 3600}, or null for none. */
static int read_retry(
	struct api_call *rules, struct api_reply *reply, struct db_disposition *s)
{
	static const char *const fields[] = {"afterS", NULL};
	json_t *retry = json_object_get(rules->body, "retry");
	struct api_call inner = *rules;
	int after_s = -1;

	if (retry == NULL)
		return 0;
	if (json_is_null(retry)) {
		s->retry_after_s = -1;
		return 0;
	}
	inner.body = retry;
	if (!json_is_object(retry) || json_object_get(retry, "afterS") == NULL) {
		api_fail_field(reply, "retry",
			"retry must be null, or say after how many seconds: {\"afterS\": 3600}.");
		return -EINVAL;
	}
	if (api_body_only(&inner, reply, fields) < 0 ||
		api_body_int(&inner, reply, "afterS", 0, RETRY_MAX_S, &after_s) < 0)
		return -EINVAL;
	s->retry_after_s = after_s;
	return 0;
}

static int read_rules(
	struct api_call *call, struct api_reply *reply, struct db_disposition *s)
{
	static const char *const fields[] = {
		"retry", "callbackRequired", "dnc", "final", "notesRequired", NULL};
	json_t *rules = json_object_get(call->body, "rules");
	struct api_call inner = *call;

	if (rules == NULL)
		return 0;
	if (!json_is_object(rules)) {
		api_fail_field(reply, "rules", "rules must be an object.");
		return -EINVAL;
	}
	inner.body = rules;
	if (api_body_only(&inner, reply, fields) < 0 ||
		read_retry(&inner, reply, s) < 0 ||
		api_body_bool(&inner, reply, "callbackRequired", &s->callback_required) <
			0 ||
		api_body_bool(&inner, reply, "dnc", &s->dnc) < 0 ||
		api_body_bool(&inner, reply, "final", &s->final) < 0 ||
		api_body_bool(&inner, reply, "notesRequired", &s->notes_required) < 0)
		return -EINVAL;
	if ((s->retry_after_s >= 0) + s->callback_required + (s->dnc || s->final) > 1) {
		api_fail_field(reply, "rules",
			"retry, callbackRequired, and dnc or final contradict each other: choose "
			"one.");
		return -EINVAL;
	}
	return 0;
}

static int read_campaigns(
	struct api_call *call, struct api_reply *reply, struct db_disposition *s)
{
	json_t *ids = json_object_get(call->body, "campaignIds"), *one;
	struct api_call inner = *call;
	size_t i;
	int err = 0;

	if (ids == NULL)
		return 0;
	if (!json_is_array(ids) || json_array_size(ids) > DB_DISPOSITION_CAMPAIGNS) {
		api_fail_field(reply, "campaignIds",
			"campaignIds must be a list of at most %d ids; an empty one is for all "
			"campaigns.",
			DB_DISPOSITION_CAMPAIGNS);
		return -EINVAL;
	}
	s->campaign_count = 0;
	json_array_foreach(ids, i, one)
	{
		inner.body = json_pack("{s:O}", "campaignIds", one);
		if (err == 0)
			err = api_body_id(&inner, reply, "campaignIds", true,
				&s->campaigns[s->campaign_count++]);
		json_decref(inner.body);
	}
	return err;
}

static bool is_category(const char *word)
{
	return strcmp(word, "positive") == 0 || strcmp(word, "neutral") == 0 ||
	       strcmp(word, "negative") == 0;
}

static int read_disposition(struct api_call *call, struct api_reply *reply, bool is_new,
	struct db_disposition *s)
{
	static const char *const fields[] = {
		"name", "category", "position", "active", "rules", "campaignIds", NULL};

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "name", is_new, s->name, sizeof(s->name)) <
			0 ||
		api_body_text(call, reply, "category", false, s->category,
			sizeof(s->category)) < 0 ||
		api_body_int(call, reply, "position", 0, 10000, &s->position) < 0 ||
		api_body_bool(call, reply, "active", &s->active) < 0 ||
		read_rules(call, reply, s) < 0 || read_campaigns(call, reply, s) < 0)
		return -EINVAL;
	if (text_blank(s->name) || !is_category(s->category)) {
		api_fail_field(reply, text_blank(s->name) ? "name" : "category",
			"name must not be empty; category is positive, neutral or negative.");
		return -EINVAL;
	}
	return 0;
}

static void save(struct api_call *call, struct api_reply *reply, int status,
	const struct db_disposition *s)
{
	int64_t id = 0;
	int err = db_disposition_save(call->db, s, &id);

	if (err == -ENOENT)
		api_fail_db(reply, err, "disposition or campaign", call->db);
	else if (err < 0)
		api_fail_db(reply, err, "disposition", call->db);
	else
		answer(call, reply, status, id);
}

void disposition_create(struct api_call *call, struct api_reply *reply)
{
	struct db_disposition s = {.category = "neutral",
		.position = 100,
		.active = true,
		.retry_after_s = -1};

	if (read_disposition(call, reply, true, &s) == 0)
		save(call, reply, 201, &s);
}

void disposition_update(struct api_call *call, struct api_reply *reply)
{
	struct db_disposition s;
	int err = db_disposition_get(call->db, api_param_id(call, 0), &s);

	if (err < 0)
		api_fail_db(reply, err, "disposition", call->db);
	else if (read_disposition(call, reply, false, &s) == 0)
		save(call, reply, 200, &s);
}

void disposition_delete(struct api_call *call, struct api_reply *reply)
{
	bool kept = false;
	int err = db_disposition_remove(call->db, api_param_id(call, 0), &kept);

	if (err < 0)
		api_fail_db(reply, err, "disposition", call->db);
	else
		api_ok(reply, 200,
			json_pack("{s:o, s:b, s:s}", "dispositionId",
				api_id(api_param_id(call, 0)), "kept", kept, "message",
				kept ? "Calls have it: it stays with them and cannot be chosen "
				       "any more."
				     : "The disposition was removed."));
}

/* ---- what a call was ---- */

int disposition_of_call(struct db *db, int64_t call_id, json_t **ret_doc)
{
	struct db_call_disposition d;
	int err = db_call_disposition_get(db, call_id, &d);

	if (err == -ENOENT) {
		*ret_doc = json_null();
		return 0;
	}
	if (err < 0)
		return err;
	*ret_doc = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "dispositionId",
		api_id(d.disposition_id), "name", d.name, "notes", d.notes, "by",
		api_id(d.user_id), "at", api_time(d.at_ms), "callbackId",
		api_id(d.callback_id), "applied", d.applied);
	return 0;
}

static void refuse(struct api_reply *reply, enum db_dispose_result result)
{
	static const struct {
		int status;
		const char *code, *message;
	} texts[] = {
		[DB_DISPOSE_OTHER] = {409, "DISPOSED",
			"The call has another disposition already. A supervisor can change it."},
		[DB_DISPOSE_TOO_EARLY] = {409, "NOT_ANSWERED",
			"The call has not been answered yet. Say what it was when it has."},
		[DB_DISPOSE_NOT_HERE] = {422, "NOT_AVAILABLE",
			"This disposition cannot be chosen in the call's campaign. Take one of "
			"GET /api/dispositions?campaignId=."},
		[DB_DISPOSE_NO_NOTES] = {422, "NOTES_REQUIRED",
			"This disposition needs notes. Send them along."},
		[DB_DISPOSE_NO_TIME] = {422, "CALLBACK_REQUIRED",
			"This disposition needs callbackAt: when to call back."},
		[DB_DISPOSE_NO_CONTACT] = {422, "NO_CONTACT",
			"The call's contact was removed: there is nobody to call back."},
	};

	api_fail(reply, texts[result].status, texts[result].code, "%s",
		texts[result].message);
}

static int read_dispose(struct api_call *call, struct api_reply *reply,
	const struct db_call *row, struct db_dispose *d, char notes[DB_NOTES_SIZE])
{
	static const char *const fields[] = {"dispositionId", "notes", "callbackAt",
		"callbackAgentId", "callbackGraceS", "endWrapUp", NULL};
	bool named = json_object_get(call->body, "callbackAgentId") != NULL;
	int64_t self = api_agent(call);

	*d = (struct db_dispose){.call_id = row->id,
		.user_id = call->user.id,
		.staff = self == 0,
		.notes = notes,
		.callback_agent = row->agent_id,
		.callback_grace_s = CALLBACK_GRACE_S};
	notes[0] = '\0';
	if (json_is_null(json_object_get(call->body, "callbackAgentId")))
		d->callback_agent = 0;
	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "dispositionId", true, &d->disposition_id) < 0 ||
		api_body_text(call, reply, "notes", false, notes, DB_NOTES_SIZE) < 0 ||
		api_body_time(call, reply, "callbackAt", &d->callback_ms) < 0 ||
		api_body_id(call, reply, "callbackAgentId", false, &d->callback_agent) <
			0 ||
		api_body_int(call, reply, "callbackGraceS", 0, 604800,
			&d->callback_grace_s) < 0 ||
		api_body_bool(call, reply, "endWrapUp", &d->end_wrap_up) < 0)
		return -EINVAL;
	if (d->callback_ms != 0 &&
		callback_check_time(reply, "callbackAt", d->callback_ms) < 0)
		return -EINVAL;
	if (self != 0 && d->callback_agent != 0 && d->callback_agent != self) {
		api_fail(reply, 403, "FORBIDDEN",
			"An agent may keep a callback for itself or leave it to anybody.");
		return -EACCES;
	}
	if (!named && d->callback_ms == 0)
		return 0;
	return callback_check_owner(call, reply, named, &d->callback_agent);
}

/* Whoever follows the call, the agent and the campaign hears of it. */
static void tell(
	struct api_call *call, const struct db_call *row, bool is_new, int64_t session_id)
{
	struct db_agent_session session;
	struct db_call_disposition said;

	if (is_new && db_call_disposition_get(call->db, row->id, &said) == 0)
		events_disposition(call->gw, row, &said);
	if (session_id != 0 && db_agent_session_get(call->db, session_id, &session) == 0)
		agent_changed(call->gw, &session);
	if (is_new || session_id != 0)
		campaign_changed(call->gw, row->campaign_id);
}

void call_dispose(struct api_call *call, struct api_reply *reply)
{
	enum db_dispose_result result;
	char notes[DB_NOTES_SIZE];
	int64_t session_id = 0;
	struct db_dispose d;
	struct db_call row;
	json_t *said = NULL;
	int err;

	if (call_of_path(call, reply, &row) < 0 ||
		read_dispose(call, reply, &row, &d, notes) < 0)
		return;
	err = db_call_dispose(call->db, &d, &result, &session_id);
	if (err == 0 && result != DB_DISPOSE_DONE && result != DB_DISPOSE_SAME) {
		refuse(reply, result);
		return;
	}
	if (err == 0)
		tell(call, &row, result == DB_DISPOSE_DONE, session_id);
	if (err == 0)
		err = disposition_of_call(call->db, row.id, &said);
	if (err < 0)
		api_fail_db(reply, err, "call or disposition", call->db);
	else
		api_ok(reply, 200,
			json_pack("{s:o, s:o}", "callId", api_id(row.id), "disposition",
				said));
}
