/*
 * signature.h: X-Twilio-Signature, written from the documentation alone so that it can judge
 * the gateway's own. Pure. Source: twilio.com/docs/usage/security.
 */
#ifndef OMNIVOX_SANDBOX_SIGNATURE_H
#define OMNIVOX_SANDBOX_SIGNATURE_H

#include "base/form.h"

#define SIGNATURE_SIZE 32 /* base64 of 20 bytes and NUL, rounded up */

/*
 * `form`: the POST parameters; NULL for GET, whose parameters are in the URL. The URL's
 * fragment is left out, and so is the standard port of its scheme. -ENOMEM.
 */
int signature_make(const char *token, const char *url, const struct form *form,
	char ret_signature[SIGNATURE_SIZE]);

#endif
