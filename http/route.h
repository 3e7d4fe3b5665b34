/*
 * route.h: finds the row of the route table that a method and a path ask for.
 *
 * The table becomes a tree of path segments, once; a search only reads it. Any thread.
 */
#ifndef OMNIVOX_HTTP_ROUTE_H
#define OMNIVOX_HTTP_ROUTE_H

#include <stddef.h>

#include "http/server.h"

struct route_table;

/* A segment as it stood in the path: not decoded, not ended; points into the path. */
struct route_param {
	const char *text;
	size_t len;
};

struct route_match {
	size_t route; /* index of the row */
	struct route_param params[HTTP_PARAMS_MAX];
	size_t param_count;
};

/*
 * `routes` is borrowed for life. -EINVAL for a path that does not start with '/', has an empty
 * segment or too many ":name"s; -EEXIST when two rows claim the same method and path.
 */
int route_table_new(
	const struct http_route *routes, size_t count, struct route_table **ret_table);
void route_table_free(struct route_table **table);

/*
 * A literal segment is tried before a ":name" at the same place, the ":name" when the literal
 * leads nowhere. `path` has no query; its %-escapes are not looked into, so an escaped literal
 * is not that literal. 0; -ENOENT: no row has this path; -EOPNOTSUPP: rows have it, but not
 * with this method. `*ret_allowed` (bits of enum http_method) is set in every case.
 */
int route_find(const struct route_table *table, unsigned method, const char *path,
	struct route_match *ret_match, unsigned *ret_allowed);

#endif
