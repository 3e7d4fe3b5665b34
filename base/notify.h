/*
 * notify.h: tells systemd how a service is, by a datagram to $NOTIFY_SOCKET (sd_notify(3)).
 * Any thread. Without such a socket nothing happens.
 */
#ifndef OMNIVOX_BASE_NOTIFY_H
#define OMNIVOX_BASE_NOTIFY_H

#include <stdint.h>

/* Lines such as "READY=1\nSTATUS=..."; what cannot be sent is lost. 0, or a negative errno. */
int notify_send(const char *lines);

/* Half of the time in which systemd wants "WATCHDOG=1" from this process; 0: it wants none. */
int64_t notify_watchdog_ms(void);

#endif
