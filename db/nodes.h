/*
 * nodes.h: the gateways that share this database, what is to be done for one that is dead, and
 * what the whole installation looks like.
 *
 * A node is dead when it was not seen for `dead_ms`, by the database's clock. Who buries others
 * must have seen the database itself all that time: else all look dead after an outage.
 */
#ifndef OMNIVOX_DB_NODES_H
#define OMNIVOX_DB_NODES_H

#include <stdbool.h>
#include <stddef.h>

#include "db/conn.h"

/* A call's deadline is acted on by others as soon as its node was not seen so long. */
#define DB_NODE_DEAD_MS 15000

/* This node starts, and gives its agents calls again, unless it is one to be drained. */
int db_node_begin(struct db *db, const char *node, bool draining);

/* This node lives. */
int db_node_seen(struct db *db, const char *node);

/* Open calls of agents whose phones hang on a dead node: nobody speaks there any more. */
int db_node_orphans(
	struct db *db, unsigned dead_ms, int64_t **ret_calls, size_t *ret_count);

/*
 * Sessions of dead nodes: those of agents on plain phones and browsers, whose legs are at
 * Twilio, become `node`'s; those of SIP phones whom no call holds are ended. What an ended call
 * left held is the sweep's to free first. Returns the changed ones.
 */
int db_node_inherit(struct db *db, const char *node, unsigned dead_ms,
	int64_t **ret_sessions, size_t *ret_count);

/*
 * For the end of a node: its leases are free at once, and from now on no node gives its agents a
 * call; then its sessions that no call holds are ended.
 */
int db_node_drain(struct db *db, const char *node);
int db_node_sign_out(
	struct db *db, const char *node, int64_t **ret_sessions, size_t *ret_count);

/* Whether others live besides this node. */
int db_node_others(struct db *db, const char *node, bool *ret_others);

/*
 * Says whether somebody hears events at this node, and asks whether somebody does at another one
 * that lives.
 */
int db_node_hears(struct db *db, const char *node, bool hears, bool *ret_others_hear);

/*
 * What other nodes changed: this node's sessions whose version is not the one known (`count`
 * ids and versions), or that are not known at all. Returns their ids.
 */
struct db_node_known {
	const int64_t *ids, *versions;
	size_t count;
};
int db_node_news(struct db *db, const char *node, const struct db_node_known *known,
	int64_t **ret_ids, size_t *ret_count);

/* Agents who are ready at other nodes, which live and are not being drained, by campaign. */
struct db_node_ready {
	int64_t campaign_id;
	unsigned count;
};
int db_node_ready(struct db *db, const char *node, struct db_node_ready **ret_rows,
	size_t *ret_count);

/* Open calls that this node placed, or whose agents are this node's. */
int db_node_calls(struct db *db, const char *node, int64_t *ret_count);

/* How many there are of something: kind call or agent (word: state), registration, tokens. */
struct db_census {
	char kind[DB_WORD_SIZE], word[DB_WORD_SIZE];
	double value;
};

/* What nobody is in has no row. */
int db_census(struct db *db, struct db_census **ret_rows, size_t *ret_count);

#endif
