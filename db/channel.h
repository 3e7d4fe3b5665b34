/*
 * channel.h: what the nodes of one database tell each other at once, by PostgreSQL's LISTEN and
 * NOTIFY. Nothing is kept: who does not listen, or whose connection breaks, misses it.
 */
#ifndef OMNIVOX_DB_CHANNEL_H
#define OMNIVOX_DB_CHANNEL_H

#include "db/conn.h"

/* Bytes of a payload at most (PostgreSQL, NOTIFY: "shorter than 8000 bytes"). */
#define DB_CHANNEL_MAX 7999

/* Listens on this connection. After -EIO of db_channel_wait() it must be asked for again. */
int db_channel_listen(struct db *db);

/*
 * Waits until something was told, `wake_fd` (-1: none) is readable, or `wait_ms` are over. -EIO:
 * this connection does not listen (any more).
 */
int db_channel_wait(struct db *db, int wake_fd, int wait_ms);

/* What was told by now, this connection's own included; `each` must not use `db`. */
void db_channel_heard(
	struct db *db, void (*each)(void *arg, const char *payload), void *arg);

/*
 * Tells `payload` to all who listen, in a transaction of its own: commits with a NOTIFY wait for
 * each other in the whole cluster. Its commit waits for no disk. -EINVAL: too long.
 */
int db_channel_tell(struct db *db, const char *payload);

#endif
