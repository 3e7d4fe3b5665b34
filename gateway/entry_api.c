/* entry_api.c: the routes of one queue entry. See entry_api.h. */
#include "gateway/entry_api.h"

#include <errno.h>
#include <string.h>

#include "db/contacts.h"
#include "db/facts.h"
#include "db/queue.h"
#include "dialer/zone.h"
#include "gateway/campaign.h"
#include "gateway/queue_json.h"
#include "gateway/verdict.h"

#define PREVIEW_TRIES 10 /* contacts that may not be called, in one request */
#define SIFT_MAX 1000    /* entries that are looked through when one was refused */

/* ---- what is known ---- */

static json_t *zones_json(const struct gateway *gw, const struct db_claim_facts *facts)
{
	const struct zone *zones[VERDICT_ZONES_MAX];
	size_t count = verdict_zones(gw, facts, zones);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(zones[i]->name));
	return list;
}

/* What Call Now would say, and auto-dial if the contact's turn came just now. */
static json_t *verdict_json(
	const struct db_claim_verdict *manual, const struct db_claim_verdict *automatic)
{
	return json_pack("{s:b, s:s, s:s, s:s, s:o, s:i, s:b}", "allowed",
		manual->allowed, "rule", manual->rule, "code", manual->code, "reason",
		manual->reason, "earliest", api_time(manual->next_ms), "version",
		manual->version, "autoDialAllowed", automatic->allowed);
}

/* Whose contact it is sees all of it: who is to call it, or called it last. */
static bool sees_all(const struct api_call *call, const struct db_entry *entry)
{
	int64_t agent = api_agent(call);

	return agent == 0 || agent == entry->owner_id || agent == entry->agent_id;
}

static void answer(struct api_call *call, struct api_reply *reply, int64_t campaign_id,
	int64_t entry_id)
{
	struct db_claim_verdict manual, automatic;
	struct db_contact_full contact;
	struct db_claim_facts facts;
	struct db_campaign campaign;
	struct db_entry entry;
	int err = db_campaign_get(call->db, campaign_id, &campaign);

	if (err == 0)
		err = db_entry_get(call->db, campaign_id, entry_id, &entry);
	if (err == 0)
		err = db_facts_read(call->db, campaign_id, entry_id, &facts);
	if (err == 0)
		err = db_contact_get(call->db, entry.contact.id, &contact);
	if (err < 0) {
		api_fail_db(reply, err, "queue entry", call->db);
		return;
	}
	manual = verdict_manual(call->gw, &facts);
	automatic = verdict_auto(call->gw, &facts);
	api_ok(reply, 200,
		json_pack("{s:o, s:o, s:o, s:o}", "queueEntry",
			queue_entry_json(&campaign, &entry), "verdict",
			verdict_json(&manual, &automatic), "timeZones",
			zones_json(call->gw, &facts), "customFields",
			sees_all(call, &entry) ? api_stored(contact.custom)
					       : json_null()));
}

void entry_get(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, api_param_id(call, 0), api_param_id(call, 1));
}

/* ---- what people do with it ---- */

/* After a change: what it is now, or why it was not made. */
static void changed(
	struct api_call *call, struct api_reply *reply, int err, const char *not_now)
{
	if (err == -EINVAL) {
		api_fail(reply, 409, "WRONG_STATE", "%s", not_now);
	} else if (err == -EEXIST) {
		api_fail(reply, 409, "EXISTS",
			"The contact waits in this queue already, under another entry.");
	} else if (err < 0) {
		api_fail_db(reply, err, "queue entry", call->db);
	} else {
		campaign_changed(call->gw, api_param_id(call, 0));
		entry_get(call, reply);
	}
}

/* Agents only what they are previewing. */
static int may_skip(struct api_call *call, struct api_reply *reply)
{
	struct db_entry entry;
	int err;

	if (strcmp(call->user.role, "agent") != 0)
		return 0;
	err = db_entry_get(
		call->db, api_param_id(call, 0), api_param_id(call, 1), &entry);
	if (err < 0) {
		api_fail_db(reply, err, "queue entry", call->db);
		return err;
	}
	if (entry.owner_id == call->user.id)
		return 0;
	api_fail(reply, 403, "FORBIDDEN",
		"An agent may only skip the contact that it is looking at.");
	return -EACCES;
}

