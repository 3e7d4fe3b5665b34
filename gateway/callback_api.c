/* callback_api.c: the routes of callbacks. See callback_api.h. */
#include "gateway/callback_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/contacts.h"
#include "db/dnc.h"
#include "dialer/numbering.h"
#include "dialer/permission.h"
#include "gateway/campaign.h"
#include "gateway/campaign_api.h"
#include "gateway/events.h"
#include "gateway/scope.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define GRACE_MAX_S 604800
#define LATE_MS (5 * 60 * 1000) /* what a form may lie open before it is sent */
#define AHEAD_MS (366LL * 24 * 3600 * 1000)

/* The contact's zone: its own, else its number's when that has only one; "" nobody knows. */
static const char *zone_of(const struct db_callback *b)
{
	struct numbering number;

	if (b->time_zone[0] != '\0')
		return b->time_zone;
	if (numbering_lookup(b->phone, &number) == 0 && number.zone_count == 1)
		return number.zones[0];
	return "";
}

static json_t *callback_json(const struct db_callback *b, const char *local)
{
	json_t *doc = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:s}", "id",
		api_id(b->id), "callbackId", api_id(b->id), "campaignId",
		api_id(b->campaign_id), "agentId", api_id(b->agent_id), "dueAt",
		api_time(b->due_ms), "dueLocal", api_text(local), "state", b->state,
		"graceS", b->grace_s, "note", b->note);
	json_t *more = json_pack(
		"{s:{s:o, s:s, s:s, s:s, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}", "contact",
		"id", api_id(b->contact_id), "firstName", b->first_name, "lastName",
		b->last_name, "phone", b->phone, "timeZone", api_text(zone_of(b)),
		"fromCallId", api_id(b->from_call_id), "doneCallId",
		api_id(b->done_call_id), "queueId", api_id(b->entry_id), "createdBy",
		api_id(b->created_by), "createdAt", api_time(b->created_ms), "updatedAt",
		api_time(b->updated_ms));

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}

/* Each row with the time as the contact's clock shows it. */
static json_t *rows_json(struct db *db, const struct db_callback *rows, size_t count)
{
	struct db_local_time *local = calloc(count + 1, sizeof(*local));
	json_t *list = json_array();

	for (size_t i = 0; local != NULL && i < count; i++)
		local[i] = (struct db_local_time){
			.wall_ms = rows[i].due_ms, .zone = zone_of(&rows[i])};
	if (local != NULL && db_callback_local_times(db, local, count) < 0)
		memset(local, 0, count * sizeof(*local));
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list,
			callback_json(&rows[i], local == NULL ? "" : local[i].text));
	free(local);
	return list;
}

static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_callback row;
	json_t *list, *one;
	int err = db_callback_get(call->db, id, &row);

	if (err < 0) {
		api_fail_db(reply, err, "callback", call->db);
		return;
	}
	list = rows_json(call->db, &row, 1);
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	api_ok(reply, status, json_pack("{s:o}", "callback", one));
}

/*
 * After a change: the runner has another next entry, the console another list, and so has the
 * agent whose it was (0: nobody's).
 */
static void changed(struct api_call *call, int64_t id, int64_t was_agent_id)
{
	struct db_callback row;

	if (db_callback_get(call->db, id, &row) < 0)
		return;
	campaign_changed(call->gw, row.campaign_id);
	events_callback(call->gw, &row, was_agent_id);
}

static bool is_state(const char *word)
{
	return strcmp(word, "pending") == 0 || strcmp(word, "done") == 0 ||
	       strcmp(word, "missed") == 0 || strcmp(word, "cancelled") == 0;
}

/* Filters of the query; agents see what is theirs. -EINVAL: the reply says what is wrong. */
static int read_filter(struct api_call *call, struct api_reply *reply,
	struct db_callback_filter *f, int64_t *ret_limit)
{
	const char *state = form_get(&call->request->query, "state");
	int64_t self = api_agent(call);

