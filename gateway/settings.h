/*
 * settings.h: the gateway's settings: the one alphabetical table, and what follows from it.
 */
#ifndef OMNIVOX_GATEWAY_SETTINGS_H
#define OMNIVOX_GATEWAY_SETTINGS_H

#include <stddef.h>

#include "base/config.h"

extern const struct config_item settings[];
extern const size_t settings_count;

/*
 * What one value alone cannot tell: values that need each other. -EINVAL with a sentence.
 */
int settings_check(const struct config *config, struct err *err);

#endif
