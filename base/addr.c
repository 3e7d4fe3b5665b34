/* addr.c: "host:port" to sockaddr and back. See addr.h. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static struct sockaddr_in *in4(const struct addr *a)
{
	return (struct sockaddr_in *)(void *)&a->sa;
}

static struct sockaddr_in6 *in6(const struct addr *a)
{
	return (struct sockaddr_in6 *)(void *)&a->sa;
}

int addr_from_host(const char *host, uint16_t port, struct addr *ret_addr)
{
	struct addr a = {.len = 0};

	if (inet_pton(AF_INET, host, &in4(&a)->sin_addr) == 1) {
		a.sa.ss_family = AF_INET;
		a.len = sizeof(struct sockaddr_in);
	} else if (inet_pton(AF_INET6, host, &in6(&a)->sin6_addr) == 1) {
		a.sa.ss_family = AF_INET6;
		a.len = sizeof(struct sockaddr_in6);
	} else {
		return -EINVAL;
	}
	addr_set_port(&a, port);
	*ret_addr = a;
	return 0;
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	char host[INET6_ADDRSTRLEN];
	struct addr a;
	size_t len;
	int64_t port;
	int err;

	if (colon == NULL || text_int(colon + 1, 0, UINT16_MAX, &port) < 0 ||
		colon[1] == '-')
		return -EINVAL;
	len = (size_t)(colon - text);
	if (bracketed) {
		if (len < 2 || colon[-1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	err = addr_from_host(host, (uint16_t)port, &a);
	if (err < 0)
		return err;
	/* Bare IPv6: which colon is the port's? */
	if (bracketed != (a.sa.ss_family == AF_INET6))
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

const char *addr_host(const struct addr *a, char buf[ADDR_TEXT_SIZE])
{
	const void *source = a->sa.ss_family == AF_INET6
				     ? (const void *)&in6(a)->sin6_addr
				     : (const void *)&in4(a)->sin_addr;

	if (a->len == 0 ||
		inet_ntop(a->sa.ss_family, source, buf, ADDR_TEXT_SIZE) == NULL)
		buf[0] = '\0';
	return buf;
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_SIZE])
{
	char host[ADDR_TEXT_SIZE];

	if (a->len == 0)
		buf[0] = '\0';
	else
		(void)snprintf(buf, ADDR_TEXT_SIZE,
			a->sa.ss_family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u",
			addr_host(a, host), addr_port(a));
	return buf;
}

uint16_t addr_port(const struct addr *a)
{
	if (a->len == 0)
		return 0;
	return ntohs(a->sa.ss_family == AF_INET6 ? in6(a)->sin6_port : in4(a)->sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (a->sa.ss_family == AF_INET6)
		in6(a)->sin6_port = htons(port);
	else
		in4(a)->sin_port = htons(port);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	if (a->len == 0 || b->len == 0 || a->sa.ss_family != b->sa.ss_family)
		return false;
	if (a->sa.ss_family == AF_INET6)
		return memcmp(&in6(a)->sin6_addr, &in6(b)->sin6_addr,
			       sizeof(struct in6_addr)) == 0;
	return in4(a)->sin_addr.s_addr == in4(b)->sin_addr.s_addr;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->len == 0)
		return false;
	if (a->sa.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&in6(a)->sin6_addr);
	return (ntohl(in4(a)->sin_addr.s_addr) >> 24) == 127;
}
