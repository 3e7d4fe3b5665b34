/*
 * nodes.h: the gateways that share this database, and what the whole installation looks like.
 */
#ifndef OMNIVOX_DB_NODES_H
#define OMNIVOX_DB_NODES_H

#include <stddef.h>

#include "db/conn.h"

/* How many there are of something: kind call or agent (word: state), registration, tokens. */
struct db_census {
	char kind[DB_WORD_SIZE], word[DB_WORD_SIZE];
	double value;
};

/* What nobody is in has no row. */
int db_census(struct db *db, struct db_census **ret_rows, size_t *ret_count);

#endif
