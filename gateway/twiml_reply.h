/* twiml_reply.h: answers that are TwiML, and what callers are told. Any thread. */
#ifndef OMNIVOX_GATEWAY_TWIML_REPLY_H
#define OMNIVOX_GATEWAY_TWIML_REPLY_H

#include "base/buf.h"
#include "gateway/gateway.h"

/* Sends and frees the document that was begun with twiml_begin(). */
void twiml_send(struct gateway *gw, uint64_t request_id, struct buf *doc);

/* A sentence, then the call ends. */
void twiml_send_goodbye(struct gateway *gw, uint64_t request_id, const char *text);

/* Into a conference of ours, told about by the session's webhook. */
void twiml_send_conference(struct gateway *gw, uint64_t request_id, int64_t session_id,
	const char *conference, const char *label);

#endif
