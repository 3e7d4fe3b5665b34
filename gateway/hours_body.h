/* hours_body.h: the calling hours and time zones of a campaign, from JSON and to JSON. */
#ifndef OMNIVOX_GATEWAY_HOURS_BODY_H
#define OMNIVOX_GATEWAY_HOURS_BODY_H

#include "db/campaigns.h"
#include "gateway/api.h"

/* The hours of a new campaign, 8 in the morning to 9 in the evening: 16 CFR 310.4(c). */
void hours_defaults(struct db_campaign *campaign);

/* callingHours, callingHoursZone, timeZone, fallbackTimeZone. -EINVAL with the reply filled. */
int hours_read(
	struct api_call *call, struct api_reply *reply, struct db_campaign *campaign);
json_t *hours_json(const struct db_campaign *campaign);

#endif
