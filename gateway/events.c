/* events.c: what GET /api/events tells. See events.h. */
#include "gateway/events.h"

#include <jansson.h>
#include <stdlib.h>

#include "db/callbacks.h"
#include "db/dispositions.h"
#include "db/recordings.h"
#include "gateway/api.h"
#include "gateway/event_bus.h"

/* Nobody has this id: only streams that hear everything get it. */
#define STAFF_ONLY (-1)

/* Takes the document. */
static void tell(struct gateway *gw, struct event_line event, json_t *doc)
{
	char *text = doc == NULL ? NULL : json_dumps(doc, JSON_COMPACT);

	event.data = text;
	if (text != NULL)
		event_bus_tell(gw, &event);
	free(text);
	json_decref(doc);
}

static void publish(struct gateway *gw, const char *type, json_t *doc, int64_t audience)
{
	tell(gw, (struct event_line){.type = type, .audience = audience}, doc);
}

void events_call(struct gateway *gw, const struct db_call_change *change)
{
	/* By far the most frequent. */
	if (!event_bus_heard(gw))
		return;
	publish(gw, "call",
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:s, s:o}", "callId",
			api_id(change->call_id), "campaignId",
			api_id(change->campaign_id), "queueId", api_id(change->entry_id),
			"agentId", api_id(change->agent_id), "state", change->state,
			"outcome", api_text(change->outcome), "number", change->number,
			"twilioCallSid", api_text(change->leg_sid)),
		change->agent_id != 0 ? change->agent_id : STAFF_ONLY);
}

void events_agent(struct gateway *gw, const struct db_agent_session *session)
{
	tell(gw,
		(struct event_line){.type = "agent",
			.audience = session->user_id,
			.session_id = session->id,
			.version = session->version},
		json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:o}", "agentId",
			api_id(session->user_id), "sessionId", api_id(session->id),
			"state", session->state, "reason", session->pause_reason,
			"phoneUp", session->phone_up, "twilioUp", session->twilio_up,
			"callId", api_id(session->call_id)));
}

void events_campaign(struct gateway *gw, int64_t campaign_id, const char *reason)
{
	publish(gw, "campaign",
		json_pack("{s:o, s:s}", "campaignId", api_id(campaign_id), "reason",
			reason),
		STAFF_ONLY);
}

static json_t *callback_json(const struct db_callback *b)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "callbackId", api_id(b->id),
		"campaignId", api_id(b->campaign_id), "contactId", api_id(b->contact_id),
		"agentId", api_id(b->agent_id), "state", b->state, "dueAt",
		api_time(b->due_ms));
}

void events_callback(
	struct gateway *gw, const struct db_callback *b, int64_t was_agent_id)
{
	publish(gw, "callback", callback_json(b),
		b->agent_id != 0 ? b->agent_id : STAFF_ONLY);
	if (was_agent_id != 0 && was_agent_id != b->agent_id)
		publish(gw, "callback", callback_json(b), was_agent_id);
}

void events_disposition(struct gateway *gw, const struct db_call *call,
	const struct db_call_disposition *said)
{
	publish(gw, "disposition",
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "callId", api_id(call->id),
			"campaignId", api_id(call->campaign_id), "agentId",
			api_id(call->agent_id), "dispositionId",
			api_id(said->disposition_id), "name", said->name, "by",
			api_id(said->user_id)),
		call->agent_id != 0 ? call->agent_id : STAFF_ONLY);
}

void events_import(struct gateway *gw, const struct db_import *i)
{
	publish(gw, "import",
		json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "importId",
			api_id(i->id), "listId", api_id(i->list_id), "state", i->state,
			"rows", (json_int_t)i->rows, "bytes", (json_int_t)i->bytes,
			"bytesDone", (json_int_t)i->bytes_done, "added",
			(json_int_t)i->added, "skipped", (json_int_t)i->skipped,
			"rejected", (json_int_t)i->rejected),
		STAFF_ONLY);
}

void events_recording(struct gateway *gw, const struct db_recording *r)
{
	publish(gw, "recording",
		json_pack("{s:o, s:o, s:o, s:o, s:s}", "recordingId", api_id(r->id),
			"callId", api_id(r->call_id), "campaignId",
			api_id(r->campaign_id), "agentId", api_id(r->agent_id), "state",
			r->state),
		r->agent_id != 0 ? r->agent_id : STAFF_ONLY);
}

void events_control(struct gateway *gw, const struct db_call *call, json_t *controls)
{
	publish(gw, "control",
		json_pack("{s:o, s:o, s:o}", "callId", api_id(call->id), "agentId",
			api_id(call->agent_id), "controls",
			controls == NULL ? json_null() : controls),
		call->agent_id != 0 ? call->agent_id : STAFF_ONLY);
}
