/*
 * memory.h: memory that is always there. Any thread.
 *
 * A stand-in that runs out of memory has nothing to save: it says so and stops, so that no
 * path of the sandbox has to be half done.
 */
#ifndef OMNIVOX_SANDBOX_MEMORY_H
#define OMNIVOX_SANDBOX_MEMORY_H

#include <stddef.h>

void *memory_zero(size_t size);      /* all zero; the caller frees */
char *memory_text(const char *text); /* a copy; NULL gives NULL */
void memory_swap(
	char **text, const char *replacement); /* frees the old, copies the new */

#endif
