/*
 * campaign.h: the runner of campaigns: leases them, paces them, claims the next call.
 *
 * What it is doing, or why it is not dialling, stands in the campaign's row (run_code, run_reason).
 */
#ifndef OMNIVOX_GATEWAY_CAMPAIGN_H
#define OMNIVOX_GATEWAY_CAMPAIGN_H

#include <stdint.h>

#include "gateway/gateway.h"

/* Loop thread, at start and end. */
int campaigns_new(struct gateway *gw, struct campaigns **ret_campaigns);
void campaigns_free(struct campaigns **campaigns);

/* Any thread. A line or an agent came free, or a call ended: whoever waits for that looks at once. */
void campaign_wake(struct gateway *gw, int64_t campaign_id);

/*
 * Any thread. Somebody started, stopped or edited it, or its lists got contacts: its row is read
 * anew and its lists are looked through. Campaign 0 is none, and only has the leases looked at.
 */
void campaign_changed(struct gateway *gw, int64_t campaign_id);

#endif
