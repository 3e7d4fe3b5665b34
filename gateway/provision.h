/*
 * provision.h: the command --provision-twilio: what the gateway needs in a Twilio account, and
 * what of it is there. Creates and changes only what it needs: a SIP domain with a credential, a
 * TwiML App, the addresses of numbers; deletes nothing.
 */
#ifndef OMNIVOX_GATEWAY_PROVISION_H
#define OMNIVOX_GATEWAY_PROVISION_H

#include <stdbool.h>

#include "base/config.h"

#define PROVISION_PENDING 2 /* exit status: something is to be done */

/*
 * Prints the plan, current -> wanted, and does it when `apply`. Returns an exit status: 0 all is
 * as wanted, 2 it is not (without `apply`), else sysexits: 69 Twilio cannot be reached, 77
 * Twilio refuses, 78 a setting is missing. A second run finds what the first one made.
 */
int provision(const struct config *config, bool apply);

#endif
