/*
 * worker.h: the process that does the work: puts the parts together, runs the loop, takes them
 * apart. It may die at any instruction; the next one goes on from the database.
 */
#ifndef OMNIVOX_GATEWAY_WORKER_H
#define OMNIVOX_GATEWAY_WORKER_H

#include <sys/types.h>

#include "base/config.h"

struct pulse;

struct worker_params {
	struct config *config;
	int listen_fd, metrics_fd; /* bound; borrowed; metrics_fd -1: none */
	pid_t supervisor;          /* gets SIGUSR2 when the worker answers */
	struct pulse *pulse;
};

/*
 * Runs until SIGTERM (blocked by the caller; taken from a signalfd).
 * Returns an exit status. EX_CONFIG: another try would not help. EX_UNAVAILABLE: what it needs could
 * not be had within its patience, as at the first start when a setting is wrong.
 */
int worker_run(const struct worker_params *params);

#endif
