/* dial_api.c: an agent dials a number by hand. See dial_api.h. */
#include "gateway/dial_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/calls.h"
#include "db/sessions.h"
#include "dialer/number.h"
#include "gateway/again.h"
#include "gateway/call.h"
#include "gateway/drain.h"
#include "gateway/late_answer.h"
#include "gateway/metrics.h"
#include "gateway/verdict.h"

#define PLACING_MS 20000
#define FORCE_MS 4000 /* for the call that is to make room */
#define KEPT_MS 5000  /* no other call takes the agent meanwhile */
#define TRY_MS 200

/* What is wanted, while it may take more than one try. */
struct dial {
	uint64_t request_id;
	int64_t session_id, agent_id, campaign_id, contact_id;
	char number[DB_NUMBER_SIZE];
	char name[128];
	char correlation[129];
	bool force;
	bool kept;        /* the agent, so that no other call takes it */
	int64_t ended_id; /* the call in the way, which was told to end; 0: none */
};

/* ---- answers ---- */

/* The body that it always had, with the call's id beside it. */
static void answer_call(struct api_reply *reply, const struct db_call *row,
	const char *correlation, const char *message)
{
	reply->status = row->provider_sid[0] != '\0' ? 200 : 202;
	reply->flat = json_pack("{s:b, s:o, s:o, s:s, s:o, s:s, s:s}", "success", 1,
		"callSid", api_text(row->provider_sid), "callId", api_id(row->id),
		"conferenceId", row->conference, "dialCorrelationId",
		api_text(correlation), "status", row->state, "message", message);
}

static void answer_busy(struct api_reply *reply, const struct db_call *row,
	const char *code, const char *message, const char *hint)
{
	reply->status = 409;
	reply->flat = json_pack("{s:b, s:{s:s, s:s, s:n}, s:s, s:{s:s, s:o, s:I}, s:s}",
		"success", 0, "error", "code", code, "message", message, "details",
		"message", message, "activeCall", "phoneNumber", row->number, "callId",
		api_id(row->id), "duration",
		(json_int_t)((clock_wall_ms() - row->placed_ms) / 1000), "hint", hint);
}

static void answer_read(
	const struct late_answer *late, struct db *db, struct api_reply *reply)
{
	char correlation[129] = "";
	struct db_call row;
	int err = db_call_get(db, late->call_id, &row);

	if (err == 0)
		err = db_call_correlation(
			db, late->call_id, correlation, sizeof(correlation));
	if (err < 0)
		api_fail_db(reply, err, "call", db);
	else if (late->result == CALL_NOW_REFUSED)
		api_fail(reply, 502, "TWILIO_REFUSED", "The call was not placed: %s",
			late->reason[0] != '\0' ? late->reason : "Twilio refused it.");
	else
		answer_call(reply, &row, correlation,
			late->result == CALL_NOW_PLACED
				? "The call was placed."
				: "The call is under way, or Twilio has not answered yet; "
				  "watch its state.");
}

static void answer(struct gateway *gw, uint64_t request_id, int64_t call_id,
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
				"now. Ask again with the same dialCorrelationId.",
		});
}

/* ---- one try ---- */

/* The agent's call of this correlation to this number is the answer, whenever it was placed. */
static bool answer_known(struct db *db, const struct dial *dial, struct api_reply *reply)
{
	struct db_call row;
	int64_t call_id;

	if (dial->correlation[0] == '\0' ||
		db_call_by_correlation(db, dial->correlation, &call_id) < 0 ||
		db_call_get(db, call_id, &row) < 0)
		return false;
	if (row.agent_id != dial->agent_id || strcmp(row.number, dial->number) != 0)
		api_fail(reply, 409, "CORRELATION_USED",
			"This dialCorrelationId is that of another call. Nothing was called; "
			"choose a new one for each call.");
	else
		answer_call(reply, &row, dial->correlation,
			"This call was asked for before; it was not placed again.");
	return true;
}

/*
 * The agent has a call: it ends if that was wished, else it is the answer. False: try again. One
 * that is there when that has ended was somebody's wish for this agent, too.
 */
static bool make_room(struct gateway *gw, struct db *db, struct dial *dial,
	int64_t call_id, struct api_reply *reply)
{
	struct db_call row;
	int err = db_call_get(db, call_id, &row);

	if (err < 0) {
		api_fail_db(reply, err, "call", db);
		return true;
	}
	if (!dial->force || (dial->ended_id != 0 && dial->ended_id != call_id)) {
		answer_busy(reply, &row, "ACTIVE_CALL", "You have an active call.",
			"End it first, or send force: true to end it and place this one.");
		return true;
	}
	if (dial->ended_id == 0)
		call_news(gw, &(struct call_news){.call_id = call_id,
				      .events = {"hangup"},
				      .count = 1,
				      .at_ms = clock_wall_ms(),
				      .duration_s = -1,
				      .detail = "The agent placed another call."});
	dial->ended_id = call_id;
	return false;
}

