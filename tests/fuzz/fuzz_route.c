/* fuzz_route.c: any bytes as a path, against a table with literals and names at one place. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_route rows[] = {
	{.methods = HTTP_GET, .path = "/"},
	{.methods = HTTP_GET, .path = "/a/:x"},
	{.methods = HTTP_POST, .path = "/a/b"},
	{.methods = HTTP_GET, .path = "/a/b/c"},
	{.methods = HTTP_GET, .path = "/a/:x/:y"},
	{.methods = HTTP_POST, .path = "/:w/:x/:y/:z"},
	{.methods = HTTP_GET, .path = "/:w/b/c/d/e"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct route_table *table;
	struct route_match match;
	unsigned allowed;
	char *path;

	if (table == NULL &&
		route_table_new(rows, sizeof(rows) / sizeof(rows[0]), &table) != 0)
		abort();
	path = malloc(size + 1);
	if (path == NULL)
		return 0;
	memcpy(path, data, size);
	path[size] = '\0';
	for (unsigned method = HTTP_GET; method <= HTTP_DELETE; method <<= 1) {
		if (route_find(table, method, path, &match, &allowed) != 0)
			continue;
		assert((rows[match.route].methods & method) != 0 &&
			(allowed & method) != 0);
		for (size_t i = 0; i < match.param_count; i++) {
			const struct route_param *param = &match.params[i];

			assert(param->text > path && param->len > 0 &&
				param->text + param->len <= path + strlen(path) &&
				memchr(param->text, '/', param->len) == NULL);
		}
	}
	free(path);
	return 0;
}
