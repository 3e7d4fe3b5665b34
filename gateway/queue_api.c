/* queue_api.c: the queue's routes, and Call Now. See queue_api.h. */
#include "gateway/queue_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "db/calls.h"
#include "db/campaigns.h"
#include "db/sessions.h"
#include "db/users.h"
#include "gateway/call.h"
#include "gateway/call_api.h"
#include "gateway/drain.h"
#include "gateway/late_answer.h"
#include "gateway/metrics.h"
#include "gateway/queue_json.h"
#include "gateway/reason.h"
#include "gateway/verdict.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 500
#define PLACING_MS 20000

static json_t *stats_json(const struct db_queue_stats *s)
{
	return json_pack("{s:I, s:{s:I, s:I, s:I, s:I}}", "total", (json_int_t)s->total,
		"statusBreakdown", "pending", (json_int_t)s->pending, "dialing",
		(json_int_t)s->dialing, "completed", (json_int_t)s->completed, "skipped",
		(json_int_t)s->skipped);
}

static bool is_state(const char *word)
{
	return strcmp(word, "pending") == 0 || strcmp(word, "dialing") == 0 ||
	       strcmp(word, "completed") == 0 || strcmp(word, "skipped") == 0;
}

static void answer_page(struct api_call *call, struct api_reply *reply,
	const struct db_campaign *campaign, const struct db_queue_query *query)
{
	struct db_queue_stats stats;
	struct db_entry *rows = NULL;
	json_t *list, *next = json_null();
	size_t count = 0;
	int err;

	err = db_queue_page(call->db, query, &rows, &count);
	if (err == 0)
		err = db_queue_stats(call->db, campaign->id, &stats);
	if (err < 0) {
		free(rows);
		json_decref(next);
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count && i < query->limit; i++)
		(void)json_array_append_new(list, queue_entry_json(campaign, &rows[i]));
	if (count > query->limit)
		next = api_id(rows[query->limit - 1].id);
	free(rows);
	api_ok(reply, 200,
		json_pack("{s:{s:o, s:s}, s:o, s:o, s:o}", "campaign", "id",
			api_id(campaign->id), "name", campaign->name, "queueEntries",
			list, "stats", stats_json(&stats), "nextCursor", next));
}

static const char *text_or_null(const struct api_call *call, const char *name)
{
	const char *text = form_get(&call->request->query, name);

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* What entries that are due wait for is the campaign's reason, and theirs is empty. */
static int read_query(struct api_call *call, const struct db_campaign *campaign,
	struct db_queue_query *query)
{
	const char *due = text_or_null(call, "due");
	int64_t limit = api_query_int(call, "limit", PAGE_MAX, PAGE_DEFAULT);
	int64_t priority = api_query_int(call, "priority", 9, 0);
	bool any_priority = text_or_null(call, "priority") == NULL;

	*query = (struct db_queue_query){
		.campaign_id = campaign->id,
		.after = api_query_int(call, "after", INT64_MAX, 0),
		.limit = (unsigned)limit,
		.state = text_or_null(call, "status"),
		.reason = text_or_null(call, "reason"),
		.list_id = api_query_id(call, "listId"),
		.priority = (int)priority,
		.due = due != NULL && strcmp(due, "true") == 0,
		.search = text_or_null(call, "search"),
	};
	if (query->reason != NULL &&
		strcmp(query->reason, reason_of_campaign(campaign)) == 0)
		query->reason = "";
	if (query->after < 0 || limit < 1 || query->list_id < 0 ||
		priority < (any_priority ? 0 : 1) ||
		(query->state != NULL && !is_state(query->state)) ||
		(due != NULL && !query->due && strcmp(due, "false") != 0))
		return -EINVAL;
	return 0;
}

void queue_list(struct api_call *call, struct api_reply *reply)
{
	struct db_queue_query query;
	struct db_campaign campaign;
	int err = db_campaign_get(call->db, api_param_id(call, 0), &campaign);

	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else if (read_query(call, &campaign, &query) < 0)
		api_fail(reply, 422, "VALIDATION",
			"status must be pending, dialing, completed or skipped, after and listId "
			"an id, priority a number from 1 to 9, due true or false, limit a number "
			"from 1 to %d.",
			PAGE_MAX);
	else
		answer_page(call, reply, &campaign, &query);
}

/* ---- Call Now ---- */

/* Whose call will it be? The agent named in the body, the caller itself, or 0: any. */
static int choose_session(
	struct api_call *call, struct api_reply *reply, int64_t *ret_session_id)
{
	static const char *const fields[] = {"agentId", "agentNumber", NULL};
	bool is_agent = strcmp(call->user.role, "agent") == 0;
	struct db_agent_session session;
	int64_t agent = is_agent ? call->user.id : 0;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "agentId", false, &agent) < 0)
		return -EINVAL;
	if (json_object_get(call->body, "agentNumber") != NULL) {
		api_fail_field(reply, "agentNumber",
			"Agents are reached on their registered phone; leave agentNumber out.");
		return -EINVAL;
	}
	if (is_agent && agent != call->user.id) {
		api_fail(reply, 403, "FORBIDDEN", "An agent may only call for itself.");
		return -EACCES;
	}
	*ret_session_id = 0;
	if (agent == 0)
		return 0;
	err = db_agent_session_of_user(call->db, agent, &session);
	if (err == -ENOENT)
		api_fail(reply, 409, "SIGNED_OUT",
			"The agent is not signed in. Sign in and have the phone connected first.");
	else if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		*ret_session_id = session.id;
	return err;
}

