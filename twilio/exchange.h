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
#include "twilio/client.h"

/* How to reach Twilio; strings owned by the client. */
struct exchange_target {
	char *host; /* "https://api.twilio.com" */
	char *root; /* and the account: ".../2010-04-01/Accounts/AC..." */
	char *user, *password;
	char *ca_file; /* NULL: the system's */
	long connect_ms, total_ms;
};

struct exchange {
	CURL *easy;
	char *url;  /* owned */
	char *form; /* owned; NULL: GET or DELETE */
	size_t form_len, form_at;
	bool handed; /* libcurl took bytes of the form: they may have left */
	struct buf reply;
	char error[CURL_ERROR_SIZE];
};

/*
 * What the configuration says about how to reach Twilio. -EINVAL, -ENOMEM; the target is to be
 * freed in any case.
 */
int exchange_target_copy(
	const struct twilio_config *config, struct exchange_target *target);
void exchange_target_free(struct exchange_target *target);

/* What to send; copied. */
struct exchange_order {
	const char
		*path; /* follows the root; with the API's version in front: the host */
	const char *form; /* NULL: GET */
	bool deletes;     /* DELETE instead */
};

/* `owner` comes back from the handle. */
int exchange_init(struct exchange *x, const struct exchange_target *target,
	const struct exchange_order *order, void *owner);
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
