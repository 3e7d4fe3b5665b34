/* files.h: the console's static files. Only plain names below one folder are ever opened. */
#ifndef OMNIVOX_HTTP_FILES_H
#define OMNIVOX_HTTP_FILES_H

#include "http/reply.h"

/*
 * http thread. The file at `path` (as it stood in the request, without the query; "/" is
 * index.html) below the folder `dir_fd`. `if_none_match` may be NULL; when it names the file
 * as it is now, the answer is 304. -ENOENT: no such file, or a name that we do not serve;
 * -ENOMEM.
 */
int files_find(int dir_fd, const char *path, const char *if_none_match,
	struct answer *ret_answer);

#endif
