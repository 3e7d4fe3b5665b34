/*
 * nodes.h: the gateways that share this database, what is to be done for one that is dead, and
 * what the whole installation looks like.
 *
 * A node is dead when it was not seen for `dead_ms`, by the database's clock. Who buries others
 * must have seen the database itself all that time: else all look dead after an outage.
 */
#ifndef OMNIVOX_DB_NODES_H
#define OMNIVOX_DB_NODES_H

#include <stddef.h>

#include "db/conn.h"

/* A call's deadline is acted on by others as soon as its node was not seen so long. */
#define DB_NODE_DEAD_MS 15000

/* This node lives. */
int db_node_seen(struct db *db, const char *node);

/* Open calls of agents whose phones hang on a dead node: nobody speaks there any more. */
int db_node_orphans(
	struct db *db, unsigned dead_ms, int64_t **ret_calls, size_t *ret_count);

/*
 * Sessions of dead nodes: those of agents on plain phones and browsers, whose legs are at
 * Twilio, become `node`'s; those of SIP phones without an open call are ended. Returns the
 * changed ones.
 */
int db_node_inherit(struct db *db, const char *node, unsigned dead_ms,
	int64_t **ret_sessions, size_t *ret_count);

/* For the end of a node: its leases are free at once; its sessions without a call are ended. */
int db_node_release(struct db *db, const char *node);
int db_node_sign_out(
	struct db *db, const char *node, int64_t **ret_sessions, size_t *ret_count);

/* Open calls that this node placed. */
int db_node_calls(struct db *db, const char *node, int64_t *ret_count);

/* How many there are of something: kind call or agent (word: state), registration, tokens. */
struct db_census {
	char kind[DB_WORD_SIZE], word[DB_WORD_SIZE];
	double value;
};

/* What nobody is in has no row. */
int db_census(struct db *db, struct db_census **ret_rows, size_t *ret_count);

#endif
