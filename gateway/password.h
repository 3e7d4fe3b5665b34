/* password.h: yescrypt by libxcrypt. Slow on purpose: database workers only. */
#ifndef OMNIVOX_GATEWAY_PASSWORD_H
#define OMNIVOX_GATEWAY_PASSWORD_H

#include <stddef.h>

/* A self-describing hash of the password; -ENOMEM, -EIO. */
int password_hash(const char *password, char *ret_hash, size_t size);

/* 0 when it is the password, else -EACCES. Takes the same time for any hash, also for "". */
int password_check(const char *password, const char *hash);

#endif
