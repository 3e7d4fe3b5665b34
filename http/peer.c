/* peer.c: X-Forwarded-For, read from the right as far as the proxies are ours. */
#include "http/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAPPED_BITS 96 /* of an IPv6 address stand before the IPv4 one in it */

struct network {
	struct addr addr;
	unsigned bits; /* of the address that must agree */
};

struct peer_trust {
	size_t count;
	struct network networks[];
};

/* The address bytes in network order; NULL for a family that is neither. */
static const unsigned char *addr_bytes(const struct addr *addr, unsigned *ret_bits)
{
	if (addr->sa.ss_family == AF_INET) {
		*ret_bits = 32;
		return (const unsigned char *)&((const struct sockaddr_in *)&addr->sa)
			->sin_addr;
	}
	if (addr->sa.ss_family == AF_INET6) {
		*ret_bits = 128;
		return (const unsigned char *)&((const struct sockaddr_in6 *)&addr->sa)
			->sin6_addr;
	}
	return NULL;
}

/*
 * ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), which dual-stack sockets show and some proxies write, is
 * a.b.c.d. Whether it was one.
 */
static bool unmap(struct addr *addr)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (addr->sa.ss_family != AF_INET6)
		return false;
	memcpy(&v6, &addr->sa, sizeof(v6));
	if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return false;
	memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
	v4.sin_port = v6.sin6_port;
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(v4);
	memcpy(&addr->sa, &v4, sizeof(v4));
	return true;
}

/* "10.0.0.0/8", or one address. */
static int parse_network(const char *text, struct network *ret_network)
{
	char host[ADDR_TEXT_SIZE];
	struct network network = {0};
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	int64_t bits, before = 0;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_from_host(host, 0, &network.addr) != 0)
		return -EINVAL;
	if (unmap(&network.addr))
		before = MAPPED_BITS;
	if (addr_bytes(&network.addr, &network.bits) == NULL)
		return -EINVAL;
	if (slash != NULL) {
		if (text_int(slash + 1, before, before + network.bits, &bits) != 0)
			return -EINVAL;
		network.bits = (unsigned)(bits - before);
	}
	*ret_network = network;
	return 0;
}

int peer_trust_new(const char *const *proxies, struct peer_trust **ret_trust)
{
	struct peer_trust *trust;
	size_t count = 0;
	int err = 0;

	while (proxies != NULL && proxies[count] != NULL)
		count++;
	trust = calloc(1, sizeof(*trust) + count * sizeof(trust->networks[0]));
	if (trust == NULL)
		return -ENOMEM;
	trust->count = count;
	for (size_t i = 0; i < count && err == 0; i++)
		err = parse_network(proxies[i], &trust->networks[i]);
	if (err != 0)
		peer_trust_free(&trust);
	else
		*ret_trust = trust;
	return err;
}

void peer_trust_free(struct peer_trust **trust)
{
	free(*trust);
	*trust = NULL;
}

static bool in_network(const struct network *network, const struct addr *addr)
{
	unsigned bits, ignored;
	const unsigned char *a = addr_bytes(addr, &bits);
	const unsigned char *b = addr_bytes(&network->addr, &ignored);
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (a == NULL || addr->sa.ss_family != network->addr.sa.ss_family)
		return false;
	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool trusted(const struct peer_trust *trust, const struct addr *addr)
{
	for (size_t i = 0; i < trust->count; i++)
		if (in_network(&trust->networks[i], addr))
			return true;
	return false;
}

static void from_socket(const struct sockaddr *sa, struct addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	ret_addr->len = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	memcpy(&ret_addr->sa, sa, ret_addr->len);
	(void)unmap(ret_addr);
}

/* One entry: "1.2.3.4", "1.2.3.4:99", "::1", "[::1]:99". */
static int parse_entry(const char *text, size_t len, struct addr *ret_addr)
{
	char host[ADDR_TEXT_SIZE];

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_from_host(host, 0, ret_addr) != 0 && addr_parse(host, ret_addr) != 0)
		return -EINVAL;
	(void)unmap(ret_addr);
	return 0;
}

void peer_find(const struct peer_trust *trust, const struct sockaddr *sa,
	const char *forwarded, struct addr *ret_peer)
{
	struct addr entry;
	const char *end;

	from_socket(sa, ret_peer);
	if (forwarded == NULL)
		return;
	end = forwarded + strlen(forwarded);
	while (end > forwarded && trusted(trust, ret_peer)) {
		const char *start = end;
		const char *next;

		while (start > forwarded && start[-1] != ',')
			start--;
		next = start > forwarded ? start - 1 : forwarded;
		start += strspn(start, " \t");
		while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		if (start >= end ||
			parse_entry(start, (size_t)(end - start), &entry) != 0)
			return;
		*ret_peer = entry;
		end = next;
	}
}
