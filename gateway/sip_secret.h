/* sip_secret.h: passwords of phones, and what is kept of them (RFC 7616, 3.4.2). */
#ifndef OMNIVOX_GATEWAY_SIP_SECRET_H
#define OMNIVOX_GATEWAY_SIP_SECRET_H

#define SIP_PASSWORD_SIZE 25

/* 24 letters and digits that cannot be mistaken for each other, from the kernel's random. */
void sip_password(char ret_password[SIP_PASSWORD_SIZE]);

/* Hex of MD5 and SHA-256 of "user:realm:password". -EIO when OpenSSL refuses. */
int sip_ha1(const char *user, const char *realm, const char *password, char ret_md5[33],
	char ret_sha256[65]);

#endif
