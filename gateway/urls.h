/*
 * urls.h: the URLs that we hand to Twilio, each naming what it is about, and their way back.
 */
#ifndef OMNIVOX_GATEWAY_URLS_H
#define OMNIVOX_GATEWAY_URLS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

#define URL_SIZE 512

/*
 * Twilio's connection overrides: connect in 2 s, read in 4.5 s, 15 s in all, three more tries
 * after a failed connect, a silent read or a 5xx. The default would lose the event instead.
 */
#define URL_OVERRIDES_WITH(and) \
	"#ct=2000" and "rt=4500" and "tt=15000" and "rc=3" and "rp=ct,rt,5xx"
#define URL_OVERRIDES URL_OVERRIDES_WITH("&")
#define URL_OVERRIDES_XML URL_OVERRIDES_WITH("&amp;") /* in a document */

#define URL_OURS "/api/calls-twiml/" /* what numbers are led to lies below it */
#define URL_STATUS "/api/calls-twiml/webhook/status"
#define URL_CONFERENCE "/api/calls-twiml/webhook/conference"
#define URL_INBOUND "/api/calls-twiml/webhook/inbound"
#define URL_TWIML_AGENT "/api/calls-twiml/twiml-agent"
#define URL_TWIML_OUTBOUND "/api/calls-twiml/twiml-outbound"
#define URL_TWIML_CUSTOMER "/api/calls-twiml/twiml-customer"
#define URL_TWIML_BROWSER "/api/calls/twiml"
#define URL_RECORDING "/api/calls-twiml/webhook/recording"
#define URL_AMD "/api/calls-twiml/webhook/amd"
#define URL_TWIML_ANNOUNCE "/api/calls-twiml/twiml-announce"

/* The header of the agent's INVITE that /twiml-agent gets back as SipHeader_<this>. */
#define URL_LEG_HEADER "X-Ovx-Leg"

/* Status callback of a customer's leg: names call, entry and attempt. */
void url_status(const struct gateway *gw, int64_t call_id, int64_t entry_id, int attempt,
	char buf[URL_SIZE]);

/* Status callback of an agent's leg that Twilio rings. */
void url_leg_status(const struct gateway *gw, int64_t leg_id, char buf[URL_SIZE]);

/* Conference callback of an agent session's conference. */
void url_conference(const struct gateway *gw, int64_t session_id, char buf[URL_SIZE]);

/* Where a caller's key goes. */
void url_inbound_key(const struct gateway *gw, char buf[URL_SIZE]);

/* Status callback of a recording, and the document that announces it to the person. */
void url_recording(const struct gateway *gw, int64_t recording_id, char buf[URL_SIZE]);
void url_announce(const struct gateway *gw, int64_t recording_id, char buf[URL_SIZE]);

/* Where the answering machine detection of a call tells what it found. */
void url_amd(const struct gateway *gw, int64_t call_id, char buf[URL_SIZE]);

#endif
