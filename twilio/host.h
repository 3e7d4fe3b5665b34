/*
 * host.h: which of Twilio's hosts an account of a region is spoken to at. Pure.
 * Source: twilio.com/docs/global-infrastructure (api.{edge}.{region}.twilio.com).
 */
#ifndef OMNIVOX_TWILIO_HOST_H
#define OMNIVOX_TWILIO_HOST_H

#include <stddef.h>

#include "base/err.h"

#define TWILIO_BASE_SIZE 256

/*
 * "https://host[:port]" from the three settings, "" where one is not set. `base` alone stays as
 * it is. A region (ie1) without an edge gets its own (dublin); an edge without a region is one
 * of us1. -EINVAL with a sentence for names that Twilio does not have, for hosts that stopped
 * working on 2026-04-28 (api.ie1.twilio.com), and for a region beside a base that is not
 * api.twilio.com.
 */
int twilio_base(const char *base, const char *region, const char *edge,
	char ret_base[TWILIO_BASE_SIZE], struct err *err);

#define TWILIO_SIP_HOST_SIZE 200

/*
 * Where our SIP domain is called: name.sip.{edge}.twilio.com when an edge is set, or a region (its
 * own edge then). A domain that names an edge itself, or is not one of Twilio's, stays as it is.
 */
void twilio_sip_host(const char *domain, const char *region, const char *edge,
	char ret_host[TWILIO_SIP_HOST_SIZE]);

/* What the REST API calls the domain: name.sip.twilio.com, whatever edge is named. */
void twilio_sip_name(const char *domain, char ret_name[TWILIO_SIP_HOST_SIZE]);

#endif
