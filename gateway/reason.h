/*
 * reason.h: why a contact is not being dialled and why an agent is idle: one table of stable codes,
 * for programs, with a sentence for people.
 */
#ifndef OMNIVOX_GATEWAY_REASON_H
#define OMNIVOX_GATEWAY_REASON_H

#include "db/campaigns.h"

/* The sentence; a code that is not in the table is its own. Static, or `code` itself. */
const char *reason_text(const char *code);

/*
 * Why the campaign as a whole does not dial a contact that is due: its state, its method, or what
 * its runner says; "next" when it does. Static, or in the campaign.
 */
const char *reason_of_campaign(const struct db_campaign *campaign);

#endif
