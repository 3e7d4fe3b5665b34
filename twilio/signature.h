/*
 * signature.h: is this request Twilio's? (twilio.com/docs/usage/security, "Validating requests")
 * Pure functions, any thread.
 */
#ifndef OMNIVOX_TWILIO_SIGNATURE_H
#define OMNIVOX_TWILIO_SIGNATURE_H

#include <stddef.h>

#include "base/form.h"

#define TWILIO_SIGNATURE_SIZE 29 /* base64 of 20 bytes, NUL */

/*
 * Signs URL (as Twilio requested it: no fragment, query as on the wire) and POST form (NULL
 * for GET): names sorted by byte, values of a repeated name de-duplicated and sorted.
 * 0 or -ENOMEM.
 */
int twilio_sign(const char *auth_token, const char *url, const struct form *form,
	char ret_signature[TWILIO_SIGNATURE_SIZE]);

/*
 * 0 when `signature` is right for the URL with or without its port, else -EACCES. A query with
 * bodySHA256 is checked against `body` instead of the form. Compares in constant time.
 */
int twilio_signature_check(const char *auth_token, const char *url,
	const struct form *form, const void *body, size_t body_len,
	const char *signature);

#endif
