/* api_reply.h: the end of a request. For api.c; handlers that deferred use api_send(). */
#ifndef OMNIVOX_GATEWAY_API_REPLY_H
#define OMNIVOX_GATEWAY_API_REPLY_H

#include "gateway/afterwork.h"
#include "gateway/api.h"

/*
 * Writes down what must be, then sends, and frees what the reply owns. Takes `after`; NULL when
 * there is nothing to write, and then any thread may call and `db` may be NULL.
 */
void api_finish(struct gateway *gw, struct db *db, struct after *after,
	uint64_t request_id, struct api_reply *reply);

#endif
