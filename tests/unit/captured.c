/* captured.c: stderr as a text. See captured.h. */
#include "unit/captured.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

static FILE *file;
static int saved = -1;

void captured_start(void)
{
	assert(file == NULL);
	(void)fflush(stderr);
	file = tmpfile();
	saved = dup(STDERR_FILENO);
	assert(file != NULL && saved >= 0);
	if (dup2(fileno(file), STDERR_FILENO) < 0)
		assert(0);
}

void captured_stop(char *ret_text, size_t size)
{
	size_t len;

	(void)fflush(stderr);
	if (dup2(saved, STDERR_FILENO) < 0)
		assert(0);
	(void)close(saved);
	rewind(file);
	len = fread(ret_text, 1, size - 1, file);
	ret_text[len] = '\0';
	(void)fclose(file);
	file = NULL;
}
