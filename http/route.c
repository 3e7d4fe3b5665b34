/* route.c: a tree of path segments, searched from the root with literals first. */
#include "http/route.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define METHODS 5 /* of enum http_method */

struct node {
	const char *literal; /* borrowed from the row; NULL for a ":name" */
	size_t literal_len;
	struct node *children; /* literals only */
	struct node *param;
	struct node *sibling;
	unsigned methods;       /* that end here */
	size_t routes[METHODS]; /* by the method's bit number */
};

struct route_table {
	struct node root;
};

/* One search: what is wanted, and what has been seen on the way. */
struct search {
	unsigned method;
	unsigned allowed;
	struct route_match match;
};

static void free_children(struct node *node)
{
	while (node->children != NULL) {
		struct node *child = node->children;

		node->children = child->sibling;
		free_children(child);
		free(child);
	}
	if (node->param != NULL)
		free_children(node->param);
	free(node->param);
	node->param = NULL;
}

static struct node *find_literal(const struct node *node, const char *text, size_t len)
{
	struct node *child = node->children;

	while (child != NULL &&
		(child->literal_len != len || memcmp(child->literal, text, len) != 0))
		child = child->sibling;
	return child;
}

/* The child of `node` for a segment of a template, made when it is not there yet. */
static struct node *grow(struct node *node, const char *text, size_t len)
{
	struct node *child = text[0] == ':' ? node->param : find_literal(node, text, len);

	if (child != NULL)
		return child;
	child = calloc(1, sizeof(*child));
	if (child == NULL)
		return NULL;
	if (text[0] == ':') {
		node->param = child;
		return child;
	}
	child->literal = text;
	child->literal_len = len;
	child->sibling = node->children;
	node->children = child;
	return child;
}

static int claim(struct node *node, unsigned methods, size_t route)
{
	if (methods == 0 || methods >= 1u << METHODS)
		return -EINVAL;
	if ((node->methods & methods) != 0)
		return -EEXIST;
	node->methods |= methods;
	for (unsigned bit = 0; bit < METHODS; bit++)
		if ((methods & 1u << bit) != 0)
			node->routes[bit] = route;
	return 0;
}

static int add_route(
	struct route_table *table, const struct http_route *route, size_t index)
{
	struct node *node = &table->root;
	const char *at = route->path;
	size_t params = 0;

	if (at[0] != '/')
		return -EINVAL;
	while (strcmp(at, "/") != 0 && at[0] == '/') {
		size_t len = strcspn(++at, "/");

		if (len == 0 || (at[0] == ':' && ++params > HTTP_PARAMS_MAX))
			return -EINVAL;
		node = grow(node, at, len);
		if (node == NULL)
			return -ENOMEM;
		at += len;
	}
	/* A slash at the end would be a path of its own; nobody means that. */
	if (node != &table->root && at[0] == '/')
		return -EINVAL;
	return claim(node, route->methods, index);
}

int route_table_new(
	const struct http_route *routes, size_t count, struct route_table **ret_table)
{
	struct route_table *table = calloc(1, sizeof(*table));
	int err = table == NULL ? -ENOMEM : 0;

	for (size_t i = 0; i < count && err == 0; i++)
		err = add_route(table, &routes[i], i);
	if (err != 0)
		route_table_free(&table);
	else
		*ret_table = table;
	return err;
}

void route_table_free(struct route_table **table)
{
	if (*table == NULL)
		return;
	free_children(&(*table)->root);
	free(*table);
	*table = NULL;
}

/* A row that ends at `node`: true when it takes the method. */
static bool arrive(struct search *search, const struct node *node)
{
	search->allowed |= node->methods;
	if ((node->methods & search->method) == 0)
		return false;
	search->match.route = node->routes[__builtin_ctz(search->method)];
	return true;
}

/*
 * `at` is the end of the path or the '/' before a segment. The tree is as deep as the longest
 * template, which bounds the recursion whatever the path is.
 */
static bool descend(struct search *search, const struct node *node, const char *at)
{
	const struct node *literal;
	size_t len;

	if (at[0] == '\0')
		return arrive(search, node);
	len = strcspn(++at, "/");
	if (len == 0)
		return false;
	literal = find_literal(node, at, len);
	if (literal != NULL && descend(search, literal, at + len))
		return true;
	if (node->param == NULL)
		return false;
	assert(search->match.param_count < HTTP_PARAMS_MAX);
	search->match.params[search->match.param_count++] =
		(struct route_param){.text = at, .len = len};
	if (descend(search, node->param, at + len))
		return true;
	search->match.param_count--;
	return false;
}

int route_find(const struct route_table *table, unsigned method, const char *path,
	struct route_match *ret_match, unsigned *ret_allowed)
{
	struct search search = {.method = method};
	bool found = false;

	if (strcmp(path, "/") == 0)
		found = arrive(&search, &table->root);
	else if (path[0] == '/')
		found = descend(&search, &table->root, path);
	*ret_allowed = search.allowed;
	if (found)
		*ret_match = search.match;
	if (found)
		return 0;
	return search.allowed == 0 ? -ENOENT : -EOPNOTSUPP;
}
