/* captured.h: what the code under test writes to stderr, as a text. */
#ifndef OMNIVOX_TESTS_CAPTURED_H
#define OMNIVOX_TESTS_CAPTURED_H

#include <stddef.h>

/* From now on stderr goes into a file of its own. One at a time. */
void captured_start(void);

/* Puts stderr back; the text, cut to size, is in `ret_text`. */
void captured_stop(char *ret_text, size_t size);

#endif
