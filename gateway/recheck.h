/*
 * recheck.h: new hours, zones or attempts of a day, and the contacts that wait for the old ones.
 *
 * The database marks the campaigns (campaigns.rechecks, rechecked): what is promised with the answer to a
 * change outlives the process. One job of the slow workers goes through them, a campaign after the
 * other; of a million contacts each takes its time.
 */
#ifndef OMNIVOX_GATEWAY_RECHECK_H
#define OMNIVOX_GATEWAY_RECHECK_H

#include "gateway/gateway.h"

/* Any thread. Looks whether campaigns are marked, unless somebody does already. */
void recheck_soon(struct gateway *gw);

#endif
