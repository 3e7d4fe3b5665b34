/* callback.h: where to report to. Part of what owns it; main loop only. */
#ifndef OMNIVOX_SANDBOX_CALLBACK_H
#define OMNIVOX_SANDBOX_CALLBACK_H

#include <stddef.h>

/* Texts owned. */
struct callback {
	char *url; /* NULL: nowhere */
	char *method;
	unsigned events; /* the owner's bits */
};

struct callback_word {
	const char *word;
	unsigned bit;
};

void callback_free(struct callback *callback);
void callback_copy(struct callback *callback, const struct callback *from);

/* "start end" to bits; words separated by blanks or commas. Unknown words are left out. */
unsigned callback_events(
	const char *text, const struct callback_word *words, size_t count);

#endif
