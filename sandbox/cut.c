/* cut.c: finds the socket by its far end. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "sandbox/cut.h"

#define FDS_MAX 65536 /* where a limit of "unlimited" would take too long */

int cut_connection(const struct addr *peer)
{
	struct rlimit limit;
	int fd, most;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	most = limit.rlim_cur < FDS_MAX ? (int)limit.rlim_cur : FDS_MAX;
	for (fd = 0; fd < most; fd++) {
		struct addr far = {.len = sizeof(far.sa)};

		if (getpeername(fd, (struct sockaddr *)&far.sa, &far.len) < 0 ||
			!addr_equal(&far, peer) || addr_port(&far) != addr_port(peer))
			continue;
		return shutdown(fd, SHUT_RDWR) < 0 ? -errno : 0;
	}
	return -ENOENT;
}
