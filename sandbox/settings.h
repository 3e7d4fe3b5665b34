/* settings.h: the sandbox's settings: SANDBOX_LISTEN as --listen, in the environment, in a file. */
#ifndef OMNIVOX_SANDBOX_SETTINGS_H
#define OMNIVOX_SANDBOX_SETTINGS_H

#include "base/config.h"
#include "base/err.h"

/*
 * As config_load(), with every option known by its short name too (--data for --sandbox-data).
 * 1: --help was asked for and printed. -EINVAL with the reason.
 */
int settings_load(int argc, char **argv, struct config **ret_config, struct err *err);

#endif