/* An open call with that number: ours or a colleague's. */
static bool answer_number_busy(
	struct db *db, const struct dial *dial, struct api_reply *reply)
{
	struct db_call row;
	int64_t call_id;

	if (db_call_open_with(db, dial->number, &call_id) < 0 ||
		db_call_get(db, call_id, &row) < 0)
		return false;
	answer_busy(reply, &row, "NUMBER_BUSY", "A call with this number is open.",
		"Wait until it has ended. A number is never called twice at once.");
	return true;
}

/* False: try again, for what the call has held may be let go a moment after its end. */
static bool claim(struct gateway *gw, struct db *db, const struct dial *dial, bool last,
	struct api_reply *reply)
{
	struct db_claimed claimed;
	int err = db_call_claim(db,
		&(struct db_claim){
			.campaign_id = dial->campaign_id,
			.dial = &(struct db_dial){.number = dial->number,
				.contact_id = dial->contact_id,
				.name = dial->name,
				.correlation = dial->correlation[0] != '\0'
						       ? dial->correlation
						       : NULL},
			.session_id = dial->session_id,
			.manual = true,
			.node = gw->node,
			.install = gw->install,
			.deadline_ms = PLACING_MS,
			.verdict = verdict_manual,
			.arg = gw,
		},
		&claimed);
	bool busy;

	metrics_claim(err, &claimed);
	busy = err == -EALREADY || err == -EEXIST ||
	       (err == 0 && claimed.result == DB_CLAIM_REFUSED &&
		       strcmp(claimed.rule, "number.busy") == 0);

	if (busy &&
		(answer_known(db, dial, reply) || answer_number_busy(db, dial, reply)))
		return true;
	if (err == 0 && claimed.result == DB_CLAIM_NO_AGENT && dial->ended_id != 0 &&
		!last)
		return false;
	if (err == -ENOENT)
		api_fail(reply, 404, "NOT_FOUND",
			"There is no such contact with this number in the agent's campaign.");
	else if (busy && err < 0)
		api_fail(reply, 409, "ALREADY_DIALED",
			"This contact is being dialled already. Nothing was called.");
	else if (err < 0)
		api_fail_db(reply, err, "campaign", db);
	else if (claimed.result != DB_CLAIM_CALL)
		queue_api_refuse(reply, &claimed, true);
	else {
		reply->deferred = true;
		call_place_for(gw, &claimed, dial->request_id, answer);
	}
	return true;
}

/* Before its call is looked for: after the one that is seen then, only persons give it another. */
static int keep(struct db *db, struct dial *dial)
{
	int err;

	if (!dial->force || dial->kept)
		return 0;
	err = db_agent_session_keep(db, dial->session_id, KEPT_MS);
	dial->kept = err == 0;
	return err == -ENOENT ? 0 : err;
}

static bool try(struct gateway *gw, struct db *db, struct dial *dial, bool last,
	struct api_reply *reply)
{
	struct db_agent_session session;
	int err;

	if (answer_known(db, dial, reply) || drain_refuses(gw, reply))
		return true;
	err = keep(db, dial);
	if (err == 0)
		err = db_agent_session_get(db, dial->session_id, &session);
	if (err < 0) {
		api_fail_db(reply, err, "session", db);
		return true;
	}
	return session.call_id != 0 ? make_room(gw, db, dial, session.call_id, reply)
				    : claim(gw, db, dial, last, reply);
}

/* again_wish.attempt: true when it is settled. */
static bool attempt(struct gateway *gw, struct db *db, void *arg, bool last)
{
	struct dial *dial = arg;
	struct api_reply reply = {.status = 0};
	bool settled = try(gw, db, dial, last, &reply);

	/* No call came of it: whoever waits for an agent may have this one. */
	if ((settled || last) && !reply.deferred && dial->kept)
		(void)db_agent_session_keep(db, dial->session_id, 0);
	if (!settled && last)
		api_fail(&reply, 409, "ACTIVE_CALL",
			"The call that is to make room has not ended yet. Try again in a moment.");
	if ((settled || last) && !reply.deferred)
		api_send(gw, dial->request_id, &reply);
	return settled || last;
}

/* ---- the request ---- */

static int read_correlation(
	struct api_call *call, struct api_reply *reply, struct dial *dial)
{
	size_t len;

	if (api_body_text(call, reply, "dialCorrelationId", false, dial->correlation,
		    sizeof(dial->correlation)) < 0)
		return -EINVAL;
	len = strlen(dial->correlation);
	if (len == 0 ||
		(len >= 8 && strspn(dial->correlation,
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
				     "wxyz0123456789_-") == len))
		return 0;
	api_fail_field(reply, "dialCorrelationId",
		"dialCorrelationId must be 8 to 128 letters, digits, dashes and underscores.");
	return -EINVAL;
}

