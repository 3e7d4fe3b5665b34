/* account.h: what people's accounts are made of: user names and passwords that can be used. */
#ifndef OMNIVOX_GATEWAY_ACCOUNT_H
#define OMNIVOX_GATEWAY_ACCOUNT_H

#include "gateway/api.h"

#define ACCOUNT_PASSWORD_SIZE 256

/* A name that can stand in a SIP URI and in a path without escaping. 0, or the reply is filled. */
int account_check_username(
	struct api_reply *reply, const char *field, const char *username);

/* Long enough to be one. 0, or the reply is filled. */
int account_check_password(
	struct api_reply *reply, const char *field, const char *password);

/*
 * The body's password, or one that is made up when there is none, which `*ret_made` says. Put
 * reply->secret before showing it. 0, or the reply is filled.
 */
int account_read_password(struct api_call *call, struct api_reply *reply,
	char password[ACCOUNT_PASSWORD_SIZE], bool *ret_made);

#endif
