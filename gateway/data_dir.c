/* data_dir.c: DATA_DIR and its lock. See data_dir.h. */
#include "gateway/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	return err_set(
		err, -errno, "The folder %s cannot be made: %s.", path, strerror(errno));
}

int data_dir_lock(
	const char *data_dir, unsigned wait_ms, int *ret_lock_fd, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t deadline = clock_mono_ms() + wait_ms;
	char path[512];
	int fd, result;

	result = make_dir(data_dir, err);
	(void)snprintf(path, sizeof(path), "%s/run", data_dir);
	if (result == 0)
		result = make_dir(path, err);
	if (result < 0)
		return result;
	(void)snprintf(path, sizeof(path), "%s/run/lock", data_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(
			err, -errno, "%s cannot be opened: %s.", path, strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (clock_mono_ms() >= deadline) {
			(void)close(fd);
			return err_set(err, -EBUSY,
				"Another gateway runs in %s. Stop it, or choose another "
				"DATA_DIR.",
				data_dir);
		}
		(void)nanosleep(&pause, NULL);
	}
	*ret_lock_fd = fd;
	return 0;
}
