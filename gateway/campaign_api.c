/* campaign_api.c: the routes of campaigns. See campaign_api.h. */
#include "gateway/campaign_api.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "db/campaigns.h"
#include "db/data_lists.h"
#include "gateway/campaign.h"
#include "gateway/campaign_body.h"

#define GENERATE_MAX 1000000

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
	int err = db_campaign_list(call->db, api_agent(call), &rows, &count);

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

void campaign_create(struct api_call *call, struct api_reply *reply)
{
	struct db_campaign c;
	int64_t id;
	int err;

	if (json_object_get(call->body, "state") != NULL) {
		api_fail_field(
			reply, "state", "A new campaign is a draft; set state later.");
		return;
	}
	campaign_defaults(call->gw, &c);
	if (campaign_read(call, reply, &c) < 0)
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

	if (err == 0 &&
		(campaign_read(call, reply, &c) < 0 ||
			api_body_text(call, reply, "state", api_body_has(call, "state"),
				state, sizeof(state)) < 0))
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
	static const char *const fields[] = {"listId", "blendWeight", NULL};
	int64_t list = 0;
	int weight = 0;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "listId", true, &list) < 0 ||
		api_body_int(call, reply, "blendWeight", 1, 100, &weight) < 0)
		return;
	err = db_list_assign(call->db, list, api_param_id(call, 0), weight);
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
				campaign_counts_json(&c)));
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
