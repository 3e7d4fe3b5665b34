/*
 * cut.h: breaks a client's TCP connection as a dying network would. Any thread.
 *
 * The HTTP server always answers; a lost answer has to be made beneath it.
 */
#ifndef OMNIVOX_SANDBOX_CUT_H
#define OMNIVOX_SANDBOX_CUT_H

#include "base/addr.h"

/*
 * Shuts down this process's connection to `peer`, both ways; the server finds out when it next
 * writes. -ENOENT when there is none.
 */
int cut_connection(const struct addr *peer);

#endif
