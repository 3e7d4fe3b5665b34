/* agent_api.c: the routes of agents. See agent_api.h. */
#include "gateway/agent_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"
#include "gateway/account.h"
#include "gateway/endpoint_api.h"
#include "gateway/password.h"
#include "gateway/sip_secret.h"
#include "sip/edge.h"

/* ---- what an agent looks like ---- */

static json_t *session_json(const struct db_agent *a)
{
	if (a->session_id == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:o}", "id",
		api_id(a->session_id), "campaignId", api_id(a->campaign_id), "state",
		a->state, "reason", a->pause_reason, "since", api_time(a->state_since_ms),
		"wantsReady", a->wants_ready, "phoneUp", a->phone_up, "twilioUp",
		a->twilio_up, "callId", api_id(a->call_id));
}

static json_t *agent_json(const struct db_agent *a)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:s, s:{s:s, s:o, s:b}, s:o}",
		"id", api_id(a->user.id), "agentId", api_id(a->user.id), "username",
		a->user.username, "name", a->user.name, "sipUsername", a->sip_username,
		"registered", a->registered, "userAgent", a->user_agent, "endpoint",
		"type", a->endpoint.type, "number", api_text(a->endpoint.number),
		"nailed", a->endpoint.nailed, "session", session_json(a));
}

/* What a person types into a softphone. The password is shown this once. */
static json_t *card_json(
	const struct gateway *gw, const char *username, const char *password)
{
	char domain[SIP_URI_SIZE];

	(void)snprintf(domain, sizeof(domain), "%.200s:%u", sip_edge_host(gw->edge),
		addr_port(sip_edge_addr(gw->edge)));
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "username", username, "password",
		password, "domain", domain, "realm", config_text(gw->config, "SIP_REALM"),
		"transport", "udp");
}

int64_t agent_of_path(struct api_call *call, struct api_reply *reply)
{
	int64_t id = api_param_id(call, 0);

	if (strcmp(call->user.role, "agent") == 0 && call->user.id != id) {
		api_fail(reply, 403, "FORBIDDEN",
			"An agent may only see and change itself.");
		return 0;
	}
	if (id == 0)
		api_fail(reply, 404, "NOT_FOUND", "There is no such agent.");
	return id;
}

void agent_answer(struct api_call *call, struct api_reply *reply, int status, int64_t id)
{
	struct db_agent agent;
	int err = db_agent_get(call->db, id, &agent);

	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		api_ok(reply, status, json_pack("{s:o}", "agent", agent_json(&agent)));
}

void agents_list(struct api_call *call, struct api_reply *reply)
{
	struct db_agent *rows = NULL;
	json_t *list = json_array();
	size_t count = 0;
	int err = db_agent_list(call->db, &rows, &count);

	if (err < 0) {
		json_decref(list);
		api_fail_db(reply, err, "agent", call->db);
		return;
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, agent_json(&rows[i]));
	free(rows);
	api_ok(reply, 200, json_pack("{s:o}", "agents", list));
}

void agent_get(struct api_call *call, struct api_reply *reply)
{
	int64_t id = agent_of_path(call, reply);

	if (id != 0)
		agent_answer(call, reply, 200, id);
}

/* ---- accounts ---- */

struct new_agent {
	struct db_user user;
	struct db_endpoint endpoint;
	struct db_sip_account account;
	char password[ACCOUNT_PASSWORD_SIZE];
	char sip_password[SIP_PASSWORD_SIZE];
	bool generated;
};

static int read_new_agent(
	struct api_call *call, struct api_reply *reply, struct new_agent *made)
{
	static const char *const fields[] = {
		"username", "name", "password", "sipUsername", "endpoint", NULL};
	struct db_user *user = &made->user;
	struct db_sip_account *account = &made->account;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_text(call, reply, "username", true, user->username,
			sizeof(user->username)) < 0 ||
		account_check_username(reply, "username", user->username) < 0 ||
		api_body_text(call, reply, "name", true, user->name, sizeof(user->name)) <
			0 ||
		account_read_password(call, reply, made->password, &made->generated) <
			0 ||
		api_body_text(call, reply, "sipUsername", false, account->username,
			sizeof(account->username)) < 0 ||
		account_check_username(reply, "sipUsername", account->username) < 0 ||
		endpoint_of_body(reply, json_object_get(call->body, "endpoint"),
			&made->endpoint) < 0)
		return -EINVAL;
	if (account->username[0] == '\0')
		memcpy(account->username, user->username, sizeof(account->username));
	return 0;
}

static int make_secrets(const struct gateway *gw, struct new_agent *made)
{
	int err;

	(void)text_copy(made->user.role, sizeof(made->user.role), "agent");
	made->user.active = true;
	sip_password(made->sip_password);
	err = password_hash(made->password, made->user.password_hash,
		sizeof(made->user.password_hash));
	if (err == 0)
		err = sip_ha1(made->account.username,
			config_text(gw->config, "SIP_REALM"), made->sip_password,
			made->account.ha1_md5, made->account.ha1_sha256);
	return err;
}

void agent_create(struct api_call *call, struct api_reply *reply)
{
	struct new_agent made = {.generated = false};
	int64_t id;
	int err;

	if (read_new_agent(call, reply, &made) < 0)
		return;
	err = make_secrets(call->gw, &made);
	if (err == 0)
		err = db_agent_create(call->db, &made.user, &made.account,
			json_object_get(call->body, "endpoint") ? &made.endpoint : NULL,
			&id);
	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		agent_answer(call, reply, 201, id);
	if (reply->data != NULL) {
		reply->secret = true;
		(void)json_object_set_new(reply->data, "sip",
			card_json(call->gw, made.account.username, made.sip_password));
		(void)json_object_set_new(reply->data, "password",
			made.generated ? json_string(made.password) : json_null());
	}
	explicit_bzero(&made, sizeof(made));
}

void agent_sip_password(struct api_call *call, struct api_reply *reply)
{
	struct new_agent made = {.generated = false};
	struct db_agent agent;
	int err = db_agent_get(call->db, api_param_id(call, 0), &agent);

	if (err == 0) {
		/* Who became an agent later has no account yet. */
		memcpy(made.account.username,
			agent.sip_username[0] != '\0' ? agent.sip_username
						      : agent.user.username,
			sizeof(made.account.username));
		made.account.user_id = agent.user.id;
		sip_password(made.sip_password);
		err = sip_ha1(made.account.username,
			config_text(call->gw->config, "SIP_REALM"), made.sip_password,
			made.account.ha1_md5, made.account.ha1_sha256);
	}
	if (err == 0)
		err = db_sip_account_update(call->db, &made.account);
	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	else
		api_ok(reply, 200,
			json_pack("{s:o}", "sip",
				card_json(call->gw, made.account.username,
					made.sip_password)));
	reply->secret = true;
	explicit_bzero(&made, sizeof(made));
}
