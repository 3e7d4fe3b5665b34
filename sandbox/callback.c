/* callback.c: copies, and words as bits. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/callback.h"
#include "sandbox/memory.h"

void callback_free(struct callback *callback)
{
	free(callback->url);
	free(callback->method);
	memset(callback, 0, sizeof(*callback));
}

void callback_copy(struct callback *callback, const struct callback *from)
{
	callback->url = memory_text(from->url);
	callback->method = memory_text(from->method);
	callback->events = from->events;
}

unsigned callback_events(
	const char *text, const struct callback_word *words, size_t count)
{
	unsigned events = 0;
	size_t len, i;

	for (; *text != '\0'; text += len) {
		text += strspn(text, " ,\t\n");
		len = strcspn(text, " ,\t\n");
		for (i = 0; i < count; i++)
			if (strlen(words[i].word) == len &&
				memcmp(words[i].word, text, len) == 0)
				events |= words[i].bit;
	}
	return events;
}
