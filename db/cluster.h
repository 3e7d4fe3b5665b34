/*
 * cluster.h: a private PostgreSQL in DATA_DIR/postgres, for those who bring none.
 *
 * Unix socket only, in DATA_DIR/run. Used by the supervisor before any thread exists.
 */
#ifndef OMNIVOX_DB_CLUSTER_H
#define OMNIVOX_DB_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define DB_VERSIONS_DIR "/usr/lib/postgresql" /* VERSION/bin/, as Debian keeps them */

/* Whether there is one to start. */
bool db_cluster_exists(const char *data_dir);

/*
 * Makes the cluster if there is none, starts it or attaches to the one still running, and waits
 * until it takes connections. As root, PostgreSQL runs under the account `postgres`, which gets
 * the folder. *ret_pid is the postmaster. `ret_url` is what db_open() wants. -ENOPKG: PostgreSQL
 * is not installed, or not in the version of the cluster; else what files and processes fail with.
 */
int db_cluster_start(const char *data_dir, pid_t *ret_pid, char *ret_url, size_t url_size,
	struct err *err);

/* The postmaster, when it lives; else 0. */
pid_t db_cluster_pid(const char *data_dir);

/* Fast shutdown (SIGINT), waits at most `wait_ms`. */
int db_cluster_stop(const char *data_dir, unsigned wait_ms, struct err *err);

#endif
