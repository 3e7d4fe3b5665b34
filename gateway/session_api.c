/* session_api.c: the routes of agents' sessions. See session_api.h. */
#include "gateway/session_api.h"

#include <errno.h>
#include <string.h>

#include "db/pauses.h"
#include "db/sessions.h"
#include "gateway/agent.h"
#include "gateway/agent_api.h"
#include "gateway/drain.h"

void agent_session_get(struct api_call *call, struct api_reply *reply)
{
	agent_get(call, reply);
}

/* The open session of the path's agent; -ENOENT with the reply filled. */
static int path_session(struct api_call *call, struct api_reply *reply,
	struct db_agent_session *ret_session)
{
	int64_t id = agent_of_path(call, reply);
	int err;

	if (id == 0)
		return -EACCES;
	err = db_agent_session_of_user(call->db, id, ret_session);
	if (err == -ENOENT)
		api_fail(reply, 409, "SIGNED_OUT",
			"The agent is not signed in. Sign in to a campaign first.");
	else if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	return err;
}

void agent_session_start(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"campaignId", NULL};
	struct db_agent_session session;
	int64_t id = agent_of_path(call, reply), campaign = 0;
	int err;

	if (id == 0 || drain_refuses(call->gw, reply) ||
		api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "campaignId", false, &campaign) < 0)
		return;
	err = db_agent_session_start(call->db, id, campaign, call->gw->node, &session);
	if (err == -EEXIST) {
		api_fail(reply, 409, "ALREADY_SIGNED_IN",
			"The agent is signed in already. Sign out first to change the campaign.");
	} else if (err == -EPERM) {
		api_fail(reply, 403, "NOT_ON_CAMPAIGN",
			"The agent is not on this campaign, or on none. A supervisor can add it: POST "
			".../campaigns/{id}/join-agent.");
	} else if (err == -EINVAL) {
		api_fail(reply, 409, "CAMPAIGN_STOPPED",
			"The campaign is completed: it dials nobody any more. Sign in to another "
			"one, or, without campaignId, to all that the agent is on.");
	} else if (err < 0) {
		api_fail_db(reply, err, "agent", call->db);
	} else {
		agent_changed(call->gw, &session);
		agent_answer(call, reply, 201, id);
	}
}

void agent_session_end(struct api_call *call, struct api_reply *reply)
{
	struct db_agent_session session;
	int err;

	if (path_session(call, reply, &session) < 0)
		return;
	err = db_agent_session_end(call->db, session.id);
	if (err == -EBUSY) {
		api_fail(reply, 409, "ON_A_CALL",
			"The agent is on a call. End the call first, then sign out.");
		return;
	}
	if (err == 0)
		err = db_agent_session_get(call->db, session.id, &session);
	if (err < 0) {
		api_fail_db(reply, err, "session", call->db);
		return;
	}
	agent_changed(call->gw, &session);
	agent_answer(call, reply, 200, session.user_id);
}

void agent_session_ready(struct api_call *call, struct api_reply *reply)
{
	struct db_agent_session session;
	int err;

	if (path_session(call, reply, &session) < 0)
		return;
	err = db_agent_session_ready(call->db, session.id, &session);
	if (err < 0) {
		api_fail_db(reply, err, "session", call->db);
		return;
	}
	agent_changed(call->gw, &session);
	agent_answer(call, reply, 200, session.user_id);
}

/* {reason, comment, type}: what is not on the list is nobody's reason. */
static int read_pause(struct api_call *call, struct api_reply *reply,
	struct db_pause_reason *ret_reason, char *comment, size_t comment_size)
{
	static const char *const fields[] = {"reason", "comment", "type", NULL};
	struct db_pause_reason wish = {.reason = "break"};
	int err;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "reason", false, wish.reason,
			sizeof(wish.reason)) < 0 ||
		api_body_text(call, reply, "comment", false, comment, comment_size) < 0 ||
		api_body_text(call, reply, "type", false, wish.type, sizeof(wish.type)) <
			0)
		return -EINVAL;
	err = db_pause_reason_find(call->db,
		json_object_get(call->body, "type") != NULL ? wish.type : NULL,
		wish.reason, ret_reason);
	if (err == -ENOENT)
		api_fail_field(reply, "reason",
			"reason must be one of those that GET /api/pause-reasons lists, type (if "
			"given) its type.");
	else if (err < 0)
		api_fail_db(reply, err, "pause reason", call->db);
	return err;
}

void agent_session_pause(struct api_call *call, struct api_reply *reply)
{
	struct db_agent_session session;
	struct db_pause_reason reason;
	char comment[256] = "";
	int err;

	if (path_session(call, reply, &session) < 0 ||
		read_pause(call, reply, &reason, comment, sizeof(comment)) < 0)
		return;
	err = db_agent_session_pause(call->db, session.id,
		&(struct db_pause_wish){
			.type = reason.type, .reason = reason.reason, .comment = comment},
		&session);
	if (err < 0) {
		api_fail_db(reply, err, "session", call->db);
		return;
	}
	agent_changed(call->gw, &session);
	agent_answer(call, reply, 200, session.user_id);
}
