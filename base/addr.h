/* addr.h: "host:port" of IPv4 and IPv6 to sockaddr and back. Numeric only, never asks DNS. */
#ifndef OMNIVOX_BASE_ADDR_H
#define OMNIVOX_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT_SIZE 56 /* "[" + longest IPv6 + "]:65535" */

struct addr {
	struct sockaddr_storage sa;
	socklen_t len; /* 0: no address */
};

/* "127.0.0.1:5060", "[::1]:5060". Port 0 allowed. -EINVAL for anything else. */
int addr_parse(const char *text, struct addr *ret_addr);
int addr_from_host(const char *host, uint16_t port, struct addr *ret_addr);
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_SIZE]);
const char *addr_host(const struct addr *a, char buf[ADDR_TEXT_SIZE]);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);

#endif
