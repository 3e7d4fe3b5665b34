/*
 * turn.h: changes of one thing that read it first go one after the other, on every node; else the
 * second would write back what the first has just replaced. So do changes of very many rows, which
 * would lock them in different orders. A turn that was begun is the connection's, and ends with it
 * at the latest; one that was taken is the transaction's.
 */
#ifndef OMNIVOX_DB_TURN_H
#define OMNIVOX_DB_TURN_H

#include "db/conn.h"

/*
 * On a worker's connection. Waits for the turn with `what` of this id, no longer than any lock is
 * waited for: then -EAGAIN.
 */
int db_turn_begin(struct db *db, const char *what, int64_t id);

/* To be called after each begin that was 0. */
void db_turn_end(struct db *db, const char *what, int64_t id);

/* Inside a transaction, before it locks anything; the turn ends with the transaction. */
int db_turn_take(struct db *db, const char *what, int64_t id);

/* Of whoever adds or removes many contacts of a list. */
#define DB_TURN_CONTACTS "contacts of list"

#endif
