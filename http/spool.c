/* spool.c: bodies in files without a name. See spool.h. */
#include "http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE (64 * 1024 * 1024) /* bytes of the disk that uploads leave alone */

static int check_space(int fd, size_t expected)
{
	struct statvfs disk;
	uint64_t available;

	if (fstatvfs(fd, &disk) < 0)
		return -errno;
	available = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (expected == SIZE_MAX)
		expected = 0;
	return available < RESERVE || available - RESERVE < expected ? -ENOSPC : 0;
}

/* Where the file system has no unnamed files the name is taken away at once. */
static int open_and_unlink(const char *dir)
{
	char path[4096];
	int fd, len = snprintf(path, sizeof(path), "%s/upload-XXXXXX", dir);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	return fd;
}

int spool_open(const char *dir, size_t expected, int *ret_fd)
{
	int err, fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_and_unlink(dir);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return fd;
	err = check_space(fd, expected);
	if (err < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return err;
}

int spool_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		len -= (size_t)done;
	}
	return 0;
}