void entry_skip(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {NULL};

	if (api_body_only(call, reply, fields) < 0 || may_skip(call, reply) < 0)
		return;
	changed(call, reply,
		db_entry_skip(call->db, api_param_id(call, 0), api_param_id(call, 1),
			"operator"),
		"Only an entry that is pending can be skipped.");
}

void entry_requeue(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {NULL};

	if (api_body_only(call, reply, fields) < 0)
		return;
	changed(call, reply,
		db_entry_requeue(call->db, api_param_id(call, 0), api_param_id(call, 1)),
		"Only an entry that was skipped or completed can be queued again.");
}

void entry_update(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"priority", NULL};
	int priority = 0;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_int(call, reply, "priority", 1, 9, &priority) < 0)
		return;
	if (priority == 0) {
		api_fail_field(reply, "priority", "priority is missing.");
		return;
	}
	changed(call, reply,
		db_entry_priority(
			call->db, api_param_id(call, 0), api_param_id(call, 1), priority),
		"Only an entry that is pending has a priority to change.");
}

/* ---- preview ---- */

/* Whoever is to look must be able to call. */
static int check_agent(struct api_call *call, struct api_reply *reply, int64_t agent_id,
	int64_t campaign_id)
{
	struct db_agent agent;
	int err = db_agent_get(call->db, agent_id, &agent);

	if (err < 0) {
		api_fail_db(reply, err, "agent", call->db);
		return err;
	}
	if (!agent.user.active) {
		api_fail(reply, 409, "AGENT_INACTIVE",
			"The agent's account is not active, so it cannot call. Activate it, or "
			"name another agent.");
		return -EPERM;
	}
	err = db_agent_on_campaign(call->db, agent_id, campaign_id);
	if (err == -ENOENT)
		api_fail(reply, 409, "OTHER_CAMPAIGN",
			"The agent is not on this campaign.");
	else if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	return err;
}

/* Nobody is shown who may not be called; the others like it are put off in the same go. */
static int preview(struct api_call *call, const struct db_campaign *campaign,
	int64_t agent, int64_t *ret_entry_id)
{
	const struct db_preview wish = {
		.campaign_id = campaign->id,
		.user_id = agent,
		.hold_s = campaign->preview_s,
		.verdict = verdict_auto,
		.arg = call->gw,
	};
	int64_t entry = 0;
	size_t refused;

	for (int i = 0; i < PREVIEW_TRIES; i++) {
		int err = db_entry_preview(call->db, &wish, &entry);

		if (err == 0 && entry != 0)
			*ret_entry_id = entry;
		if (err < 0 || entry != 0)
			return err;
		(void)db_queue_postpone(call->db, campaign->id, SIFT_MAX, verdict_auto,
			call->gw, &refused);
	}
	return -ENOENT;
}

void entry_next(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"agentId", NULL};
	bool is_agent = strcmp(call->user.role, "agent") == 0;
	int64_t agent = is_agent ? call->user.id : 0, entry = 0;
	struct db_campaign campaign;
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "agentId", !is_agent, &agent) < 0)
		return;
	if (is_agent && agent != call->user.id) {
		api_fail(reply, 403, "FORBIDDEN", "An agent may only call for itself.");
		return;
	}
	err = db_campaign_get(call->db, api_param_id(call, 0), &campaign);
	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		return;
	}
	if (check_agent(call, reply, agent, campaign.id) < 0)
		return;
	if (strcmp(campaign.state, "active") != 0) {
		api_fail(reply, 409, "CAMPAIGN_STOPPED",
			"The campaign is %s. Make it active first.", campaign.state);
		return;
	}
	err = preview(call, &campaign, agent, &entry);
	if (err == -ENOENT)
		api_fail(reply, 409, "NOTHING_DUE",
			"No contact of this campaign is due that may be called just now.");
	else if (err < 0)
		api_fail_db(reply, err, "queue entry", call->db);
	else
		answer(call, reply, campaign.id, entry);
}
