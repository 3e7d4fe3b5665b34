/* campaign_api.c: the routes of campaigns. See campaign_api.h. */
#include "gateway/campaign_api.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/config.h"
#include "db/campaigns.h"
#include "dialer/number.h"
#include "gateway/campaign.h"

#define GENERATE_MAX 1000000

static json_t *stats_json(const struct db_campaign *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "pending", (json_int_t)c->pending,
		"dialing", (json_int_t)c->dialing, "completed", (json_int_t)c->completed,
		"skipped", (json_int_t)c->skipped);
}

static json_t *campaign_json(const struct db_campaign *c)
{
	json_t *doc = json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:s, s:I}",
		"id", api_id(c->id), "campaignId", api_id(c->id), "name", c->name,
		"description", c->description, "state", c->state, "isActive",
		strcmp(c->state, "active") == 0, "dialMethod", c->dial_method, "callerId",
		c->caller_id, "autoDial", c->auto_dial, "runReason", c->run_reason,
		"agentCount", (json_int_t)c->agents);
	json_t *more = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:o}",
		"batchSize", c->batch_size, "callGapMs", c->call_gap_ms, "batchGapMs",
		c->batch_gap_ms, "ringTimeoutS", c->ring_timeout_s, "wrapUpS",
		c->wrap_up_s, "maxAttempts", c->max_attempts, "retryDelayS",
		c->retry_delay_s, "stats", stats_json(c), "createdAt",
		api_time(c->created_ms), "updatedAt", api_time(c->updated_ms));

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}

/* Answers with the campaign as it now is. */
static void answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_campaign campaign;
	int err = db_campaign_get(call->db, id, &campaign);

	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		api_ok(reply, status,
			json_pack("{s:o}", "campaign", campaign_json(&campaign)));
}

void campaigns_list(struct api_call *call, struct api_reply *reply)
{
	struct db_campaign *rows = NULL;
	json_t *list = json_array();
	size_t count = 0;
	int err = db_campaign_list(call->db, &rows, &count);

	if (err < 0) {
		json_decref(list);
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, campaign_json(&rows[i]));
	free(rows);
	api_ok(reply, 200, json_pack("{s:o}", "campaigns", list));
}

void campaign_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, 200, api_param_id(call, 0));
}

/* Fields of the body over what is in *c already. */
static int read_campaign(
	struct api_call *call, struct api_reply *reply, struct db_campaign *c)
{
	static const char *const fields[] = {"name", "description", "state", "dialMethod",
		"callerId", "batchSize", "callGapMs", "batchGapMs", "ringTimeoutS",
		"wrapUpS", "maxAttempts", "retryDelayS", NULL};
	char number[64] = "";

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "name", c->name[0] == '\0', c->name,
			sizeof(c->name)) < 0 ||
		api_body_text(call, reply, "description", false, c->description,
			sizeof(c->description)) < 0 ||
		api_body_text(call, reply, "dialMethod", false, c->dial_method,
			sizeof(c->dial_method)) < 0 ||
		api_body_text(call, reply, "callerId", false, number, sizeof(number)) <
			0 ||
		api_body_int(call, reply, "batchSize", 1, 100, &c->batch_size) < 0 ||
		api_body_int(call, reply, "callGapMs", 0, 600000, &c->call_gap_ms) < 0 ||
		api_body_int(call, reply, "batchGapMs", 0, 3600000, &c->batch_gap_ms) <
			0 ||
		api_body_int(call, reply, "ringTimeoutS", 5, 600, &c->ring_timeout_s) <
			0 ||
		api_body_int(call, reply, "wrapUpS", 0, 3600, &c->wrap_up_s) < 0 ||
		api_body_int(call, reply, "maxAttempts", 1, 100, &c->max_attempts) < 0 ||
		api_body_int(call, reply, "retryDelayS", 0, 2592000, &c->retry_delay_s) <
			0)
		return -EINVAL;
	if (c->name[0] == '\0') {
		api_fail_field(reply, "name", "name must not be empty.");
		return -EINVAL;
	}
	if (strcmp(c->dial_method, "manual") != 0 &&
		strcmp(c->dial_method, "progressive") != 0) {
		api_fail_field(
			reply, "dialMethod", "dialMethod must be manual or progressive.");
		return -EINVAL;
	}
	if (number[0] != '\0' && !number_valid(number)) {
		api_fail_field(reply, "callerId",
			"callerId must be a number in E.164, such as +14155552671.");
		return -EINVAL;
	}
	if (number[0] != '\0')
		memcpy(c->caller_id, number, strlen(number) + 1);
	return 0;
}

void campaign_create(struct api_call *call, struct api_reply *reply)
{
	/* The seed's pacing: five calls 3 s apart, 10 s rest, 30 s of ringing. */
	struct db_campaign c = {
		.dial_method = "progressive",
		.batch_size = 5,
		.call_gap_ms = 3000,
		.batch_gap_ms = 10000,
		.ring_timeout_s = 30,
		.wrap_up_s = 10,
		.max_attempts = 3,
		.retry_delay_s = 3600,
	};
	const char *caller_id = config_text(call->gw->config, "TWILIO_PHONE_NUMBER");
	int64_t id;
	int err;

	if (strlen(caller_id) < sizeof(c.caller_id))
		memcpy(c.caller_id, caller_id, strlen(caller_id) + 1);
	if (json_object_get(call->body, "state") != NULL) {
		api_fail_field(
			reply, "state", "A new campaign is a draft; set state later.");
		return;
	}
	if (read_campaign(call, reply, &c) < 0)
		return;
	err = db_campaign_create(call->db, &c, &id);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		answer(call, reply, 201, id);
}