	*f = (struct db_callback_filter){
		.campaign_id = api_query_id(call, "campaignId"),
		.agent_id = api_query_id(call, "agentId"),
		.contact_id = api_query_id(call, "contactId"),
		.state = state != NULL && state[0] != '\0' ? state : NULL,
		.from_ms = api_query_time(call, "dueFrom", 0),
		.to_ms = api_query_time(call, "dueTo", 0),
		.after = api_query_int(call, "after", INT64_MAX, 0),
	};
	*ret_limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	if (f->campaign_id < 0 || f->agent_id < 0 || f->contact_id < 0 || f->after < 0 ||
		f->from_ms < 0 || f->to_ms < 0 || *ret_limit < 1 ||
		(f->state != NULL && !is_state(f->state))) {
		api_fail(reply, 422, "VALIDATION",
			"campaignId, agentId, contactId and after must be ids, dueFrom and dueTo "
			"times such as 2026-01-31T18:30:00Z, state pending, done, missed or "
			"cancelled, limit a number from 1 to %d.",
			PAGE_MAX);
		return -EINVAL;
	}
	if (self != 0)
		f->agent_id = self;
	return 0;
}

void callbacks_list(struct api_call *call, struct api_reply *reply)
{
	struct db_callback_filter filter;
	struct db_callback *rows = NULL;
	json_t *next = json_null();
	size_t count = 0;
	int64_t limit;
	int err;

	if (read_filter(call, reply, &filter, &limit) < 0)
		return;
	err = db_callback_page(call->db, &filter, (unsigned)limit, &rows, &count);
	if (err < 0) {
		api_fail_db(reply, err, "callback", call->db);
		return;
	}
	if (count > (size_t)limit) {
		count = (size_t)limit;
		next = api_id(rows[limit - 1].id);
	}
	api_ok(reply, 200,
		json_pack("{s:o, s:o}", "callbacks", rows_json(call->db, rows, count),
			"nextCursor", next));
	free(rows);
}

int callback_check_time(struct api_reply *reply, const char *field, int64_t due_ms)
{
	int64_t now_ms = clock_wall_ms();

	if (due_ms >= now_ms - LATE_MS && due_ms <= now_ms + AHEAD_MS)
		return 0;
	api_fail_field(reply, field,
		"%s must be a time that is still to come, within a year.", field);
	return -EINVAL;
}

int callback_check_owner(
	struct api_call *call, struct api_reply *reply, bool named, int64_t *agent_id)
{
	struct db_agent agent;
	int err = *agent_id == 0 ? 0 : db_agent_get(call->db, *agent_id, &agent);

	if (err == -ENOENT && !named) {
		*agent_id = 0;
		return 0;
	}
	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	return err;
}

/* What a create and a change have in common. */
static int read_body(
	struct api_call *call, struct api_reply *reply, struct db_callback *b)
{
	bool named = json_object_get(call->body, "agentId") != NULL;
	int64_t self = api_agent(call);

	if (json_is_null(json_object_get(call->body, "agentId")))
		b->agent_id = 0;
	if (api_body_time(call, reply, "dueAt", &b->due_ms) < 0 ||
		api_body_id(call, reply, "agentId", false, &b->agent_id) < 0 ||
		api_body_int(call, reply, "graceS", 0, GRACE_MAX_S, &b->grace_s) < 0 ||
		api_body_text(call, reply, "note", false, b->note, sizeof(b->note)) < 0 ||
		callback_check_time(reply, "dueAt", b->due_ms) < 0)
		return -EINVAL;
	if (self != 0 && b->agent_id != 0 && b->agent_id != self) {
		api_fail(reply, 403, "FORBIDDEN",
			"An agent may keep a callback for itself or leave it to anybody.");
		return -EACCES;
	}
	return callback_check_owner(call, reply, named, &b->agent_id);
}

/* Where nobody is dialled any more no promise is kept. */
static int check_campaign(
	struct api_call *call, struct api_reply *reply, int64_t campaign_id)
{
	return campaign_goes_on(call, reply, campaign_id, "campaign or contact",
		"Nothing was promised. Put the contact on a list of another campaign first.");
}

/* Why the contact must not be called: the sentence of the rule. */
static void fail_dnc(
	struct api_call *call, struct api_reply *reply, const struct db_callback *b)
{
	struct db_contact_full contact;
	struct dial_verdict verdict;
	struct db_dnc dnc;
	int err = db_contact_get(call->db, b->contact_id, &contact);

