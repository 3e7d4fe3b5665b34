/*
 * envfile.h: files of NAME=value lines, as shells and containers read them.
 *
 * Empty lines and lines that begin with # are skipped. White space around name and value goes.
 * A value may stand in one pair of ' or "; then white space inside stays and a # comment may
 * follow. Without quotes a # is part of the value: passwords have them. No escapes, no
 * variables, no lines that go on.
 */
#ifndef OMNIVOX_BASE_ENVFILE_H
#define OMNIVOX_BASE_ENVFILE_H

#include "base/err.h"

#define ENVFILE_LINE_MAX 4096 /* bytes, with the end of the line */

/* One pair. Not 0: stop and return that. The texts live until it returns. */
typedef int envfile_cb(void *arg, const char *name, const char *value, unsigned line);

/*
 * Calls `each` for every pair in order. -ENOENT, -EACCES ... when the file cannot be read and
 * -EINVAL for a line that is not understood, with a sentence that names the file and the line.
 */
int envfile_read(const char *path, envfile_cb *each, void *arg, struct err *err);

/*
 * Cuts one line in place. 1: a pair; 0: nothing in it, outputs untouched; -EINVAL. Pure.
 */
int envfile_parse_line(char *line, char **ret_name, char **ret_value);

#endif
