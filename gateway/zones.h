/*
 * zones.h: the system's time zones (TZif files of version 2 and later, RFC 8536), for dialer/zone.h.
 *
 * Read once at start and never changed: any thread. A new tzdata counts from the next start on.
 */
#ifndef OMNIVOX_GATEWAY_ZONES_H
#define OMNIVOX_GATEWAY_ZONES_H

#include "base/err.h"
#include "dialer/zone.h"

#define ZONES_DIR "/usr/share/zoneinfo"

struct zones;

/* -ENOENT when the folder has no time zone at all. */
int zones_load(const char *dir, struct zones **ret_zones, struct err *err);
void zones_free(struct zones **zones);

/* By its IANA name; NULL: there is none. */
const struct zone *zones_find(const struct zones *zones, const char *name);

/*
 * One file. Transitions that were over in 2020 are left out. -EINVAL for what is no TZif file of
 * version 2, -ENOMEM. Free with zones_free_one().
 */
int zones_parse(const char *name, const void *data, size_t size, struct zone *ret_zone);
void zones_free_one(struct zone *zone);

#endif
