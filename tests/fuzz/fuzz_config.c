/*
 * fuzz_config.c: the lines of an env file. Nothing crashes; a pair has a name without white
 * space, and name and value lie inside the line.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/envfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(char *line, size_t len)
{
	char *name = NULL, *value = NULL;

	if (envfile_parse_line(line, &name, &value) != 1)
		return;
	assert(name >= line && name < value && value <= line + len);
	assert(*name != '\0' && strpbrk(name, " \t\r\n'\"=#") != name);
	assert(strlen(value) <= (size_t)(line + len - value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size, *next;
	char *line;

	for (; data < end; data = next + 1) {
		next = memchr(data, '\n', (size_t)(end - data));
		if (next == NULL)
			next = end;
		/* Memory of its own, so that a step beyond the line is seen. */
		line = malloc((size_t)(next - data) + 1);
		if (line == NULL)
			return 0;
		memcpy(line, data, (size_t)(next - data));
		line[next - data] = '\0';
		check_line(line, strlen(line));
		free(line);
		if (next == end)
			break;
	}
	return 0;
}
