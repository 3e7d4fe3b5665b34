/* listen.c: makes the listening socket; no libmicrohttpd here, the supervisor links it. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"

#define BACKLOG 1024 /* connections that wait while the worker restarts */

int http_listen(const struct addr *addr, int *ret_fd, struct addr *ret_addr)
{
	struct addr bound = {.len = sizeof(bound.sa)};
	int fd =
		socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err = 0;

	if (fd < 0)
		return -errno;
	/* A restart must not wait for the last connections of the run before. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, (const struct sockaddr *)&addr->sa, addr->len) != 0 ||
		listen(fd, BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&bound.sa, &bound.len) != 0)
		err = -errno;
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_addr = bound;
	return 0;
}
