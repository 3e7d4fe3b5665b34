/*
 * browser_twiml.h: /api/calls/twiml, the voice URL of the TwiML App that agents' browsers call:
 * their own leg into their conference, or also a number that they dial.
 */
#ifndef OMNIVOX_GATEWAY_BROWSER_TWIML_H
#define OMNIVOX_GATEWAY_BROWSER_TWIML_H

#include "gateway/gateway.h"
#include "http/server.h"

/*
 * Signed route; http thread; takes the request, or -EAGAIN. From is client:agent-ID; with a number
 * in To the customer is dialled, by the claim of every call, when the agent has joined. Asked
 * again with the same CallSid it answers the same, and dials nobody again.
 */
int twiml_browser(struct gateway *gw, struct http_request *request);

#endif
