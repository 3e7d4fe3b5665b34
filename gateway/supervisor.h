/*
 * supervisor.h: the small process that holds what must not die with a worker: the HTTP
 * listening socket and the private PostgreSQL; it runs one worker and restarts it.
 */
#ifndef OMNIVOX_GATEWAY_SUPERVISOR_H
#define OMNIVOX_GATEWAY_SUPERVISOR_H

#include "base/config.h"

/*
 * Returns the exit status (sysexits) when told to stop (SIGTERM, SIGINT, SIGHUP, at any time), or
 * when it cannot start. Told to stop, it leaves no PostgreSQL behind that it started; one that does
 * not get ready in time is left, unless it is told to stop: the next start finds it.
 */
int supervisor_run(struct config *config);

#endif
