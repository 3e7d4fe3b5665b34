/*
 * agent_twiml.h: /twiml-agent: what an agent's leg at Twilio is to do. Legs that ask at the same
 * moment are looked up and taken in one statement with one commit.
 *
 * Signed route: the signature was checked on the http thread.
 */
#ifndef OMNIVOX_GATEWAY_AGENT_TWIML_H
#define OMNIVOX_GATEWAY_AGENT_TWIML_H

#include "gateway/gateway.h"
#include "http/server.h"

/* The batch that twiml_agent() needs; after the database workers. */
int agent_twiml_new(struct gateway *gw);
void agent_twiml_free(struct gateway *gw);

/*
 * http thread. The conference of the leg whose token the request carries, or Hangup. Takes the
 * request; -EAGAIN when too many wait.
 */
int twiml_agent(struct gateway *gw, struct http_request *request);

#endif
