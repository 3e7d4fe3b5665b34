/*
 * events.h: what GET /api/events tells at all nodes, one function per event. Any thread, but
 * events_agent().
 *
 * Names and fields are part of docs/openapi.yaml.
 */
#ifndef OMNIVOX_GATEWAY_EVENTS_H
#define OMNIVOX_GATEWAY_EVENTS_H

#include <jansson.h>

#include "db/calls.h"
#include "db/imports.h"
#include "db/sessions.h"
#include "gateway/gateway.h"

/* `call`: {callId, campaignId, queueId, agentId, state, outcome, number, twilioCallSid} */
void events_call(struct gateway *gw, const struct db_call_change *change);
/* Loop; a change is told once, whoever else learns of it. `agent`: {agentId, sessionId, state, reason, phoneUp, twilioUp, callId} */
void events_agent(struct gateway *gw, const struct db_agent_session *session);
/* `campaign`: {campaignId, reason} */
void events_campaign(struct gateway *gw, int64_t campaign_id, const char *reason);
/* `control`: {callId, agentId, controls}; takes the document. */
void events_control(struct gateway *gw, const struct db_call *call, json_t *controls);
/* `recording`: {recordingId, callId, campaignId, agentId, state} */
struct db_recording;
void events_recording(struct gateway *gw, const struct db_recording *recording);
/*
 * `callback`: {callbackId, campaignId, contactId, agentId, state, dueAt}; to its owner, and to
 * whose it was before (0: nobody's, or the same).
 */
struct db_callback;
void events_callback(
	struct gateway *gw, const struct db_callback *callback, int64_t was_agent_id);
/* `disposition`: {callId, campaignId, agentId, dispositionId, name, by} */
struct db_call_disposition;
void events_disposition(struct gateway *gw, const struct db_call *call,
	const struct db_call_disposition *said);
/* `import`: {importId, listId, state, rows, bytes, bytesDone, added, skipped, rejected} */
void events_import(struct gateway *gw, const struct db_import *import);

#endif
