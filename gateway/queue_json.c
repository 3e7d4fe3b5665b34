/* queue_json.c: queue entries as the API shows them. See queue_json.h. */
#include "gateway/queue_json.h"

#include <stdio.h>

#include "gateway/api.h"
#include "gateway/reason.h"

json_t *queue_contact_json(const struct db_contact *c)
{
	char full[160];

	(void)snprintf(full, sizeof(full), "%s%s%s", c->first_name,
		c->first_name[0] != '\0' && c->last_name[0] != '\0' ? " " : "",
		c->last_name);
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:b}", "id",
		api_id(c->id), "firstName", c->first_name, "lastName", c->last_name,
		"fullName", full, "phone", c->phone, "email", c->email, "attemptCount",
		c->attempts, "lastOutcome", api_text(c->last_outcome), "lastAttempt",
		api_time(c->last_attempt_ms), "locked", c->locked_by != 0);
}

json_t *queue_entry_json(const struct db_campaign *campaign, const struct db_entry *e)
{
	const char *code =
		e->reason[0] != '\0' ? e->reason : reason_of_campaign(campaign);
	json_t *doc = json_pack(
		"{s:o, s:o, s:o, s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:s}}",
		"id", api_id(e->id), "queueId", api_id(e->id), "campaignId",
		api_id(e->campaign_id), "status", e->state, "priority", e->priority,
		"attempts", e->attempts, "outcome", api_text(e->outcome), "runAt",
		api_time(e->run_at_ms), "queuedAt", api_time(e->queued_ms), "dialedAt",
		api_time(e->dialed_ms), "completedAt", api_time(e->completed_ms),
		"assignedAgentId", api_id(e->agent_id), "contact",
		queue_contact_json(&e->contact), "list", "id", api_id(e->list_id),
		"listId", api_id(e->list_id), "name", e->list_name);
	json_t *more = json_pack("{s:s, s:s, s:o, s:o}", "reason", code, "reasonText",
		reason_text(code), "reservedFor", api_id(e->owner_id), "reservedUntil",
		api_time(e->owner_until_ms));

	if (doc != NULL && more != NULL)
		(void)json_object_update(doc, more);
	json_decref(more);
	return doc;
}
