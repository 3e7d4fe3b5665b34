/*
 * spool.h: bodies too large for memory, in files without a name: whoever dies leaves nothing.
 * http thread; the descriptor may be read on any thread once the request was handed over.
 */
#ifndef OMNIVOX_HTTP_SPOOL_H
#define OMNIVOX_HTTP_SPOOL_H

#include <stddef.h>

/*
 * Opens an empty file in `dir` for a body of `expected` bytes (SIZE_MAX: not known), which must
 * fit beside a reserve that stays free for others. -ENOSPC, or what the folder refuses with.
 */
int spool_open(const char *dir, size_t expected, int *ret_fd);

/* Appends all. -ENOSPC and the like; the file is then of no use. */
int spool_write(int fd, const char *data, size_t len);

#endif
