/*
 * token.h: access tokens, with which a browser becomes a phone (twilio.com/docs/iam/access-tokens).
 * A JWT (RFC 7519) signed with HMAC-SHA256 by an API key's secret. Pure function, any thread.
 */
#ifndef OMNIVOX_TWILIO_TOKEN_H
#define OMNIVOX_TWILIO_TOKEN_H

#include <stdint.h>

#include "base/buf.h"

/* Twilio takes no token that lives longer (error 20157). */
#define TWILIO_TOKEN_MAX_S 86400

struct twilio_token {
	const char *account_sid;                  /* AC... */
	const char *api_key_sid, *api_key_secret; /* SK...; of the account and region */
	const char *twiml_app_sid; /* AP...: what the browser dials goes there */
	const char *identity;      /* "agent-7": the browser is client:agent-7 */
	const char *region;        /* "ie1"; NULL: us1 */
	int64_t now_s;             /* wall */
	int64_t ttl_s;             /* 1..TWILIO_TOKEN_MAX_S */
};

/* May call and be called. Appends the token to `ret_jwt`. -EINVAL: a field is missing. */
int twilio_token_make(const struct twilio_token *token, struct buf *ret_jwt);

#endif
