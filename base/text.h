/* text.h: small checked string helpers. Pure, any thread. */
#ifndef OMNIVOX_BASE_TEXT_H
#define OMNIVOX_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies with NUL; -ENAMETOOLONG leaves dst an empty string. */
int text_copy(char *dst, size_t size, const char *src);

/* Copies what fits, cut between UTF-8 characters; for texts whose end does not matter. */
void text_cut(char *dst, size_t size, const char *src);

/* Nothing but white space, or nothing at all. */
bool text_blank(const char *text);

/* How many characters valid UTF-8 has. */
size_t text_chars(const char *text);

/* Bytes of the UTF-8 character at `text`, which ends in NUL (RFC 3629, 4); 0: it is none. */
size_t text_char(const char *text);

/* Puts '?' in place of each byte that is of no UTF-8 character; whether there was one. */
bool text_mend(char *text);

/* Whole-string decimal; -EINVAL or -ERANGE outside lo..hi. */
int text_int(const char *text, int64_t lo, int64_t hi, int64_t *ret_value);

/* Lower-case hex of `len` bytes into dst (2 * len + 1 bytes). Returns dst. */
char *text_hex(char *dst, const void *data, size_t len);

/* 0 to 15; -1: `c` is no hex digit. */
int text_hex_digit(char c);

/* `bytes` random bytes from the kernel as hex into dst (2 * bytes + 1). Aborts if it cannot. */
char *text_random(char *dst, size_t bytes);

/* Compares in constant time; 0 when equal. For secrets. */
int text_differs(const void *a, const void *b, size_t len);

#endif