	if (err == 0)
		err = db_dnc_check(call->db, contact.is.phone, b->campaign_id, &dnc);
	if (err < 0) {
		api_fail_db(reply, err, "contact", call->db);
		return;
	}
	verdict = may_dial(
		&(struct dial_facts){
			.number = contact.is.phone,
			.dnc = dnc.campaign_id == 0 ? DIAL_DNC_ALL : DIAL_DNC_CAMPAIGN,
		},
		&(struct dial_rules){.max_attempts = 1}, DIAL_MANUAL, clock_wall_ms());
	api_fail(reply, 422, "NOT_PERMITTED", "This call cannot be promised. %s",
		verdict.reason);
	reply->details = json_pack("{s:s}", "rule", verdict.rule);
}

void callback_create(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {
		"campaignId", "contactId", "dueAt", "agentId", "graceS", "note", NULL};
	struct db_callback b = {.grace_s = CALLBACK_GRACE_S,
		.agent_id = api_agent(call),
		.created_by = call->user.id};
	int64_t id;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "campaignId", true, &b.campaign_id) < 0 ||
		api_body_id(call, reply, "contactId", true, &b.contact_id) < 0 ||
		scope_campaign(call, b.campaign_id, reply) < 0 ||
		read_body(call, reply, &b) < 0 ||
		check_campaign(call, reply, b.campaign_id) < 0)
		return;
	err = db_callback_create(call->db, &b, &id);
	if (err == -EEXIST) {
		api_fail(reply, 409, "EXISTS",
			"This contact has an open callback in this campaign. Change that one.");
		return;
	}
	if (err == -EPERM) {
		fail_dnc(call, reply, &b);
		return;
	}
	if (err < 0) {
		api_fail_db(reply, err, "campaign or contact", call->db);
		return;
	}
	changed(call, id, 0);
	answer(call, reply, 201, id);
}

/* The callback of the path; agents find their own, and in their campaigns those of anybody. */
static int path_callback(
	struct api_call *call, struct api_reply *reply, struct db_callback *ret_row)
{
	int64_t self = api_agent(call);
	int err = db_callback_get(call->db, api_param_id(call, 0), ret_row);

	if (err == 0 && self != 0 && ret_row->agent_id != self &&
		(ret_row->agent_id != 0 ||
			!scope_sees_campaign(call, ret_row->campaign_id)))
		err = -ENOENT;
	if (err < 0)
		api_fail_db(reply, err, "callback", call->db);
	return err;
}

void callback_get(struct api_call *call, struct api_reply *reply)
{
	struct db_callback row;

	if (path_callback(call, reply, &row) == 0)
		answer(call, reply, 200, row.id);
}

static void fail_over(struct api_call *call, struct api_reply *reply, int err)
{
	if (err == -EINVAL)
		api_fail(reply, 409, "OVER",
			"The callback is done or cancelled. Make a new one.");
	else
		api_fail_db(reply, err, "callback", call->db);
}

void callback_update(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"dueAt", "agentId", "graceS", "note", NULL};
	struct db_callback row;
	int64_t was_agent_id;
	int err;

	if (path_callback(call, reply, &row) < 0 ||
		api_body_only(call, reply, fields) < 0)
		return;
	was_agent_id = row.agent_id;
	if (json_object_get(call->body, "dueAt") == NULL)
		row.due_ms = row.due_ms < clock_wall_ms() ? clock_wall_ms() : row.due_ms;
	if (read_body(call, reply, &row) < 0 ||
		check_campaign(call, reply, row.campaign_id) < 0)
		return;
	err = db_callback_update(call->db, &row);
	if (err < 0) {
		fail_over(call, reply, err);
		return;
	}
	changed(call, row.id, was_agent_id);
	answer(call, reply, 200, row.id);
}

void callback_cancel(struct api_call *call, struct api_reply *reply)
{
	struct db_callback row;
	int err;

	if (path_callback(call, reply, &row) < 0)
		return;
	err = db_callback_cancel(call->db, row.id);
	if (err < 0) {
		fail_over(call, reply, err);
		return;
	}
	changed(call, row.id, row.agent_id);
	answer(call, reply, 200, row.id);
}
