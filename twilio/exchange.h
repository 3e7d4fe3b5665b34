/*
 * exchange.h: one HTTP request and its answer on a curl handle. Private to this room.
 *
 * Its reason: to know for certain whether a POST can have reached Twilio. The body is handed
 * to libcurl once, by a reader that cannot be rewound; so libcurl, which on its own repeats a
 * request when a kept-alive connection turns out to be dead, can do so only as long as no
 * byte of the body has left. Thread: the client's.
 */
#ifndef OMNIVOX_TWILIO_EXCHANGE_H
#define OMNIVOX_TWILIO_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/buf.h"

/* How to reach Twilio; strings owned by the client. */
struct exchange_target {
	char *root; /* "https://api.twilio.com/2010-04-01/Accounts/AC..." */
	char *user, *password;
	char *ca_file; /* NULL: the system's */
	long connect_ms, total_ms;
};

struct exchange {
	CURL *easy;
	char *url;  /* owned */
	char *form; /* owned; NULL: GET */
	size_t form_len, form_at;
	bool handed; /* libcurl took bytes of the form: they may have left */
	struct buf reply;
	char error[CURL_ERROR_SIZE];
};

/*
 * The API root of an account on `api_base`: "https://host[:port]", or "http://" on loopback.
 * -EINVAL for anything else, -ENOMEM. The caller frees it.
 */
int exchange_root(const char *api_base, const char *account_sid, char **ret_root);

/* `path` follows the root; `form` NULL: GET. Both copied. `owner` comes back from the handle. */
int exchange_init(struct exchange *x, const struct exchange_target *target,
	const char *path, const char *form, void *owner);
void exchange_free(struct exchange *x);

/* Before another try of a request that may be repeated. */
void exchange_rewind(struct exchange *x);

/* After an end without an answer: can Twilio have seen the request? */
bool exchange_sent(const struct exchange *x);

/* Seconds of the Retry-After header, 0 when there was none. */
int64_t exchange_retry_after_s(const struct exchange *x);
int exchange_status(const struct exchange *x);

/* What libcurl says about its failure. */
const char *exchange_error(const struct exchange *x, CURLcode code);

#endif