/* Why there is no call. `named`: one agent was wanted, not any. */
void queue_api_refuse(
	struct api_reply *reply, const struct db_claimed *claimed, bool named)
{
	switch (claimed->result) {
	case DB_CLAIM_NO_AGENT:
		api_fail(reply, 409, "NO_AGENT",
			named ? "The agent cannot be called just now. Wait until its phone and its "
				"Twilio leg are connected, and call again."
			      : "No agent of this campaign is ready and can be reached. Wait until "
				"one is, or name one in agentId: who has paused is called only by "
				"name.");
		break;
	case DB_CLAIM_REFUSED:
		api_fail(reply, 422, "NOT_PERMITTED", "This call is not permitted. %s",
			claimed->reason[0] != '\0' ? claimed->reason : claimed->rule);
		reply->details = json_pack("{s:s}", "rule", claimed->rule);
		break;
	case DB_CLAIM_HELD:
		api_fail(reply, 503, "TWILIO_STOPPED", "Nothing is dialled now: %s",
			claimed->reason);
		break;
	case DB_CLAIM_RATE:
		api_fail(reply, 503, "CALL_RATE",
			"Twilio's calls per second are used up. Try again in a moment.");
		reply->retry_after_s = 1 + (int)(claimed->wait_ms / 1000);
		break;
	default:
		api_fail(reply, 409, "CAMPAIGN_STOPPED",
			"The campaign is completed. Choose one that is not.");
		break;
	}
}

/* Whether the agent is signed in for other campaigns than this. */
static bool is_elsewhere(
	struct db *db, const struct db_agent_session *session, int64_t campaign_id)
{
	if (session->campaign_id != 0)
		return session->campaign_id != campaign_id;
	return db_agent_on_campaign(db, session->user_id, campaign_id) == -ENOENT;
}

/*
 * Nobody was free: because who was named, or asks, is elsewhere, or has a call? False: replied with
 * that.
 */
static bool is_free(struct api_call *call, struct api_reply *reply, int64_t session_id)
{
	struct db_agent_session session;

	if (session_id == 0 || db_agent_session_get(call->db, session_id, &session) < 0)
		return true;
	if (is_elsewhere(call->db, &session, api_param_id(call, 0))) {
		api_fail(reply, 409, "OTHER_CAMPAIGN",
			api_agent(call) != 0
				? "You are signed in to another campaign than this contact's. Sign "
				  "in to that one, then call again."
				: "The agent is signed in to another campaign than this contact's. "
				  "Choose another agent.");
		return false;
	}
	if (session.call_id == 0)
		return true;
	api_fail(reply, 409, "ACTIVE_CALL",
		api_agent(call) != 0
			? "You have an active call. End it, then call again."
			: "The agent has an active call. Wait for its end, or choose another "
			  "agent.");
	return false;
}

