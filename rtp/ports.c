/* ports.c: binds pairs of UDP sockets. See ports.h. */
#include "config.h"
#include "rtp/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/random.h>
#include <unistd.h>

#define KERNEL_TRIES 64

/* Expedited forwarding (RFC 3246), where the network cares; harmless where it does not. */
static void mark_voice(int fd, int family)
{
	int tos = 0xb8;

	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

static int open_socket(const struct port_pool *pool, uint16_t port, int *ret_fd)
{
	int family = pool->host.sa.ss_family;
	struct addr a = pool->host;
	int err;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	addr_set_port(&a, port);
	if (bind(fd, (struct sockaddr *)&a.sa, a.len) != 0) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	mark_voice(fd, family);
	*ret_fd = fd;
	return 0;
}

static int open_pair(
	const struct port_pool *pool, uint16_t port, struct port_pair *ret_pair)
{
	struct port_pair pair = {.rtp = -1, .rtcp = -1, .port = port};
	int err = open_socket(pool, port, &pair.rtp);

	if (err == 0)
		err = open_socket(pool, (uint16_t)(port + 1), &pair.rtcp);
	if (err == 0)
		*ret_pair = pair;
	else
		port_pair_close(&pair);
	return err;
}

/* The kernel names a free port; its even neighbour is probably free as well. */
static int open_any(const struct port_pool *pool, struct port_pair *ret_pair)
{
	int err = -EADDRINUSE;

	for (int i = 0; i < KERNEL_TRIES && err == -EADDRINUSE; i++) {
		struct addr a = {.len = sizeof(a.sa)};
		int fd;

		err = open_socket(pool, 0, &fd);
		if (err != 0)
			return err;
		if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len) != 0)
			err = -errno;
		(void)close(fd);
		if (err == 0)
			err = open_pair(pool, addr_port(&a) & 0xfffe, ret_pair);
	}
	return err == -EADDRINUSE ? -EBUSY : err;
}

static int open_in_range(struct port_pool *pool, struct port_pair *ret_pair)
{
	unsigned first = (pool->lo + 1U) & ~1U;
	unsigned pairs = (pool->hi + 1U - first) / 2;

	for (unsigned i = 0; i < pairs; i++) {
		uint16_t port = pool->next;
		int err;

		pool->next = (uint16_t)(first + (port - first + 2) % (2 * pairs));
		err = open_pair(pool, port, ret_pair);
		if (err != -EADDRINUSE)
			return err;
	}
	return -EBUSY;
}

int port_pool_init(struct port_pool *pool, const char *host, uint16_t lo, uint16_t hi)
{
	unsigned first = (lo + 1U) & ~1U, dice = 0;

	*pool = (struct port_pool){.lo = lo, .hi = hi};
	if (addr_from_host(host, 0, &pool->host) != 0)
		return -EINVAL;
	if (lo == 0 && hi == 0)
		return 0;
	if (lo == 0 || first + 1 > hi)
		return -EINVAL;
	/* Begins anywhere: what is left of calls before a restart goes to other ports. */
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	pool->next = (uint16_t)(first + 2 * (dice % ((hi + 1U - first) / 2)));
	return 0;
}

int port_pair_open(struct port_pool *pool, uint16_t wanted, struct port_pair *ret_pair)
{
	if (wanted % 2 != 0)
		return -EINVAL;
	if (wanted != 0)
		return open_pair(pool, wanted, ret_pair);
	if (pool->lo == 0)
		return open_any(pool, ret_pair);
	return open_in_range(pool, ret_pair);
}

void port_pair_close(struct port_pair *pair)
{
	if (pair->rtp >= 0)
		(void)close(pair->rtp);
	if (pair->rtcp >= 0)
		(void)close(pair->rtcp);
	pair->rtp = -1;
	pair->rtcp = -1;
}
