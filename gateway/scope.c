/* scope.c: what an agent may see. See scope.h. */
#include "gateway/scope.h"

#include <errno.h>
#include <string.h>

bool scope_sees_campaign(struct api_call *call, int64_t campaign_id)
{
	int64_t agent = api_agent(call);

	return agent == 0 || db_agent_on_campaign(call->db, agent, campaign_id) == 0;
}

int scope_campaign(struct api_call *call, int64_t campaign_id, struct api_reply *reply)
{
	int64_t agent = api_agent(call);
	int err;

	if (agent == 0)
		return 0;
	err = db_agent_on_campaign(call->db, agent, campaign_id);
	if (err < 0)
		api_fail_db(reply, err, "campaign", call->db);
	return err < 0 ? -EACCES : 0;
}

static int scope_call(struct api_call *call, int64_t call_id, struct api_reply *reply)
{
	int err = db_agent_has_call(call->db, api_agent(call), call_id);

	if (err < 0)
		api_fail_db(reply, err, "call", call->db);
	return err < 0 ? -EACCES : 0;
}

static int scope_agent(struct api_call *call, int64_t agent_id, struct api_reply *reply)
{
	if (agent_id == api_agent(call))
		return 0;
	api_fail(reply, 403, "FORBIDDEN", "An agent may only see and change itself.");
	return -EACCES;
}

static const struct {
	const char *name; /* of the path's segment */
	int (*check)(struct api_call *call, int64_t id, struct api_reply *reply);
} scopes[] = {
	{":campaignId", scope_campaign},
	{":callId", scope_call},
	{":agentId", scope_agent},
};

int scope_check(
	struct api_call *call, const struct api_route *route, struct api_reply *reply)
{
	const char *at = route->http.path;
	int err = 0;

	if (api_agent(call) == 0)
		return 0;
	for (size_t index = 0; err == 0 && (at = strchr(at, ':')) != NULL; index++) {
		size_t len = strcspn(at, "/");

		for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
			if (strlen(scopes[i].name) == len &&
				strncmp(scopes[i].name, at, len) == 0)
				err = scopes[i].check(
					call, api_param_id(call, index), reply);
		at += len;
	}
	return err;
}
