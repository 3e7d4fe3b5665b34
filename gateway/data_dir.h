/*
 * data_dir.h: DATA_DIR and the lock in it, which says whether a gateway runs there.
 */
#ifndef OMNIVOX_GATEWAY_DATA_DIR_H
#define OMNIVOX_GATEWAY_DATA_DIR_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Makes DATA_DIR/run and takes the lock, waiting at most `wait_ms` for its holder to go.
 * *ret_lock_fd holds it until it is closed. -EBUSY: another gateway runs there.
 */
int data_dir_lock(
	const char *data_dir, unsigned wait_ms, int *ret_lock_fd, struct err *err);

/* The gateway that runs there. -ENOENT: none does. */
int data_dir_holder(const char *data_dir, pid_t *ret_pid);

#endif
