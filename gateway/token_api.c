/* token_api.c: access tokens for browsers. See token_api.h. */
#include "gateway/token_api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "gateway/agent.h"
#include "twilio/token.h"

/* The SDK asks for a new one before this is over; a stolen one is worth little. */
#define TOKEN_TTL_S 3600

static const char *missing_setting(const struct gateway *gw)
{
	static const char *const names[] = {"TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET",
		"TWILIO_TWIML_APP_SID", NULL};

	for (size_t i = 0; names[i] != NULL; i++)
		if (config_text(gw->config, names[i])[0] == '\0')
			return names[i];
	return NULL;
}

/* The agent that the token is for exists and may be touched by the caller. */
static int check_agent(struct api_call *call, struct api_reply *reply, int64_t id)
{
	struct db_agent agent;
	int err;

	if (strcmp(call->user.role, "agent") == 0 && call->user.id != id) {
		api_fail(reply, 403, "FORBIDDEN",
			"An agent gets a token only for itself.");
		return -EACCES;
	}
	err = id == 0 ? -ENOENT : db_agent_get(call->db, id, &agent);
	if (err < 0)
		api_fail_db(reply, err, "agent", call->db);
	return err;
}

static void answer(
	struct api_call *call, struct api_reply *reply, int64_t id, bool with_identity)
{
	const struct config *config = call->gw->config;
	const char *region = config_text(config, "TWILIO_REGION");
	const char *missing = missing_setting(call->gw);
	char identity[AGENT_IDENTITY_SIZE];
	struct buf jwt = {0};

	if (check_agent(call, reply, id) < 0)
		return;
	if (missing != NULL) {
		api_fail(reply, 503, "TOKENS_NOT_SET_UP",
			"Browsers cannot be phones here: %s is not set. An administrator sets it "
			"in the environment or in the file of --config.",
			missing);
		return;
	}
	(void)snprintf(identity, sizeof(identity), AGENT_IDENTITY, id);
	if (twilio_token_make(
		    &(struct twilio_token){
			    .account_sid = config_text(config, "TWILIO_ACCOUNT_SID"),
			    .api_key_sid = config_text(config, "TWILIO_API_KEY_SID"),
			    .api_key_secret =
				    config_text(config, "TWILIO_API_KEY_SECRET"),
			    .twiml_app_sid = config_text(config, "TWILIO_TWIML_APP_SID"),
			    .identity = identity,
			    .region = region[0] == '\0' || strcmp(region, "us1") == 0
					      ? NULL
					      : region,
			    .now_s = clock_wall_ms() / 1000,
			    .ttl_s = TOKEN_TTL_S,
		    },
		    &jwt) < 0)
		api_fail(reply, 500, "INTERNAL", "The token could not be made.");
	else
		api_ok(reply, 200,
			json_pack(
				"{s:s, s:o}", "token", jwt.data, "agentId", api_id(id)));
	if (with_identity && reply->data != NULL)
		(void)json_object_set_new(reply->data, "identity", json_string(identity));
	if (jwt.data != NULL)
		explicit_bzero(jwt.data, jwt.len);
	buf_free(&jwt);
}

void token_of_agent(struct api_call *call, struct api_reply *reply)
{
	answer(call, reply, api_param_id(call, 0), false);
}

void token_create(struct api_call *call, struct api_reply *reply)
{
	static const char *const fields[] = {"agentId", NULL};
	bool is_agent = strcmp(call->user.role, "agent") == 0;
	int64_t id = is_agent ? call->user.id : 0;

	if (api_body_only(call, reply, fields) < 0 ||
		api_body_id(call, reply, "agentId", !is_agent, &id) < 0)
		return;
	answer(call, reply, id, true);
}
