/*
 * maintenance.h: the commands that work on the database and end: --migrate, --backup FILE,
 * --restore FILE. Before any thread exists; each says what it did, returns an exit status
 * (sysexits), and starts the private PostgreSQL for its time when nobody runs it.
 */
#ifndef OMNIVOX_GATEWAY_MAINTENANCE_H
#define OMNIVOX_GATEWAY_MAINTENANCE_H

#include <stdbool.h>

#include "base/config.h"

/* `plan`: only says which migrations are missing. */
int maintenance_migrate(struct config *config, bool plan);
int maintenance_backup(struct config *config, const char *path);
/* Refused while a gateway runs on this DATA_DIR, and where data is. */
int maintenance_restore(struct config *config, const char *path);

#endif
