/* login_limit.h: how often a name may be tried from an address, and a name from anywhere. */
#ifndef OMNIVOX_GATEWAY_LOGIN_LIMIT_H
#define OMNIVOX_GATEWAY_LOGIN_LIMIT_H

#include <stdint.h>

#include "base/addr.h"

/*
 * GCRA in a small table of this process: 10 tries at once, then one in 6 s, for each pair of
 * address and name. Any thread. 0: go on; else seconds to wait.
 */
int login_limit_take(const struct addr *peer, const char *username, int64_t now_ms);

#endif