/* Whether the contact exists is for us to see: the flag is taken, and means nothing. */
static int read_flags(struct api_call *call, struct api_reply *reply, struct dial *dial)
{
	const json_t *force = json_object_get(call->body, "force");
	const json_t *existing = json_object_get(call->body, "existingContact");

	if ((force != NULL && !json_is_boolean(force)) ||
		(existing != NULL && !json_is_boolean(existing))) {
		api_fail_field(reply, force != NULL ? "force" : "existingContact",
			"force and existingContact must be true or false.");
		return -EINVAL;
	}
	dial->force = json_is_true(force);
	return 0;
}

static int read_number(struct api_call *call, struct api_reply *reply, struct dial *dial)
{
	char to[64] = "";

	if (json_object_get(call->body, "to") == NULL) {
		api_fail(reply, 400, "NO_NUMBER", "to is needed: the number to call.");
		return -EINVAL;
	}
	if (api_body_text(call, reply, "to", true, to, sizeof(to)) < 0)
		return -EINVAL;
	if (number_normalise(to, NULL, dial->number) == 0)
		return 0;
	api_fail_field(reply, "to",
		"to must be a phone number with + and its country code, such as +14155552671.");
	return -EINVAL;
}

/* The campaign of the session, else the one that is named, else the only one there is. */
static int find_campaign(struct api_call *call, struct api_reply *reply,
	const struct db_agent_session *session, int64_t named, int64_t *ret_campaign_id)
{
	int err = 0;

	*ret_campaign_id = session->campaign_id != 0 ? session->campaign_id : named;
	if (named != 0 && named != *ret_campaign_id) {
		api_fail(reply, 409, "OTHER_CAMPAIGN",
			"The agent is signed in to another campaign than campaignId.");
		return -EINVAL;
	}
	if (*ret_campaign_id == 0) {
		err = db_agent_only_campaign(call->db, session->user_id, ret_campaign_id);
		if (err == -ENOENT)
			api_fail_field(reply, "campaignId",
				"The agent is signed in to all its campaigns, and is not on "
				"exactly one. Give campaignId.");
	} else if (session->campaign_id == 0) {
		err = db_agent_on_campaign(call->db, session->user_id, named);
		if (err == -ENOENT)
			api_fail(reply, 409, "OTHER_CAMPAIGN",
				"The agent is not on the campaign of campaignId.");
	}
	if (err < 0 && err != -ENOENT)
		api_fail_db(reply, err, "campaign", call->db);
	return err;
}

/* Whose call it is: the agent itself, or the one that others name; and its session. */
static int find_session(struct api_call *call, struct api_reply *reply, struct dial *dial)
{
	bool is_agent = strcmp(call->user.role, "agent") == 0;
	int64_t agent = is_agent ? call->user.id : 0, campaign = 0;
	struct db_agent_session session;
	int err;

	if (api_body_id(call, reply, "agentId", !is_agent, &agent) < 0 ||
		api_body_id(call, reply, "campaignId", false, &campaign) < 0)
		return -EINVAL;
	if (is_agent && agent != call->user.id) {
		api_fail(reply, 403, "FORBIDDEN", "An agent may only call for itself.");
		return -EACCES;
	}
	err = db_agent_session_of_user(call->db, agent, &session);
	if (err == -ENOENT)
		api_fail(reply, 409, "SIGNED_OUT",
			"The agent is not signed in. Sign in and have the phone connected first.");
	else if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		err = find_campaign(call, reply, &session, campaign, &dial->campaign_id);
	dial->session_id = session.id;
	dial->agent_id = agent;
	return err;
}

static int read_dial(struct api_call *call, struct api_reply *reply, struct dial *dial)
{
	static const char *const fields[] = {"to", "contactId", "contactName",
		"existingContact", "campaignId", "campaignName", "agentId",
		"dialCorrelationId", "force", NULL};

	dial->request_id = call->request->id;
	if (api_body_only(call, reply, fields) < 0 ||
		read_number(call, reply, dial) < 0 ||
		api_body_id(call, reply, "contactId", false, &dial->contact_id) < 0 ||
		api_body_text(call, reply, "contactName", false, dial->name,
			sizeof(dial->name)) < 0 ||
		read_correlation(call, reply, dial) < 0 ||
		read_flags(call, reply, dial) < 0)
		return -EINVAL;
	return find_session(call, reply, dial);
}

void dial_rest_api(struct api_call *call, struct api_reply *reply)
{
	struct dial *dial = calloc(1, sizeof(*dial));
	int err;

	if (dial == NULL) {
		api_fail(reply, 503, "BUSY", "There is no memory for it. Try again.");
		return;
	}
	if (read_dial(call, reply, dial) < 0) {
		free(dial);
		return;
	}
	err = again_start(call->gw, &(struct again_wish){.every_ms = TRY_MS,
					    .for_ms = dial->force ? FORCE_MS : 0,
					    .attempt = attempt,
					    .done = free,
					    .arg = dial});
	if (err == 0) {
		reply->deferred = true;
		return;
	}
	free(dial);
	reply->retry_after_s = 1;
	api_fail(reply, 503, "BUSY", "Too many requests are waiting. Try again.");
}
