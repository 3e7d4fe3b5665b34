/* campaign_body.h: a campaign's settings, from JSON and to JSON. */
#ifndef OMNIVOX_GATEWAY_CAMPAIGN_BODY_H
#define OMNIVOX_GATEWAY_CAMPAIGN_BODY_H

#include "db/campaigns.h"
#include "gateway/api.h"

/* What a new campaign has unless told; the caller id is TWILIO_PHONE_NUMBER. */
void campaign_defaults(const struct gateway *gw, struct db_campaign *ret_campaign);

/*
 * The body's fields over what is in *campaign already. `state` is left to the caller. -EINVAL:
 * the reply is filled and *campaign may be half changed.
 */
int campaign_read(
	struct api_call *call, struct api_reply *reply, struct db_campaign *campaign);

/* NULL without memory. The counts alone are `stats` of it. */
json_t *campaign_counts_json(const struct db_campaign *campaign);
json_t *campaign_json(const struct db_campaign *campaign);

#endif
