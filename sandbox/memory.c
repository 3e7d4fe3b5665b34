/* memory.c: allocation that stops the program instead of failing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/memory.h"

static void *check(void *memory)
{
	if (memory != NULL)
		return memory;
	(void)fputs("omnivox-sandbox: out of memory\n", stderr);
	abort();
}

void *memory_zero(size_t size)
{
	return check(calloc(1, size));
}

char *memory_text(const char *text)
{
	return text == NULL ? NULL : check(strdup(text));
}

void memory_swap(char **text, const char *replacement)
{
	char *copy = memory_text(replacement);

	free(*text);
	*text = copy;
}
