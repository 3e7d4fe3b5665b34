/* zone_known.h: whether a time zone is one (IANA), by the system's zoneinfo. Any thread. */
#ifndef OMNIVOX_GATEWAY_ZONE_KNOWN_H
#define OMNIVOX_GATEWAY_ZONE_KNOWN_H

#include <stdbool.h>

/* "Europe/London"; looks a name up on disk, but not the same one twice in a row. */
bool zone_known(const char *name);

#endif
