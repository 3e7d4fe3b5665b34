/* import_run.h: one import from its file to its end, and the answer to whoever waits for it. */
#ifndef OMNIVOX_GATEWAY_IMPORT_RUN_H
#define OMNIVOX_GATEWAY_IMPORT_RUN_H

#include "gateway/import.h"

/*
 * On an import thread; returns when it has ended, whichever way. `work` holds the rows in one
 * transaction, `note` tells meanwhile how far it is.
 */
void import_run(struct gateway *gw, struct db *work, struct db *note,
	const struct import_order *order);

#endif
