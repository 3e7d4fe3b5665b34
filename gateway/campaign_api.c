/* campaign_api.c: the routes of campaigns. See campaign_api.h. */
#include "gateway/campaign_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/campaigns.h"
#include "db/data_lists.h"
#include "db/queue.h"
#include "gateway/campaign.h"
#include "gateway/campaign_body.h"
#include "gateway/halt.h"
#include "gateway/list_api.h"
#include "gateway/recheck.h"

#define GENERATE_MAX 1000000
#define GENERATE_MS 20000 /* the server waits 30 s for an answer */

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

/* draft to active; active to paused and back; any to completed, which is final. */
static int set_state(struct api_call *call, struct api_reply *reply,
	const struct db_campaign *c, const char *state)
{
	int err = db_campaign_set_state(call->db, c->id, state);

	if (err == -EINVAL)
		api_fail_field(reply, "state",
			"A campaign that is %s cannot become %.15s: a draft becomes active, an "
			"active one paused and back, any one completed, which is final.",
			c->state, state);
	else if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	return err;
}

/* Answers with the campaign; when it was stopped, not before nothing of it is under way. */
static void answer_changed(
	struct api_call *call, struct api_reply *reply, const struct db_campaign *before)
{
	campaign_changed(call->gw, before->id);
	answer(call, reply, 200, before->id);
	if (before->auto_dial && strcmp(before->state, "active") == 0)
		halt_reply(call, reply, before->id);
}

void campaign_update(struct api_call *call, struct api_reply *reply)
{
	char state[DB_WORD_SIZE] = "";
	struct db_campaign before, c;
	int err = db_campaign_get(call->db, api_param_id(call, 0), &before);

	c = before;
	if (err == 0 &&
		(campaign_read(call, reply, &c) < 0 ||
			api_body_text(call, reply, "state", api_body_has(call, "state"),
				state, sizeof(state)) < 0))
		return;
	/* The state first: when it cannot follow, the settings stay as they are, too. */
	if (err == 0 && state[0] != '\0' && set_state(call, reply, &before, state) < 0)
		return;
	if (err == 0)
		err = db_campaign_update(call->db, &c);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	recheck_soon(call->gw);
	answer_changed(call, reply, &before);
}

void campaign_delete(struct api_call *call, struct api_reply *reply)
{
	int64_t id = api_param_id(call, 0);
	int err = db_campaign_archive(call->db, id);

	if (err == -EBUSY) {
		api_fail(reply, 409, "CALLS_OPEN",
			"Calls of this campaign are open. Stop it and wait for their end.");
	} else if (err == -EALREADY) {
		api_fail(reply, 409, "ARCHIVED", "The campaign was deleted already.");
	} else if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
	} else {
		campaign_changed(call->gw, id);
		answer(call, reply, 200, id);
	}
}

/* ---- one setting, by the addresses of older clients ---- */

void campaign_activate(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"isActive", NULL};
	const json_t *active = json_object_get(call->body, "isActive");
	struct db_campaign before;
	int err;

	if (api_body_only(call, reply, fields) < 0)
		return;
	if (!json_is_boolean(active)) {
		api_fail_field(reply, "isActive", "isActive must be true or false.");
		return;
	}
	err = db_campaign_get(call->db, api_param_id(call, 0), &before);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else if (set_state(call, reply, &before,
			 json_is_true(active) ? "active" : "paused") == 0)
		answer_changed(call, reply, &before);
}

void campaign_dial_method(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"dialMethod", NULL};
	struct db_campaign before, c;
	int err;

	if (api_body_only(call, reply, fields) < 0)
		return;
	if (json_object_get(call->body, "dialMethod") == NULL) {
		api_fail_field(reply, "dialMethod", "dialMethod is missing.");
		return;
	}
	err = db_campaign_get(call->db, api_param_id(call, 0), &before);
	c = before;
	if (err == 0 && campaign_read(call, reply, &c) < 0)
		return;
	if (err == 0)
		err = db_campaign_update(call->db, &c);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	else
		answer_changed(call, reply, &before);
}

void campaigns_stats(struct api_call *call, struct api_reply *reply)
{
	struct db_campaign_totals t;
	int err = db_campaign_totals(call->db, &t);

	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	api_ok(reply, 200,
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}",
			"totalCampaigns", (json_int_t)t.campaigns, "draftCampaigns",
			(json_int_t)t.draft, "activeCampaigns", (json_int_t)t.active,
			"pausedCampaigns", (json_int_t)t.paused, "completedCampaigns",
			(json_int_t)t.completed, "totalContacts", (json_int_t)t.contacts,
			"totalInteractions", (json_int_t)t.calls, "totalCompletedCalls",
			(json_int_t)t.completed_calls, "conversionRate",
			t.calls > 0 ? 100.0 * (double)t.completed_calls / (double)t.calls
				    : 0.0,
			"averageCallsPerCampaign",
			t.campaigns > 0 ? (double)t.calls / (double)t.campaigns : 0.0));
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

int campaign_goes_on(struct api_call *call, struct api_reply *reply, int64_t campaign_id,
	const char *noun, const char *advice)
{
	struct db_campaign campaign;
	int err = db_campaign_get(call->db, campaign_id, &campaign);

	if (err == 0 && campaign.archived_ms != 0)
		err = -ENOENT;
	if (err < 0) {
		api_fail_db(reply, err, noun, call->db);
	} else if (strcmp(campaign.state, "completed") == 0) {
		api_fail(reply, 409, "CAMPAIGN_STOPPED",
			"The campaign is completed: it dials nobody any more. %s",
			advice);
		err = -EINVAL;
	}
	return err;
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
	if (list_check_campaign(call, reply, api_param_id(call, 0)) < 0)
		return;
	err = db_list_assign(call->db, list, api_param_id(call, 0), weight);
	if (err < 0)
		api_fail_db(reply, err, "campaign or list", call->db);
	else {
		campaign_changed(call->gw, api_param_id(call, 0));
		answer(call, reply, 200, api_param_id(call, 0));
	}
}

/* ---- the queue ---- */

static const char *generated_message(const struct db_generate *generate)
{
	if (generate->more)
		return "Contacts were queued until the time for one request was over. Ask "
		       "again for the rest.";
	if (generate->added > 0)
		return "Contacts were queued.";
	return "No contact was queued: all of this campaign's lists are queued already, or "
	       "it has no active list.";
}

void campaign_generate_queue(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"maxRecords", NULL};
	struct db_generate generate = {.most_ms = GENERATE_MS};
	int64_t id = api_param_id(call, 0);
	struct db_campaign c;
	int max = GENERATE_MAX;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_int(call, reply, "maxRecords", 1, GENERATE_MAX, &max) < 0)
		return;
	generate.max = max;
	err = db_campaign_get(call->db, id, &c);
	if (err == 0 && strcmp(c.state, "completed") == 0) {
		api_fail(reply, 409, "CAMPAIGN_STOPPED",
			"The campaign is completed: it dials nobody any more. Nothing was "
			"queued; give the lists to another campaign.");
		return;
	}
	if (err == 0)
		err = db_queue_generate(call->db, id, &generate);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	campaign_changed(call->gw, id);
	api_ok(reply, 200,
		json_pack("{s:o, s:I, s:b, s:s}", "campaignId", api_id(id), "generated",
			(json_int_t)generate.added, "more", generate.more, "message",
			generated_message(&generate)));
}
