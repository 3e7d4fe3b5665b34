/* queue_json.h: queue entries as the API shows them. NULL without memory. */
#ifndef OMNIVOX_GATEWAY_QUEUE_JSON_H
#define OMNIVOX_GATEWAY_QUEUE_JSON_H

#include <jansson.h>

#include "db/campaigns.h"

json_t *queue_contact_json(const struct db_contact *contact);
/* `campaign` says why entries wait that are due. */
json_t *queue_entry_json(
	const struct db_campaign *campaign, const struct db_entry *entry);

#endif
