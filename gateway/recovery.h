/*
 * recovery.h: a worker's first act: goes on where the one before it was cut off.
 */
#ifndef OMNIVOX_GATEWAY_RECOVERY_H
#define OMNIVOX_GATEWAY_RECOVERY_H

#include "gateway/gateway.h"

/*
 * Loop thread, before the loop runs; may block on `db`. Dialogs and relays are resumed; calls
 * whose POST was under way become ambiguous; every open call is asked for at Twilio.
 */
int recover(struct gateway *gw, struct db *db);

#endif
