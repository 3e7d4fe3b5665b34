/* notify.c: sd_notify(3) in its own words. See notify.h. */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

int notify_send(const char *lines)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path == NULL ? 0 : strlen(path);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	/* systemd's queue is short: worth a moment, but no more. */
	const struct timeval patience = {.tv_sec = 1};
	int fd, err = 0;

	if (len == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* the abstract namespace; its names have no end */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&to, size) <
		0)
		err = -errno;
	(void)close(fd);
	return err;
}

int64_t notify_watchdog_ms(void)
{
	const char *every = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us, wanted;

	if (every == NULL || text_int(every, 1, INT64_MAX, &us) < 0)
		return 0;
	if (pid != NULL &&
		(text_int(pid, 1, INT32_MAX, &wanted) < 0 || wanted != getpid()))
		return 0;
	return us / 2000 > 0 ? us / 2000 : 1;
}
