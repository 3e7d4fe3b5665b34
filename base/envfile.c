/* envfile.c: files of NAME=value lines. See envfile.h. */
#include "base/envfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

/* Cuts white space off both ends. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}

/* Takes the quotes off a trimmed value that begins with one; -EINVAL. */
static int unquote(char **value)
{
	char *end = strchr(*value + 1, **value);
	const char *rest;

	if (end == NULL)
		return -EINVAL;
	rest = end + 1 + strspn(end + 1, BLANKS);
	if (*rest != '\0' && *rest != '#')
		return -EINVAL;
	*end = '\0';
	(*value)++;
	return 0;
}

int envfile_parse_line(char *line, char **ret_name, char **ret_value)
{
	char *name = trim(line), *equals = strchr(name, '='), *value;

	if (*name == '\0' || *name == '#')
		return 0;
	if (equals == NULL || equals == name)
		return -EINVAL;
	*equals = '\0';
	name = trim(name);
	value = trim(equals + 1);
	if (*name == '\0' || strpbrk(name, BLANKS "'\"") != NULL)
		return -EINVAL;
	if ((*value == '"' || *value == '\'') && unquote(&value) < 0)
		return -EINVAL;
	*ret_name = name;
	*ret_value = value;
	return 1;
}

/* The next line, "" at the end. Longer lines and such with NUL bytes are -EINVAL. */
static int next_line(FILE *file, char line[ENVFILE_LINE_MAX])
{
	size_t len = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (c == '\0' || len + 1 >= ENVFILE_LINE_MAX)
			return -EINVAL;
		line[len++] = (char)c;
	}
	line[len] = '\0';
	return ferror(file) ? -EIO : 0;
}

int envfile_read(const char *path, envfile_cb *each, void *arg, struct err *err)
{
	FILE *file = fopen(path, "re");
	char line[ENVFILE_LINE_MAX], *name, *value;
	unsigned number = 0;
	int result = 0;

	if (file == NULL) {
		result = -errno;
		return err_set(
			err, result, "%s cannot be read: %s.", path, strerror(-result));
	}
	while (result == 0 && !feof(file)) {
		number++;
		result = next_line(file, line);
		if (result == 0)
			result = envfile_parse_line(line, &name, &value);
		if (result == 1)
			result = each(arg, name, value, number);
		else if (result == -EIO)
			(void)err_set(err, result, "%s cannot be read to its end.", path);
		else if (result < 0)
			(void)err_set(err, result,
				"%s line %u: expected NAME=value, in at most %d bytes.",
				path, number, ENVFILE_LINE_MAX - 1);
	}
	explicit_bzero(line, sizeof(line)); /* there may be secrets in the file */
	(void)fclose(file);
	return result;
}
