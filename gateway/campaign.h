/*
 * campaign.h: the runner of campaigns: leases them, paces them, claims the next call.
 */
#ifndef OMNIVOX_GATEWAY_CAMPAIGN_H
#define OMNIVOX_GATEWAY_CAMPAIGN_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

/* Loop thread, at start and end. */
int campaigns_new(struct gateway *gw, struct campaigns **ret_campaigns);
void campaigns_free(struct campaigns **campaigns);

/* Any thread. Something about the campaign changed (started, stopped, an agent came free). */
void campaign_wake(struct gateway *gw, int64_t campaign_id);

/* Any thread. What the runner is doing, one sentence: why nothing is dialled, or that it is. */
void campaign_reason(struct gateway *gw, int64_t campaign_id, char *buf, size_t size);

#endif
