/* audit.h: who changed what: what is noted of a request, and GET /api/audit-log. */
#ifndef OMNIVOX_GATEWAY_AUDIT_H
#define OMNIVOX_GATEWAY_AUDIT_H

#include "db/audit.h"
#include "gateway/api.h"
#include "gateway/routes.h"

/* Pure. Who asks for what; of the body what it sets, without passwords and secrets. */
void audit_request(struct db_audit *entry, const struct api_call *call,
	const struct api_route *route);

/* Pure. Who asks, again: a sign-in knows it only afterwards. */
void audit_who(struct db_audit *entry, const struct api_call *call);

/* Pure. What came of it: the status, and ids of what was made. */
void audit_result(struct db_audit *entry, const struct api_reply *reply);

void audit_list(struct api_call *call, struct api_reply *reply);

#endif
