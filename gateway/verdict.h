/*
 * verdict.h: joins the claim (db/) with the permission rules (dialer/), which do not know each
 * other. These are db_claim.verdict callbacks; database workers.
 */
#ifndef OMNIVOX_GATEWAY_VERDICT_H
#define OMNIVOX_GATEWAY_VERDICT_H

#include "db/calls.h"

struct db_claim_verdict verdict_auto(void *arg, const struct db_claim_facts *facts);
struct db_claim_verdict verdict_manual(void *arg, const struct db_claim_facts *facts);

#endif
