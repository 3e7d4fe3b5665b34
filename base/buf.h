/* buf.h: a growing byte buffer that always ends in NUL. Not for sharing between threads. */
#ifndef OMNIVOX_BASE_BUF_H
#define OMNIVOX_BASE_BUF_H

#include <stddef.h>

/*
 * Start with all zero. A failed allocation sets `failed` and later adds do nothing, so a
 * writer checks once, at the end.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	int failed;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Empties, keeps the memory. */
void buf_reset(struct buf *b);

/* Frees; the buffer may be used again. Harmless twice. */
void buf_free(struct buf *b);

/* Hands the NUL-terminated memory to the caller (who frees it) and empties; NULL if failed. */
char *buf_take(struct buf *b);

#endif