void campaign_update(struct api_call *call, struct api_reply *reply)
{
	char state[DB_WORD_SIZE] = "";
	struct db_campaign c;
	int err = db_campaign_get(call->db, api_param_id(call, 0), &c);

	if (err == 0 && (read_campaign(call, reply, &c) < 0 ||
				api_body_text(call, reply, "state", false, state,
					sizeof(state)) < 0))
		return;
	/* The state first: when it cannot follow, the settings stay as they are, too. */
	if (err == 0 && state[0] != '\0') {
		err = db_campaign_set_state(call->db, c.id, state);
		if (err == -EINVAL) {
			api_fail_field(reply, "state",
				"A campaign that is %s cannot become %.15s; possible are active, "
				"paused and completed, and completed is final.",
				c.state, state);
			return;
		}
	}
	if (err == 0)
		err = db_campaign_update(call->db, &c);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	campaign_changed(call->gw, c.id);
	answer(call, reply, 200, c.id);
}

/* ---- agents and lists ---- */

static int64_t body_agent(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"agentId", NULL};
	int64_t id = 0;

	if (api_body_only(call, reply, fields) == 0)
		(void)api_body_id(call, reply, "agentId", true, &id);
	return id;
}

void campaign_join_agent(struct api_call *call, struct api_reply *reply)
{
	int64_t agent = body_agent(call, reply);
	int err;

	if (agent == 0)
		return;
	err = db_campaign_join(call->db, api_param_id(call, 0), agent);
	if (err < 0)
		api_fail_db(reply, err, "campaign or agent", call->db);
	else
		answer(call, reply, 200, api_param_id(call, 0));
}

void campaign_leave_agent(struct api_call *call, struct api_reply *reply)
{
	int64_t agent = body_agent(call, reply);
	int err;

	if (agent == 0)
		return;
	err = db_campaign_leave(call->db, api_param_id(call, 0), agent);
	if (err < 0)
		api_fail_db(reply, err, "campaign or agent", call->db);
	else
		answer(call, reply, 200, api_param_id(call, 0));
}

void campaign_assign_list(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"listId", NULL};
	int64_t list = 0;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "listId", true, &list) < 0)
		return;
	err = db_list_assign(call->db, list, api_param_id(call, 0));
	if (err < 0)
		api_fail_db(reply, err, "campaign or list", call->db);
	else
		answer(call, reply, 200, api_param_id(call, 0));
}

/* ---- the queue and auto-dial ---- */

void campaign_generate_queue(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"maxRecords", NULL};
	int64_t id = api_param_id(call, 0), made = 0;
	struct db_campaign c;
	int max = GENERATE_MAX;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_int(call, reply, "maxRecords", 1, GENERATE_MAX, &max) < 0)
		return;
	err = db_campaign_get(call->db, id, &c);
	if (err == 0)
		err = db_queue_generate(call->db, id, max, &made);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	campaign_changed(call->gw, id);
	api_ok(reply, 200,
		json_pack("{s:o, s:I, s:s}", "campaignId", api_id(id), "generated",
			(json_int_t)made, "message",
			made > 0
				? "Contacts were queued."
				: "No contact was queued: all of this campaign's lists are "
				  "queued already, or it has no active list."));
}

void campaign_auto_dial_status(struct api_call *call, struct api_reply *reply)
{
	struct db_campaign c;
	int err = db_campaign_get(call->db, api_param_id(call, 0), &c);

	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		api_ok(reply, 200,
			json_pack("{s:o, s:b, s:s, s:s, s:o}", "campaignId", api_id(c.id),
				"running", c.auto_dial && strcmp(c.state, "active") == 0,
				"state", c.state, "reason", c.run_reason, "stats",
				stats_json(&c)));
}

void campaign_auto_dial_start(struct api_call *call, struct api_reply *reply)
{
	int64_t id = api_param_id(call, 0), made;
	struct db_campaign c;
	int err = db_campaign_get(call->db, id, &c);

	if (err == 0 && strcmp(c.state, "completed") != 0)
		err = db_queue_generate(call->db, id, GENERATE_MAX, &made);
	if (err == 0)
		err = db_campaign_get(call->db, id, &c);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	if (c.pending + c.dialing == 0) {
		api_fail(reply, 422, "NOTHING_TO_DIAL",
			"No contact is waiting in this campaign's queue. Assign it a list with "
			"contacts first.");
		return;
	}
	err = db_campaign_auto_dial(call->db, id, true);
	if (err == -EALREADY) {
		api_fail(reply, 409, "ALREADY_RUNNING", "Auto-dial runs already.");
		return;
	}
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	campaign_changed(call->gw, id);
	api_ok(reply, 200,
		json_pack("{s:o, s:I, s:s, s:s}", "campaignId", api_id(id),
			"queuedContacts", (json_int_t)c.pending, "status",
			"AUTODIAL_STARTED", "message",
			"Auto-dial was started. It goes on until every contact was dialled."));
}

void campaign_auto_dial_stop(struct api_call *call, struct api_reply *reply)
{
	int64_t id = api_param_id(call, 0);
	int err = db_campaign_auto_dial(call->db, id, false);

	if (err == -EALREADY) {
		api_fail(reply, 409, "NOT_RUNNING", "Auto-dial does not run.");
		return;
	}
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	campaign_changed(call->gw, id);
	api_ok(reply, 200,
		json_pack("{s:o, s:s, s:s}", "campaignId", api_id(id), "status",
			"AUTODIAL_STOPPED", "message",
			"No further contact is dialled. Calls under way go on."));
}
