/*
 * scope.h: what an agent may see and touch: campaigns that it is on, calls of its own, itself.
 *
 * Goes by the names in the route's path, so that no route of a campaign or call can forget it.
 * Routes that name such things in the body or list them filter by api_agent() themselves.
 */
#ifndef OMNIVOX_GATEWAY_SCOPE_H
#define OMNIVOX_GATEWAY_SCOPE_H

#include "gateway/api.h"
#include "gateway/routes.h"

/*
 * Database worker. 0; or -EACCES with the reply filled: 404 for a campaign or call that is not
 * the agent's, as for one that is not there; 403 for another agent.
 */
int scope_check(
	struct api_call *call, const struct api_route *route, struct api_reply *reply);

/* The same for one campaign that the body or the query names. */
int scope_campaign(struct api_call *call, int64_t campaign_id, struct api_reply *reply);

/* Whether the caller may see what belongs to this campaign; false also without a database. */
bool scope_sees_campaign(struct api_call *call, int64_t campaign_id);

#endif
