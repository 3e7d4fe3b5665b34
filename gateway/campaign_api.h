/* campaign_api.h: the routes of campaigns: settings, state, agents, lists. */
#ifndef OMNIVOX_GATEWAY_CAMPAIGN_API_H
#define OMNIVOX_GATEWAY_CAMPAIGN_API_H

#include "gateway/api.h"

void campaigns_list(struct api_call *call, struct api_reply *reply);
void campaign_create(struct api_call *call, struct api_reply *reply);
void campaign_get(struct api_call *call, struct api_reply *reply);
void campaign_update(struct api_call *call, struct api_reply *reply);
void campaign_delete(struct api_call *call, struct api_reply *reply);
void campaign_activate(struct api_call *call, struct api_reply *reply);
void campaign_dial_method(struct api_call *call, struct api_reply *reply);
void campaigns_stats(struct api_call *call, struct api_reply *reply);
void campaign_join_agent(struct api_call *call, struct api_reply *reply);
void campaign_leave_agent(struct api_call *call, struct api_reply *reply);
void campaign_assign_list(struct api_call *call, struct api_reply *reply);
void campaign_generate_queue(struct api_call *call, struct api_reply *reply);

/*
 * Database worker. Whether anything may be given to a campaign, which must be neither archived nor
 * completed. Negative: not, the reply is filled; `noun` names what was not found, `advice` says what
 * has become of the request and what to do.
 */
int campaign_goes_on(struct api_call *call, struct api_reply *reply, int64_t campaign_id,
	const char *noun, const char *advice);

#endif
