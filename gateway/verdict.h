/*
 * verdict.h: joins the claim (db/) with the permission rules (dialer/), which do not know each
 * other, and finds the clocks that a contact lives by. These are db_claim.verdict callbacks with
 * arg = struct gateway; database workers.
 */
#ifndef OMNIVOX_GATEWAY_VERDICT_H
#define OMNIVOX_GATEWAY_VERDICT_H

#include "db/calls.h"
#include "dialer/zone.h"
#include "gateway/gateway.h"

struct db_claim_verdict verdict_auto(void *gateway, const struct db_claim_facts *facts);
struct db_claim_verdict verdict_manual(void *gateway, const struct db_claim_facts *facts);

/*
 * The zones in which a contact may be: its own, else those of its number. When the number's plan
 * does not know it, or it is never the right time in all of its zones, the campaign's fallback zone;
 * a campaign that keeps its own hours has its own zone only. 0: nobody knows.
 */
#define VERDICT_ZONES_MAX 64
size_t verdict_zones(const struct gateway *gw, const struct db_claim_facts *facts,
	const struct zone *ret_zones[VERDICT_ZONES_MAX]);

#endif
