/* files.c: opens one segment at a time, follows no link, serves no name that starts with '.'. */
#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE \
	128 /* of one segment; a build tool's hashed names are shorter than 60 */
#define DEPTH_MAX 8
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static const char *const types[][2] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".webp", "image/webp"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".wav", "audio/wav"},
	{".mp3", "audio/mpeg"},
	{".txt", "text/plain; charset=utf-8"},
	{".yaml", "application/yaml"},
};

static const char *type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

/* Opens the file; -ENOENT for every reason why not. */
static int open_below(int dir_fd, const char *path, int *ret_fd)
{
	char name[NAME_SIZE];
	int fd = dir_fd;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		size_t len = strcspn(path, "/");
		bool last = path[len] == '\0';
		int next;

		if (len == 0 || len >= sizeof(name) || path[0] == '.' ||
			strspn(path, PLAIN) < len)
			break;
		memcpy(name, path, len);
		name[len] = '\0';
		next = openat(fd, name,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
				(last ? 0 : O_DIRECTORY));
		if (fd != dir_fd)
			(void)close(fd);
		fd = next;
		if (fd < 0)
			return -ENOENT;
		if (last) {
			*ret_fd = fd;
			return 0;
		}
		path += len + 1;
	}
	if (fd != dir_fd)
		(void)close(fd);
	return -ENOENT;
}

/* Whether the list in If-None-Match has this tag (RFC 9110, 13.1.2: weak comparison). */
static bool has_tag(const char *list, const char *tag)
{
	size_t len = strlen(tag);

	if (list == NULL)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *at = list; (at = strstr(at, tag)) != NULL; at++)
		if (at[len] == '\0' || at[len] == ',' || at[len] == ' ')
			return true;
	return false;
}

static int add_headers(struct MHD_Response *response, const char *path, const char *tag)
{
	/* The build gives what lies in assets/ a new name whenever its content changes. */
	const char *cache = strncmp(path, "assets/", 7) == 0
				    ? "public, max-age=31536000, immutable"
				    : "no-cache";
	const char *const headers[][2] = {
		{"Content-Type", type_of(path)}, {"Cache-Control", cache}, {"ETag", tag}};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (MHD_add_response_header(response, headers[i][0], headers[i][1]) !=
			MHD_YES)
			return -ENOMEM;
	return reply_secure(response);
}

int files_find(int dir_fd, const char *path, const char *if_none_match,
	struct answer *ret_answer)
{
	struct answer answer = {.status = MHD_HTTP_OK};
	struct stat st;
	char tag[64];
	int fd = -1;
	int err;

	path = strcmp(path, "/") == 0 ? "index.html" : path + 1;
	err = open_below(dir_fd, path, &fd);
	if (err != 0)
		goto out;
	err = -ENOENT;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	(void)snprintf(tag, sizeof(tag), "\"%llx-%llx%08lx\"", (long long)st.st_size,
		(long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	err = -ENOMEM;
	if (has_tag(if_none_match, tag)) {
		answer.status = MHD_HTTP_NOT_MODIFIED;
		answer.response =
			MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		answer.response = MHD_create_response_from_fd((uint64_t)st.st_size, fd);
		fd = answer.response == NULL ? fd : -1; /* the response closes it */
	}
	if (answer.response == NULL)
		goto out;
	err = add_headers(answer.response, path, tag);
	if (err == 0) {
		*ret_answer = answer;
		answer = (struct answer){0};
	}
out:
	if (fd >= 0)
		(void)close(fd);
	answer_drop(&answer);
	return err;
}
