/* data_dir.c: DATA_DIR and its lock. See data_dir.h. */
#include "gateway/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	return err_set(
		err, -errno, "The folder %s cannot be made: %s.", path, strerror(errno));
}

static int say_busy(const char *data_dir, struct err *err)
{
	pid_t pid;

	if (data_dir_gateway(data_dir, &pid) == -EBUSY)
		return err_set(err, -EBUSY,
			"A backup, a restore or a migration is at work in %s. Try again "
			"when it is done.",
			data_dir);
	return err_set(err, -EBUSY,
		"Another gateway runs in %s. Stop it, or choose another DATA_DIR.",
		data_dir);
}

int data_dir_lock(
	const char *data_dir, unsigned wait_ms, int *ret_lock_fd, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t deadline = clock_mono_ms() + wait_ms;
	char path[512];
	int fd, result;

	result = make_dir(data_dir, 0755, err);
	(void)snprintf(path, sizeof(path), "%s/run", data_dir);
	if (result == 0)
		result = make_dir(path, 0700, err);
	if (result < 0)
		return result;
	(void)snprintf(path, sizeof(path), "%s/run/lock", data_dir);
	/* Who may read it may hold it. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(
			err, -errno, "%s cannot be opened: %s.", path, strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (clock_mono_ms() >= deadline) {
			(void)close(fd);
			return say_busy(data_dir, err);
		}
		(void)nanosleep(&pause, NULL);
	}
	if (ftruncate(fd, 0) < 0) { /* nobody takes us for who was here before */
		int cause = errno;

		(void)close(fd);
		return err_set(
			err, -cause, "%s cannot be written: %s.", path, strerror(cause));
	}
	*ret_lock_fd = fd;
	return 0;
}

int data_dir_serve(int lock_fd)
{
	return dprintf(lock_fd, "%d\n", (int)getpid()) < 0 ? -errno : 0;
}

int data_dir_gateway(const char *data_dir, pid_t *ret_pid)
{
	char path[512], text[16] = "";
	int64_t pid;
	bool nobody;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/run/lock", data_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	nobody =
		flock(fd, LOCK_SH | LOCK_NB) == 0; /* not in the way of others who look */
	if (!nobody && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)close(fd);
	if (nobody)
		return -ENOENT;
	text[strcspn(text, "\n")] = '\0';
	if (text_int(text, 2, INT32_MAX, &pid) < 0)
		return -EBUSY;
	*ret_pid = (pid_t)pid;
	return 0;
}
