/*
 * data_dir.h: DATA_DIR and the lock in it, which says whether a gateway runs there.
 */
#ifndef OMNIVOX_GATEWAY_DATA_DIR_H
#define OMNIVOX_GATEWAY_DATA_DIR_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Makes DATA_DIR/run and takes the lock, waiting at most `wait_ms` for its holder to go.
 * *ret_lock_fd holds it until it is closed. -EBUSY: another gateway runs there, or a command
 * works on the database; else why the folder or the lock cannot be made.
 */
int data_dir_lock(
	const char *data_dir, unsigned wait_ms, int *ret_lock_fd, struct err *err);

/*
 * The holder of the lock says that it is a gateway, whose SIGUSR1 begins a drain: to be called when
 * that signal is blocked. Else, as on a full disk, why not: it holds the lock all the same.
 */
int data_dir_serve(int lock_fd);

/*
 * The gateway that runs there. -ENOENT: none does. -EBUSY: none does, but a command works on the
 * database, or a gateway is just starting. Else why the lock cannot be looked at.
 */
int data_dir_gateway(const char *data_dir, pid_t *ret_pid);

#endif
