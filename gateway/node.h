/* node.h: the name of this DATA_DIR among the nodes of one database. */
#ifndef OMNIVOX_GATEWAY_NODE_H
#define OMNIVOX_GATEWAY_NODE_H

#include "base/err.h"
#include "db/conn.h"

/* Reads DATA_DIR/node-id, or makes it: a restarted node takes its own things back at once. */
int node_id(const char *data_dir, char ret_node[DB_NODE_SIZE], struct err *err);

#endif
