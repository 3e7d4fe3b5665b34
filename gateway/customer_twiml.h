/*
 * customer_twiml.h: what a customer's leg is to do that was made by POST Calls, or that called us:
 * the TwiML of known calls, of lines that were dialled ahead, and of return calls.
 *
 * Signed routes; http thread; each takes the request, or -EAGAIN. Never an error: whoever is on
 * the line hears an agent, or a sentence.
 */
#ifndef OMNIVOX_GATEWAY_CUSTOMER_TWIML_H
#define OMNIVOX_GATEWAY_CUSTOMER_TWIML_H

#include <stdbool.h>

#include "base/buf.h"
#include "gateway/gateway.h"
#include "http/server.h"

/* The call is known by its SID, or by call or queueId in the URL: into its conference. */
int twiml_outbound(struct gateway *gw, struct http_request *request);

/* The line of `call` in the URL: an agent who comes free in 1.2 s, else the message. */
int twiml_customer(struct gateway *gw, struct http_request *request);

/*
 * Somebody calls one of our numbers: an agent of the campaign that called last, else a message
 * that offers not to be called again; with `key` in the URL, what was chosen.
 */
int webhook_inbound(struct gateway *gw, struct http_request *request);

/*
 * Any thread. What a customer hears whose agent is gone in mid-call: the same message, and the end.
 * `inbound`: the customer had called us, and is offered not to be called again.
 */
void customer_goodbye(const struct gateway *gw, bool inbound, struct buf *ret_doc);

#endif
