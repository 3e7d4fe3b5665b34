/* node.c: the name of this node. See node.h. */
#include "gateway/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* A random UUID, version 4 (RFC 9562, 5.4). */
static void new_uuid(char uuid[DB_NODE_SIZE])
{
	char hex[33];

	(void)text_random(hex, 16);
	hex[12] = '4';
	hex[16] = "89ab"[hex[16] & 3];
	(void)snprintf(uuid, DB_NODE_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		hex + 12, hex + 16, hex + 20);
}

static int write_id(const char *path, const char *node, struct err *err)
{
	char draft[512];
	FILE *file;
	int failed;

	(void)snprintf(draft, sizeof(draft), "%s.new", path);
	file = fopen(draft, "we");
	if (file == NULL)
		return err_set(
			err, -errno, "%s cannot be written: %s.", draft, strerror(errno));
	failed = fprintf(file, "%s\n", node) < 0 || fflush(file) != 0 ||
		 fsync(fileno(file)) < 0;
	failed = fclose(file) != 0 || failed;
	if (failed || rename(draft, path) < 0)
		return err_set(
			err, -EIO, "%s cannot be written: %s.", path, strerror(errno));
	return 0;
}

int node_id(const char *data_dir, char ret_node[DB_NODE_SIZE], struct err *err)
{
	char path[500], node[DB_NODE_SIZE];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/node-id", data_dir);
	file = fopen(path, "re");
	if (file == NULL) {
		int result;

		new_uuid(node);
		result = write_id(path, node, err);
		if (result < 0)
			return result;
	} else {
		char *line = fgets(node, sizeof(node), file);

		(void)fclose(file);
		if (line == NULL || strlen(node) != DB_NODE_SIZE - 1)
			return err_set(err, -EINVAL,
				"%s holds no UUID. Restore it, or remove it to be a new node.",
				path);
	}
	memcpy(ret_node, node, sizeof(node));
	return 0;
}
