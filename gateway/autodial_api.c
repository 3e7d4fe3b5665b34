/* autodial_api.c: the routes of auto-dial. See autodial_api.h. */
#include "gateway/autodial_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/legs.h"
#include "db/queue.h"
#include "db/rate_state.h"
#include "gateway/campaign.h"
#include "gateway/campaign_body.h"
#include "gateway/halt.h"
#include "gateway/reason.h"

#define GENERATE_MAX 1000000
#define GENERATE_MS 20000 /* the server waits 30 s; the runner queues the rest */

static bool runs(const struct db_campaign *c)
{
	return c->auto_dial && strcmp(c->state, "active") == 0;
}

/* ---- why contacts and agents wait ---- */

/* Nobody need do what the runner does by itself. */
static const char *contact_sentence(const struct db_campaign *c, const char *code)
{
	if (strcmp(code, "unqueued") == 0 && runs(c))
		return "It is not in the queue yet; auto-dial queues it within a minute of "
		       "having nobody else to dial.";
	return reason_text(code);
}

/* A moment that has passed tells nothing: its runner will say another, or dial. */
static json_t *earliest_json(const struct db_campaign *c, const struct db_queue_reason *r)
{
	if (r->reason[0] != '\0' || strcmp(reason_of_campaign(c), c->run_code) != 0)
		return api_time(r->earliest_ms);
	return api_time(c->run_next_ms > clock_wall_ms() ? c->run_next_ms : 0);
}

static json_t *contacts_json(
	const struct db_campaign *c, const struct db_queue_reason *rows, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *code = rows[i].reason[0] != '\0' ? rows[i].reason
							     : reason_of_campaign(c);

		(void)json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:I, s:o}", "status", rows[i].state,
				"code", code, "reason", contact_sentence(c, code),
				"count", (json_int_t)rows[i].count, "earliest",
				earliest_json(c, &rows[i])));
	}
	return list;
}

/* An agent who is ready waits for what its campaign waits for. */
static const char *agent_code(const struct db_campaign *c, const struct db_queue_agent *a)
{
	if (strcmp(a->state, "offline") == 0)
		return "signed_out";
	if (a->elsewhere)
		return "elsewhere";
	if (strcmp(a->state, "wrap_up") == 0 || strcmp(a->state, "reserved") == 0)
		return a->state;
	if (strcmp(a->state, "on_call") == 0)
		return "talking";
	if (!a->reachable)
		return strcmp(a->pause_reason, DB_REASON_CALLER) == 0 ? "twilio"
								      : "phone";
	return strcmp(a->state, "paused") == 0 ? "pause" : reason_of_campaign(c);
}

static json_t *agents_json(
	const struct db_campaign *c, const struct db_queue_agent *rows, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *code = agent_code(c, &rows[i]);
		const char *reason = strcmp(code, "pause") == 0 ? rows[i].pause_reason
								: reason_text(code);

		(void)json_array_append_new(
			list, json_pack("{s:o, s:s, s:s, s:s, s:s, s:o}", "agentId",
				      api_id(rows[i].user_id), "name", rows[i].name,
				      "state", rows[i].state, "code", code, "reason",
				      reason, "since", api_time(rows[i].since_ms)));
	}
	return list;
}

static json_t *rate_json(const struct db_rate *rate)
{
	return json_pack("{s:f, s:f, s:b, s:I, s:o}", "perSecond", rate->per_second,
		"limit", rate->most_per_second, "lowered",
		rate->per_second < rate->most_per_second, "slowCalls",
		(json_int_t)rate->slow_calls, "changedAt", api_time(rate->changed_ms));
}

static json_t *use_json(const struct db_campaign *c, const struct db_campaign_use *use)
{
	return json_pack("{s:I, s:I, s:f, s:I, s:I, s:f}", "callsToday",
		(json_int_t)use->calls_today, "minutesToday",
		(json_int_t)use->minutes_today, "costToday",
		(double)use->minutes_today * c->limits.cost_per_minute, "callsEver",
		(json_int_t)use->calls_ever, "minutesEver", (json_int_t)use->minutes_ever,
		"costEver", (double)use->minutes_ever * c->limits.cost_per_minute);
}

struct status {
	struct db_campaign campaign;
	struct db_campaign_use use;
	struct db_rate rate;
	struct db_queue_reason *reasons;
	struct db_queue_agent *agents;
	size_t reason_count, agent_count;
};

static int read_status(struct db *db, int64_t id, struct status *s)
{
	int err = db_campaign_get(db, id, &s->campaign);

	if (err == 0)
		err = db_campaign_use(db, id, &s->use);
	if (err == 0)
		err = db_rate_get(db, &s->rate);
	if (err == 0)
		err = db_queue_reasons(db, id, &s->reasons, &s->reason_count);
	if (err == 0)
		err = db_queue_agents(db, id, &s->agents, &s->agent_count);
	return err;
}

/* What the runner said of a campaign that runs, else why it does not. */
static const char *sentence(const struct db_campaign *c, const char *code)
{
	return strcmp(code, c->run_code) == 0 && c->run_reason[0] != '\0'
		       ? c->run_reason
		       : reason_text(strcmp(code, "next") == 0 ? "dialling" : code);
}

void autodial_status(struct api_call *call, struct api_reply *reply)
{
	struct status s = {.reasons = NULL};
	int err = read_status(call->db, api_param_id(call, 0), &s);
	const struct db_campaign *c = &s.campaign;
	const char *code;

	if (err < 0) {
		api_fail_db(reply, err, "campaign", call->db);
		goto out;
	}
	code = reason_of_campaign(c);
	api_ok(reply, 200,
		json_pack("{s:o, s:b, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
			"campaignId", api_id(c->id), "running", runs(c), "state",
			c->state, "code", strcmp(code, "next") == 0 ? "dialling" : code,
			"reason", sentence(c, code), "stats", campaign_counts_json(c),
			"contacts", contacts_json(c, s.reasons, s.reason_count), "agents",
			agents_json(c, s.agents, s.agent_count), "rate",
			rate_json(&s.rate), "use", use_json(c, &s.use)));
out:
	free(s.reasons);
	free(s.agents);
}

/* ---- start and stop ---- */

static void answer_running(struct api_reply *reply)
{
	api_fail(reply, 409, "ALREADY_RUNNING", "Auto-dial runs already.");
}

/* What can be said before anything was queued. */
static bool refuse_start(const struct db_campaign *c, struct api_reply *reply)
{
	if (strcmp(c->dial_method, "progressive") != 0)
		api_fail(reply, 422, "DIAL_METHOD",
			"In a campaign with dialMethod %s agents dial. Set it to progressive "
			"first.",
			c->dial_method);
	else if (strcmp(c->state, "completed") == 0)
		api_fail(reply, 422, "VALIDATION",
			"The campaign is completed, which is final. Give its lists to another "
			"one and start that.");
	else if (runs(c))
		answer_running(reply);
	else
		return false;
	return true;
}

void autodial_start(struct api_call *call, struct api_reply *reply)
{
	struct db_generate generate = {.max = GENERATE_MAX, .most_ms = GENERATE_MS};
	int64_t id = api_param_id(call, 0);
	struct db_campaign c;
	int err = db_campaign_get(call->db, id, &c);

	if (err == 0 && refuse_start(&c, reply))
		return;
	if (err == 0)
		err = db_queue_generate(call->db, id, &generate);
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
		answer_running(reply);
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

void autodial_stop(struct api_call *call, struct api_reply *reply)
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
	halt_reply(call, reply, id);
}