void queue_call_now(struct api_call *call, struct api_reply *reply)
{
	struct db_claimed claimed;
	int64_t session_id = 0;
	int err;

	if (drain_refuses(call->gw, reply) ||
		choose_session(call, reply, &session_id) < 0)
		return;
	err = db_call_claim(call->db,
		&(struct db_claim){
			.campaign_id = api_param_id(call, 0),
			.entry_id = api_param_id(call, 1),
			.session_id = session_id,
			.manual = true,
			.node = call->gw->node,
			.install = call->gw->install,
			.deadline_ms = PLACING_MS,
			.verdict = verdict_manual,
			.arg = call->gw,
		},
		&claimed);
	metrics_claim(err, &claimed);
	if (err == -EALREADY)
		api_fail(reply, 409, "ALREADY_DIALED",
			"This entry is being dialled or done already. Nothing was called.");
	else if (err < 0)
		api_fail_db(reply, err, "campaign or queue entry", call->db);
	else if (claimed.result == DB_CLAIM_NO_AGENT && !is_free(call, reply, session_id))
		return;
	else if (claimed.result != DB_CLAIM_CALL)
		queue_api_refuse(reply, &claimed, session_id != 0);
	else {
		reply->deferred = true;
		call_place(call->gw, &claimed, call->request->id);
	}
}

/* ---- the late answer ---- */

/* What became of the contact whose call was not placed. */
static const char *fate(const struct db_entry *entry)
{
	if (strcmp(entry->state, "skipped") == 0)
		return "The contact has left the queue, until somebody queues it again.";
	if (strcmp(entry->state, "completed") == 0)
		return "No attempt is left: the contact has left the queue.";
	return "The contact stays in the queue.";
}

static void answer_read(
	const struct late_answer *late, struct db *db, struct api_reply *reply)
{
	static const char *const messages[] = {
		[CALL_NOW_PLACED] = "The call was placed.",
		[CALL_NOW_PENDING] =
			"Twilio has not answered yet; watch the call's state.",
		[CALL_NOW_REFUSED] = "",
	};
	struct db_campaign campaign;
	struct db_entry entry;
	struct db_call row;
	int err = db_call_get(db, late->call_id, &row);

	if (err == 0)
		err = db_campaign_get(db, row.campaign_id, &campaign);
	if (err == 0)
		err = db_entry_get(db, row.campaign_id, row.entry_id, &entry);
	if (err < 0) {
		api_fail_db(reply, err, "call", db);
		return;
	}
	if (late->result == CALL_NOW_REFUSED) {
		api_fail(reply, 502, "TWILIO_REFUSED", "The call was not placed: %s %s",
			late->reason[0] != '\0' ? late->reason : "Twilio refused it.",
			fate(&entry));
		reply->details = json_pack("{s:o}", "callRecord", call_json(&row));
		return;
	}
	api_ok(reply, late->result == CALL_NOW_PLACED ? 200 : 202,
		json_pack("{s:o, s:o, s:o, s:o, s:s}", "callRecord", call_json(&row),
			"queueEntry", queue_entry_json(&campaign, &entry), "contact",
			queue_contact_json(&entry.contact), "twilioCallSid",
			api_text(row.provider_sid), "message", messages[late->result]));
}

void queue_api_answer(struct gateway *gw, uint64_t request_id, int64_t call_id,
	enum call_now_result result, const char *reason)
{
	late_answer_send(gw,
		&(struct late_answer){
			.request_id = request_id,
			.call_id = call_id,
			.result = result,
			.reason = reason,
			.read = answer_read,
			.unread =
				"The call was placed, but its state cannot be read just "
				"now. Ask for it again.",
		});
}
